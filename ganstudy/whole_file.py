"""Files that appear whole or not at all, and that tell when they are not what was written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ganstudy.system import WINDOWS

__all__ = [
    *("FULL", "Damaged", "digest", "digest_of_json", "is_partial", "name_digest", "naming"),
    *("read_named", "read_now", "remove_partial", "sealed", "unsealed", "write_whole"),
]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a file has no room."""

_PARTIAL = re.compile(r"\..+\.\d+\.partial")
"""The name of a file that is not whole yet: hidden, and with the process that writes it."""

_NO_SUCH_THING = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)
"""What file systems say, such as those of a network, that cannot wait for the disk of a folder."""


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file at once: a reader, or a crash, sees the old content or the new.

    durable whether it must outlive a power cut, for which the disk is waited for

    Errors  `OSError` that names the file, such as for a full disk; the old content then stays, and
            nothing beside it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # and not the name that nobody has asked for
        raise
    # Windows opens no folder.
    if durable and not WINDOWS:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            with naming(path.parent):
                os.fsync(directory)
        except OSError as error:
            if error.errno not in _NO_SUCH_THING:
                raise
        finally:
            os.close(directory)


@contextmanager
def naming(place: Path) -> Iterator[None]:
    """Errors of the system that name no file, as that a disk is full, name this place."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(place)
        raise


def remove_partial(*folders: Path) -> None:
    """Remove what processes that were killed while they wrote have left in folders."""
    for folder in folders:
        for path in filter(is_partial, folder.glob(".*.partial")):
            path.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Whether a file is one that was not written to its end, by its name."""
    return _PARTIAL.fullmatch(path.name) is not None


def read_now(path: Path, read: Callable[[BinaryIO], bytes] = lambda file: file.read()) -> bytes:
    """What is read of a file that another host may replace meanwhile.

    On a disk of a network the old one can go while it is read; then the new one is.

    Errors  `OSError` that names the file.
    """
    with naming(path):
        try:
            with path.open("rb") as file:
                return read(file)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        with path.open("rb") as file:
            return read(file)


class Damaged(Exception):
    """A file that is not as it was written."""


def digest(content: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(content).hexdigest()


def name_digest(content: bytes) -> str:
    """The first 16 hexadecimal digits of it: what names of files end with."""
    return digest(content)[:16]


def digest_of_json(value: Any) -> str:
    """That of the value as JSON, its keys in their order."""
    return digest(json.dumps(value).encode())


def read_named(path: Path) -> bytes:
    """All bytes of a file `<name>-<digest of content>.<suffix>`, if they are those that were
    written.

    Errors  `Damaged`, also where there is none; `OSError` where it cannot be read, which says
            nothing of what is in it.
    """
    try:
        content = read_now(path)
    except FileNotFoundError:
        raise Damaged("it is gone") from None
    if name_digest(content) != path.stem.rpartition("-")[2]:
        raise Damaged("its checksum is not the one in its name")
    return content


def sealed(content: Mapping[str, Any], indent: int | None = None) -> bytes:
    """JSON whose last key, `sha256`, is a digest of all the others; one line, or indented."""
    whole = {**content, "sha256": digest_of_json(content)}
    separators = (",", ":") if indent is None else None
    return json.dumps(whole, separators=separators, indent=indent).encode() + b"\n"


def unsealed(text: bytes) -> dict[str, Any]:
    """The values that were sealed.

    Errors  `Damaged` if they are not.
    """
    try:
        content: dict[str, Any] = json.loads(text)
        seal = content.pop("sha256")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise Damaged("it is not whole") from None
    if seal != digest_of_json(content):
        raise Damaged("its checksum is wrong")
    return content
