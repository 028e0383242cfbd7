"""Digests of the gathered dataset: no chunk of it is read that is not as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ganstudy.whole_file import Damaged, digest, read_now, sealed, unsealed

__all__ = ["CHECKED_ON_OPEN", "Digests", "check", "read", "seal"]

Digests = Mapping[str, tuple[int, str]]
"""Size and digest of each file, by its place in the folder."""

CHECKED_ON_OPEN = 2**30
"""Bytes: a larger dataset is not read whole when it is opened, and each chunk when it is read."""

_NAME = "digests.json"


def seal(folder: Path) -> None:
    """Write the digest of every file of a folder beside them."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    digests = {
        n: [p.stat().st_size, digest(p.read_bytes())] for n, p in files.items() if p.is_file()
    }
    (folder / _NAME).write_bytes(sealed(digests))


def read(folder: Path) -> Digests:
    """The digests of all files as they were written.

    Errors  `Damaged`; `OSError` where they cannot be read.
    """
    try:
        return {name: (size, of) for name, (size, of) in unsealed(_bytes(folder / _NAME)).items()}
    except Damaged as error:
        raise Damaged(f"{_NAME}: {error}") from None


def check(folder: Path, digests: Digests) -> None:
    """Compare sizes, and contents too unless there is too much of it.

    Errors  `Damaged` that names the first file that differs; `OSError` for one that cannot be read.
    """
    whole = sum(size for size, _ in digests.values()) <= CHECKED_ON_OPEN
    for name, (size, expected) in digests.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise Damaged(f"{name}: it is gone, or of another size")
        if whole and digest(_bytes(path)) != expected:
            raise Damaged(f"{name}: its checksum is wrong")


def _bytes(path: Path) -> bytes:
    try:
        return read_now(path)
    except FileNotFoundError:
        raise Damaged("there is none") from None
