"""Memory of a worker: what it may take, and whether it has kept too much of it."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil

__all__ = ["OVER_LIMIT", "TooSmall", "has_grown", "is_lacking", "kills", "limit"]

OVER_LIMIT = 97
"""Exit code of a process that has taken more than its limit, shared memory included."""

_KEPT = 2 * 2**30
"""Bytes that a worker without a limit may have kept of packs that have ended; a program that was
compiled keeps some hundred MiB of graphs, and is meant to."""

_LOOK_SECONDS = 0.2

_BY_KERNEL = find_spec("resource") is not None and sys.platform != "darwin"
"""Whether the kernel bounds private memory; macOS takes such a limit, and allocates beyond it."""

_LEAST, _SENSIBLE = 2**26, 2**28
"""Bytes beside what a worker takes for itself: with fewer it cannot even import what it trains
with, and with as many a small network of convolutions trains."""

_LACKING = ("can't allocate memory", "cannot allocate memory", "can't start new thread")
"""What libraries say, in errors that are no `MemoryError`, when an allocation fails."""

_soft: int | None = None  # of the kernel's limits, as this process was started with
_limit: int | None = None
_at_start: int | None = None


class TooSmall(Exception):
    """A limit under which a worker can train nothing."""


def is_lacking(error: BaseException) -> bool:
    """Whether an error says that an allocation has failed in this machine's memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(said in text for said in _LACKING)


def limit(gigabytes: float | None) -> None:
    """Bound what this process may allocate: beyond it allocations fail, as they should.

    The kernel counts private memory only. Where shared memory comes on top (Linux), and where the
    kernel counts nothing (Windows, macOS), a thread looks at all that is taken, and ends the
    process with `OVER_LIMIT`.

    Errors  `TooSmall` for less than this process took before it trained anything, and a little.
    """
    global _limit, _at_start
    if _at_start is None:
        _at_start = _taken()
    if gigabytes is not None and gigabytes * 2**30 < _at_start + _LEAST:
        sensible = math.ceil(10 * (_at_start + _SENSIBLE) / 2**30) / 10
        taken = f"a worker takes {_at_start / 2**30:.2f} GiB before it trains anything"
        raise TooSmall(f"engine.memory_limit: {taken}; set {sensible:g} or more, not {gigabytes:g}")
    allowed = None if gigabytes is None else int(gigabytes * 2**30)
    if _BY_KERNEL:
        _bound(allowed)
    first = _limit is None
    _limit = allowed
    if first and _limit is not None and (sys.platform == "linux" or not _BY_KERNEL):
        threading.Thread(target=_watch, daemon=True).start()


def _bound(allowed: int | None) -> None:
    if sys.platform != "win32":
        import resource

        global _soft
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        _soft = soft if _soft is None else _soft
        limits = {_soft, hard, _soft if allowed is None else allowed} - {resource.RLIM_INFINITY}
        soft = min(limits, default=resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def has_grown() -> bool:
    """Whether so much is left of packs that have ended that the next one would miss it."""
    if _at_start is None:
        return False
    room = _KEPT if _limit is None else max(_limit - _at_start, 0) // 2
    return _taken() - _at_start > room


def kills() -> int:
    """How often the kernel of this machine has killed a process for lack of memory; 0 if it does
    not say."""
    return _told("/proc/vmstat", "oom_kill ")


def _watch() -> None:
    while _limit is not None:
        if (_shared() or not _BY_KERNEL) and _taken() > _limit:
            os._exit(OVER_LIMIT)
        time.sleep(_LOOK_SECONDS)


def _taken() -> int:
    """Bytes of private memory that are allocated, and of shared memory that is in use."""
    if not _BY_KERNEL:
        own = psutil.Process().memory_info()
        # On Windows what is allocated, elsewhere what is in use.
        return int(getattr(own, "private", own.rss))
    return 1024 * _told("/proc/self/status", "VmData:") + _shared()


def _shared() -> int:
    return 1024 * _told("/proc/self/status", "RssShmem:")


def _told(path: str, key: str) -> int:
    """The number that a file of the kernel has under a key; 0 where it has none."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(path).read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1])
    return 0
