"""The lock of a run directory, and what goes wrong with files while it is held."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from filelock import FileLock, Timeout

from ganstudy.store import heartbeat
from ganstudy.store.place import RunError

__all__ = ["held"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def held(folder: Path, beat: Path) -> Iterator[None]:
    """Hold a folder alone; the kernel frees it when this process dies.

    beat    the heartbeat of the process that holds it

    Errors  `RunError` if another process holds it, if something cannot be read or written there,
            and if the disk is full meanwhile.
    """
    # A lock that is a mere file, and stays when its process dies, would hold the run for ever.
    lock = FileLock(folder / ".lock", fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        # Some file systems that know no locks say that it is taken.
        unless = "" if heartbeat.read(beat) else ", or its file system has no locks"
        advice = f"`ganstudy status {quote(str(folder))}` says how far it is"
        raise RunError(f"{folder}: another ganstudy is running here{unless}; {advice}") from None
    except OSError as error:
        raise RunError(f"{folder}: cannot hold a run: {error.strerror or error}") from None
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise RunError(_in_words(folder, error)) from None
    finally:
        lock.release()


def _in_words(folder: Path, error: OSError) -> str:
    said = ": ".join(filter(None, (error.strerror, str(error.filename or ""))))
    safe = "all records that were written are whole."
    if error.errno in _FULL:
        trouble = f"the disk is full ({said}); {safe} Free some space and run"
    else:
        trouble = f"{said}; {safe} Mend that and run"
    return f"{folder}: {trouble} the same command to continue"
