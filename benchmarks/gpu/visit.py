"""A visit to a machine with a GPU: what each part of the check is told."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Visit"]


@dataclass(frozen=True)
class Visit:
    """Where to measure, where to leave what has failed, and until when.

    until  a moment of the monotonic clock
    """

    device: str
    out: Path
    until: float = math.inf

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.until - time.monotonic()
