"""The folder in which a machine keeps what took long to find out: beside the compiler's own."""

from __future__ import annotations

import atexit
import getpass
import logging
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["folder"]

_PLACE = "TORCHINDUCTOR_CACHE_DIR"

_log = logging.getLogger("ganstudy")


def folder() -> Path:
    """Where torch's compiler keeps its work, whose place torch computes in the same way.

    Libraries in it are run. Where the usual place is somebody else's, or everybody may write to it,
    this process and those that it starts have an empty one, which is removed when this one ends.
    """
    try:
        name = getpass.getuser()
    except (KeyError, ModuleNotFoundError, OSError):  # such as in a container, by number
        name = f"uid_{os.getuid()}" if hasattr(os, "getuid") else "unknown_user"
    user = re.sub(r'[\\/:*?"<>|]', "_", name)
    usual = Path(tempfile.gettempdir()) / f"torchinductor_{user}"
    # torch sets the variable to the usual place; whoever names another trusts it.
    asked = Path(os.environ.get(_PLACE, usual))
    if asked != usual or _is_own(usual):
        return asked
    made = Path(tempfile.mkdtemp(prefix="ganstudy-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    os.environ[_PLACE] = str(made)
    _log.warning(
        "%s is not used: others can write to it; until the end what is compiled is kept in %s",
        *(usual, made),
    )
    return made


def _is_own(usual: Path) -> bool:
    """Whether nobody else can have put anything into a folder; it is made where there is none."""
    if not hasattr(os, "geteuid"):  # Windows has a temporary folder for each user
        return True
    with suppress(OSError):
        usual.mkdir(mode=0o700)
    try:
        link, there = usual.lstat(), usual.stat()
    except OSError:
        return not os.path.lexists(usual)  # nobody can make one
    own = {link.st_uid, there.st_uid} == {os.geteuid()}
    return own and not there.st_mode & stat.S_IWOTH
