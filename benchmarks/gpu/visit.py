"""A visit to a machine with a GPU: what each part of the check is told."""

from __future__ import annotations

import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["LOG", "Visit"]

LOG = "failures.txt"
"""The file beside the results in which traces are."""


@dataclass(frozen=True)
class Visit:
    """Where to measure, where to leave what has failed, and until when.

    until   a moment of the monotonic clock
    raised  what has raised
    """

    device: str
    out: Path
    until: float = math.inf
    raised: list[str] = field(default_factory=list)

    def tell(self, what: str, said: str) -> None:
        """Write what has failed, and its traces, to `LOG` behind what has failed before."""
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{what}\n\n{said}\n")

    def found(self, what: str, figure: Callable[[], float | None]) -> float | None:
        """A figure, or none: one that raises costs no other."""
        with self.going_on(what):
            return figure()
        return None

    @contextmanager
    def going_on(self, what: str) -> Iterator[None]:
        """Go on behind whatever is raised, which is kept and told: it is no reason to lose the
        rest.
        """
        try:
            yield
        except Exception as error:
            print(f"{what} raised {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            self.raised.append(what)
            self.tell(what, traceback.format_exc())

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.until - time.monotonic()
