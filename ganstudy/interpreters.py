"""Interpreters that this process starts: what they read as they load, and where modules are."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["ON_ONE_CORE", "found_in"]

ON_ONE_CORE: Mapping[str, str] = {
    # Two threads on two busy cores are slower than one.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc returns the memory of every large tensor to the system, and takes it again a moment
    # later, page fault by page fault; keeping it saves 10 to 25 % of a step.
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    # No module is taken from the folder in which a worker stands, beside somebody's study.
    "PYTHONSAFEPATH": "1",
}
"""Variables of a process that trains, which act only if they are there when it starts."""


def found_in() -> list[str]:
    """Folders in which this process finds its modules, wherever the one it starts may stand."""
    return [folder or str(Path.cwd()) for folder in sys.path]
