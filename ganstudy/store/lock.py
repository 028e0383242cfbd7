"""The lock of a folder, and what goes wrong with the files of a run while it is held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from shlex import quote

from filelock import FileLock, Timeout

from ganstudy.store import heartbeat
from ganstudy.store.place import RunError
from ganstudy.whole_file import FULL

__all__ = ["LOCK", "Timeout", "held", "refusing", "taken"]

LOCK = ".lock"


def taken(folder: Path) -> AbstractContextManager[object]:
    """A folder, which is made, held by this process alone; the kernel frees it when it dies.

    Errors  `Timeout` if another process holds it; `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A lock that is a mere file, and stays when its process dies, would hold the folder for ever.
    return FileLock(folder / LOCK, fallback_to_soft=False).acquire(timeout=0)


@contextmanager
def held(folder: Path, beat: Path) -> Iterator[None]:
    """Hold the folder of a run alone.

    beat    the heartbeat of the process that holds it

    Errors  `RunError` if another process holds it, if something cannot be read or written there,
            and if the disk is full meanwhile.
    """
    try:
        lock = taken(folder)
    except Timeout:
        # Some file systems that know no locks say that it is taken.
        unless = "" if heartbeat.read(beat) else ", or its file system has no locks"
        advice = f"`ganstudy status {quote(str(folder))}` says how far it is"
        raise RunError(f"{folder}: another ganstudy is running here{unless}; {advice}") from None
    except OSError as error:
        raise RunError(f"{folder}: cannot hold a run: {_said(error)}") from None
    try:
        with lock:
            yield
    except OSError as error:
        if error.errno is None:
            raise
        raise RunError(_in_words(folder, error)) from None


@contextmanager
def refusing() -> Iterator[None]:
    """What the system refuses of one run is a `RunError` that tells it, as of another user's.

    A full disk is full for all of them, and stays what it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.errno in FULL:
            raise
        raise RunError(_said(error)) from None


def _in_words(folder: Path, error: OSError) -> str:
    said = _said(error)
    safe = "all records that were written are whole."
    if error.errno in FULL:
        trouble = f"the disk is full ({said}); {safe} Free some space and run"
    else:
        trouble = f"{said}; {safe} Mend that and run"
    return f"{folder}: {trouble} the same command to continue"


def _said(error: OSError) -> str:
    """What the system says, and of which file; of both where one could not become the other."""
    files = dict.fromkeys(str(own) for own in (error.filename, error.filename2) if own)
    return ": ".join(filter(None, (error.strerror or str(error), " -> ".join(files))))
