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
_INSTEAD = "ganstudy-cache-"
_made: set[Path] = set()
"""By this process."""

_log = logging.getLogger("ganstudy")


def folder(*, made: bool = False) -> Path:
    """Where torch's compiler keeps its work, whose place torch computes in the same way.

    made  whether it is to be there, as for what is written to it

    Libraries in it are run. Where the usual place is somebody else's, or everybody may write to it,
    this process and those that it starts have an empty one, which is removed when this one ends.
    """
    try:
        name = getpass.getuser()
    except (KeyError, ModuleNotFoundError, OSError):  # such as in a container, by number
        name = f"uid_{os.getuid()}" if hasattr(os, "getuid") else "unknown_user"
    user = re.sub(r'[\\/:*?"<>|]', "_", name)
    usual = Path(tempfile.gettempdir()) / f"torchinductor_{user}"
    # torch sets the variable to the usual place, and jobs of a cluster may have it from here, where
    # this path is anybody's; whoever names another trusts it.
    asked = Path(os.environ.get(_PLACE, usual))
    by_itself = asked == usual or asked.name.startswith(_INSTEAD)
    if made:
        with suppress(OSError):
            asked.mkdir(0o700 if by_itself else 0o777, parents=True, exist_ok=True)
    if not by_itself or asked in _made or _is_own(asked):
        return asked
    instead = Path(tempfile.mkdtemp(prefix=_INSTEAD))
    _made.add(instead)
    atexit.register(shutil.rmtree, instead, ignore_errors=True)
    os.environ[_PLACE] = str(instead)
    _log.warning(
        "%s is not used: others can write to it; until the end what is compiled is kept in %s",
        *(asked, instead),
    )
    return instead


def _is_own(place: Path) -> bool:
    """Whether a folder is the user's own, if it is there, and nobody's to write but theirs and
    their group's, as where each user is a group."""
    if not hasattr(os, "geteuid"):  # Windows has a temporary folder for each user
        return True
    try:
        link, there = place.lstat(), place.stat()
    except OSError:
        return not os.path.lexists(place)
    own = {link.st_uid, there.st_uid} == {os.geteuid()}
    return own and not there.st_mode & stat.S_IWOTH
