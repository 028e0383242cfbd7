"""What operating systems do differently, where Python does not hide it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar

__all__ = ["WINDOWS", "cores", "in_order"]

PathT = TypeVar("PathT", bound=PurePath)

WINDOWS = os.name == "nt"
"""There no folder can be opened, and none moves while a file in it is open."""


def in_order(files: Iterable[PathT]) -> list[PathT]:
    """Files by their names, folder by folder; Windows itself would not tell case apart."""
    return sorted(files, key=lambda file: file.parts)


_QUOTAS = {"": ["cpu.max"], "cpu": ["cpu.cfs_quota_us", "cpu.cfs_period_us"]}
"""Files that say which share of how many microseconds a group has, by their controller's folder;
the second version of control groups has one folder for all of them."""


def cores(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Cores that this process may keep busy: those it may run on, fewer by the share of its group
    or of one above.

    groups  where Linux says so: a container that is given one core of 64 may run on each of them
    own     where it says which group this process is in

    Source  the kernel's documentation of control groups, `cpu.max` and `cpu.cfs_quota_us`.
    """
    may = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for controller, files in _QUOTAS.items():
        group = PurePosixPath(_group(controller, own))
        for place in (group, *group.parents):
            # Of the other version, "max": as many as there are, or as the host of a container has
            # named a group.
            with suppress(OSError, ValueError):
                folder = groups / controller / place
                quota, period = " ".join((folder / name).read_text() for name in files).split()
                share = math.ceil(int(quota) / int(period))
                may = min(may, share) if share > 0 else may
    return may


def _group(controller: str, own: Path) -> str:
    """The group of a controller that this process is in, below the folder of them all."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                return path.lstrip("/")
    return ""
