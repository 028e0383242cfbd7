"""What a run tells whoever waits for it: its progress, and a heartbeat for `ganstudy status`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ganstudy.engine.packing import cost

if TYPE_CHECKING:
    from ganstudy.kinds import Pack
    from ganstudy.schedule.loop import Running
    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.trial import ProgramName

__all__ = ["Beat", "Progress", "heartbeat"]


class Beat(Protocol):
    """Told what a run is doing: `starting`, `training` some packs, or `gathering`."""

    def __call__(self, doing: str, running: Sequence[Running] = ()) -> None:
        """Pass it on to whoever asks."""


@dataclass
class Progress:
    """Where a run stands; trial-steps are M-steps summed over trials.

    busy        seconds that packs have trained, summed: the start of workers takes as long for few
                packs as for many, and is no part of their pace
    incomplete  what the report lacks; empty for a whole one
    """

    planned: int
    program: ProgramName
    program_reason: str
    done: Counter[str] = field(default_factory=Counter)
    trained: int = 0
    trial_steps: int = 0
    workers: int = 1
    busy: float = 0.0
    cost: float = 0.0
    cost_planned: float = 0.0
    started: float = field(default_factory=time.perf_counter)
    incomplete: str = ""
    open_ended: bool = False

    @classmethod
    def of(
        cls,
        search: Search,
        left: Sequence[Pack],
        workers: int,
        program: ProgramName,
        reason: str,
    ) -> Progress:
        """At the start, with these packs left to train, by a program chosen for a reason."""
        done = search.counts()
        costs = sum(map(cost, left))
        progress = cls(
            done.total(),
            program,
            reason,
            done=done,
            cost_planned=costs,
            workers=workers,
            open_ended=search.open_ended,
        )
        del done["missing"]
        return progress

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.perf_counter() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None before the first pack has ended."""
        if not self.cost:
            return None
        left = max(self.cost_planned - self.cost, 0.0)
        return left * self.busy / self.cost / self.workers

    def add(self, search: Search, ended: Pack, seconds: float) -> None:
        """Count trials that have ended, after some seconds; the search has been told of them."""
        self.done = search.counts()
        self.planned = self.done.total()
        del self.done["missing"]
        self.trained += len(ended)
        self.trial_steps += sum(trial.configuration.steps for trial in ended)
        self.cost += cost(ended)
        self.busy += seconds
        if search.open_ended:
            # What is left at most, which is less whenever something is settled.
            self.cost_planned = self.cost + sum(map(cost, search.outlook(self.workers)))


@contextmanager
def heartbeat(directory: RunDirectory, progress: Progress) -> Iterator[Beat]:
    """Keep `ganstudy status` informed of what is done, from one second to the next."""
    latest, last = 0.0, ""

    def beat(doing: str, running: Sequence[Running] = ()) -> None:
        nonlocal latest, last
        if doing == last and time.monotonic() - latest < 1.0:
            return
        latest, last = time.monotonic(), doing
        content = {
            "doing": doing,
            "seconds": progress.seconds,
            "trial_steps": progress.trial_steps,
            "seconds_left": progress.seconds_left,
            "open_ended": progress.open_ended,
            "packs": [{"trials": len(one.pack), "seconds": one.seconds} for one in running],
        }
        # Where there is no room for it there is none for records, whose loss is to be told.
        with suppress(OSError):
            directory.write_heartbeat(content)

    try:
        yield beat
    finally:
        directory.remove_heartbeat()
