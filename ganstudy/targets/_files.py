"""Files and folders that a study names: whether they are there, and whether they have changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from ganstudy.system import in_order
from ganstudy.targets._outline import forget, is_gone, pinned
from ganstudy.targets._problems import ChangedDataError

__all__ = ["check_content", "existing", "files_below", "fingerprint", "unchanged"]


def existing(path: str, formats: Sequence[str]) -> str:
    """The path, of a file of one of these formats, or of a folder where any name will do.

    What a run has read, and is known to be gone, need not be there for its records to be read.

    formats  how names of files may end; "" if a name may also end otherwise

    Errors  `ValueError`, which says what is there instead, or which name is near.
    """
    if is_gone(path):
        return path
    try:
        file = Path(path).expanduser()
        is_file, is_folder = file.is_file(), file.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # no such home, a name that is none
        raise ValueError(f"{path}: {error}") from None
    if is_folder and "" in formats:
        return path
    if "" not in formats and file.suffix.lower() not in formats:
        raise ValueError(f"{path}: not one of {', '.join(formats)}")
    if not is_file:
        if file.is_symlink() and not is_folder:
            raise ValueError(f"is a link that leads nowhere: {file.absolute()}")
        what = "is a folder" if is_folder else "no such file"
        raise ValueError(f"{what}: {file.absolute()}{_near(file)}")
    return path


def unchanged(path: str, sha256: str | None) -> str:
    """The SHA-256 of what lies at a path, or of what a run that is read has read there.

    Errors  `ValueError` if it is not what was said, or cannot be read.
    """
    asked = sha256 or pinned(path)
    if asked is not None and is_gone(path, asked):
        return asked
    try:
        found = fingerprint(path)
    except OSError as error:
        if is_gone(path):  # so that `existing` has let it pass
            raise ValueError(f"no such file: {Path(path).expanduser().absolute()}") from None
        raise ValueError(f"{error.filename or path}: cannot be read: {error.strerror}") from None
    if asked not in (None, found):
        raise ValueError(f"{path} has changed: its SHA-256 is {found}")
    forget(path, found)
    return found


def check_content(path: str, sha256: str) -> None:
    """Whether what lies at a path is what it was when the study was read.

    Errors  `ChangedDataError` if it is not, or cannot be read.
    """
    try:
        found = fingerprint(path)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        if not Path(path).expanduser().is_absolute():
            with suppress(OSError):  # a worker of another machine may stand elsewhere
                message += f"; the path starts at {Path.cwd()}"
        raise ChangedDataError(message) from None
    if found != sha256:
        raise ChangedDataError(f"{path} has changed since the study was read")


def fingerprint(path: str) -> str:
    """SHA-256 of the content of a file, or of the names and contents in a folder.

    A file is read again only when it has been written since.
    """
    place = Path(path).expanduser().absolute()
    if not place.is_dir():
        return _of_file(place)
    whole = hashlib.sha256()
    for file in files_below(place):
        name = file.relative_to(place).as_posix()
        content = _of_file(file) if file.is_file() else "none"
        # Names of old archives may be in no encoding.
        whole.update(os.fsencode(f"{name}\0{content}\n"))
    return whole.hexdigest()


def files_below(folder: Path) -> list[Path]:
    """What is no folder and not hidden, at any depth, in order; links to nothing are among them.

    Links to folders are followed, but for those that lead back to a folder on the way.
    """
    return in_order(_below(folder, frozenset()))


def _below(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    if (real := folder.resolve()) in above:
        return
    for own in folder.iterdir():
        if own.name.startswith("."):
            continue
        if own.is_dir():
            yield from _below(own, above | {real})
        else:
            yield own


def _of_file(file: Path) -> str:
    status = file.stat()
    return _read(str(file), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=200_000)
def _read(path: str, modified: int, size: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _near(path: Path) -> str:
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    names = [own.name for own in beside if own.name != path.name]
    close = get_close_matches(path.name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
