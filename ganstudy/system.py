"""What operating systems do differently, where Python does not hide it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TypeVar

__all__ = ["WINDOWS", "cores", "in_order"]

PathT = TypeVar("PathT", bound=PurePath)

WINDOWS = os.name == "nt"
"""There no folder can be opened, and none moves while a file in it is open."""


def in_order(files: Iterable[PathT]) -> list[PathT]:
    """Files by their names, folder by folder; Windows itself would not tell case apart."""
    return sorted(files, key=lambda file: file.parts)


def cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that this process may keep busy: those it may run on, fewer by its container's share.

    groups  where Linux says so: a container that is given one core of 64 may run on each of them

    Source  the kernel's documentation of control groups, `cpu.max` and `cpu.cfs_quota_us`.
    """
    may = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for files in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        with suppress(OSError, ValueError):  # of the other version, or "max": as many as there are
            quota, period = " ".join((groups / name).read_text() for name in files).split()
            share = math.ceil(int(quota) / int(period))
            may = min(may, share) if share > 0 else may
    return may
