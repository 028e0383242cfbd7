"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["PARTIAL", "remove_partial", "write_whole"]

PARTIAL = ".partial"
"""How the name of a file that is not whole yet ends."""


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file at once: a reader, or a crash, sees the old content or the new.

    durable whether it must outlive a power cut, for which the disk is waited for

    Errors  `OSError`, such as for a full disk; the old content then stays, and nothing beside it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def remove_partial(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left in a folder."""
    for path in folder.glob(f".*{PARTIAL}"):
        path.unlink(missing_ok=True)
