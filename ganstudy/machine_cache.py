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
    user = re.sub(r'[\\/:*?"<>|]', "_", getpass.getuser())
    default = Path(tempfile.gettempdir()) / f"torchinductor_{user}"
    return Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR", default))
