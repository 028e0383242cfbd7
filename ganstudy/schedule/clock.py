"""How long a task trains, and how fast: what its worker says of it, and the clock of who hears."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

__all__ = ["Begun", "Clock"]

_SHOWN, _WINDOW = 2.0, 15.0
"""Seconds of steps that show how fast a pack trains, and half of those at most by which it is
told: what else a machine does changes."""


@dataclass(frozen=True)
class Begun:
    """What a worker says of its task: it has begun, or else its first step has been taken.

    earlier seconds that the pack had trained in earlier sessions
    share   of its steps that the pack has taken; 0 for ever where its kind does not say
    """

    stepping: bool
    earlier: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class Clock:
    """Since when a task is prepared, or takes its steps; by this process's monotonic clock.

    share, heard              how much of its steps it had taken, and when that was heard
    first_share, first_heard  the same of what was heard first
    marks                     moments, at most a window apart from each other, and the shares then
    """

    stepping: bool
    since: float
    share: float = 0.0
    heard: float = 0.0
    first_share: float = 0.0
    first_heard: float = 0.0
    marks: tuple[tuple[float, float], ...] = ()

    @classmethod
    def started(cls, begun: Begun, before: Clock | None = None) -> Clock:
        """The clock of a task of which this was heard just now, and what was known `before`."""
        now = time.monotonic()
        # Where a worker prepares it, its steps in another one are over.
        if before is not None and before.stepping and begun.stepping:
            marks = before.marks
            if now - marks[-1][0] >= _WINDOW:
                marks = marks[-1], (now, begun.share)
            return replace(before, share=begun.share, heard=now, marks=marks)
        mark = now, begun.share
        return cls(begun.stepping, now - begun.earlier, begun.share, now, begun.share, now, (mark,))

    def later(self, seconds: float) -> Clock:
        """As if all had come some seconds later, in which the task was stopped."""
        since, heard, first = (at + seconds for at in (self.since, self.heard, self.first_heard))
        marks = tuple((at + seconds, share) for at, share in self.marks)
        return replace(self, since=since, heard=heard, first_heard=first, marks=marks)

    @property
    def seconds(self) -> float:
        """What it shows."""
        return time.monotonic() - self.since

    @property
    def resumed(self) -> float:
        """Share of its steps that it had taken before, where it continues from a checkpoint."""
        return self.first_share if self.first_heard > self.since else 0.0

    @property
    def rate(self) -> float | None:
        """Share of its steps that the task takes in a second, of late; None before it shows."""
        share, seconds = self.lately
        return share / seconds if seconds >= _SHOWN and share > 0.0 else None

    @property
    def lately(self) -> tuple[float, float]:
        """Share of its steps that it has taken of late, and in how many seconds."""
        since, share = self.marks[0] if self.marks else (self.heard, self.share)
        return self.share - share, self.heard - since
