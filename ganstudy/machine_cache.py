"""The folder in which a machine keeps what took long to find out: beside the compiler's own."""

from __future__ import annotations

import getpass
import os
import re
import tempfile
from pathlib import Path

__all__ = ["folder"]


def folder() -> Path:
    """Where torch's compiler keeps its work, whose place torch computes in the same way."""
    try:
        name = getpass.getuser()
    except (KeyError, ModuleNotFoundError, OSError):  # such as in a container, by number
        name = f"uid_{os.getuid()}" if hasattr(os, "getuid") else "unknown_user"
    user = re.sub(r'[\\/:*?"<>|]', "_", name)
    default = Path(tempfile.gettempdir()) / f"torchinductor_{user}"
    return Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR", default))
