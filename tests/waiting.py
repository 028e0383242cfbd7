"""Waiting for what another process, or thread, does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE = 600.0
"""Seconds after which nothing more is expected, on however busy a machine."""


def wait_until(condition: Callable[[], Found], seconds: float = PATIENCE) -> Found:
    """What comes, as it must."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return found
