"""What a run tells: its progress, a heartbeat for `ganstudy status`, and what its folder keeps of a
session."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from ganstudy.forecast import Forecast, Lane
from ganstudy.schedule.executor import ExecutorError
from ganstudy.store import RunError

if TYPE_CHECKING:
    from ganstudy.kinds import Pack
    from ganstudy.schedule.loop import Running
    from ganstudy.schedule.where import Where
    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.store.finished import Finished
    from ganstudy.trial import ProgramName

__all__ = ["Beat", "PackProgress", "Progress", "heartbeat", "recorded"]


NOTED_EVERY = 1.0
"""Seconds between two notes of how far a session has come: each takes a disk some milliseconds."""


class Beat(Protocol):
    """Told what a run is doing: `starting`, `training` some packs, or `gathering`."""

    def __call__(self, doing: str, running: Sequence[Running] = ()) -> None:
        """Pass it on to whoever asks."""


@dataclass
class Progress:
    """Where a run stands; trial-steps are M-steps summed over trials.

    planned      trials in all; where some are trained once more, those alone
    trial_steps  taken in this session, of the packs that have ended
    forecast     who trains what, and how long that takes
    incomplete   what the report lacks; empty for a whole one
    current      whether the run had ended before, and nothing has been made anew
    once_more    whether what is trained has records, which it is to replace
    unmeasured   how many trials of it lack a metric that could not be measured, once it has ended
    """

    planned: int
    program: ProgramName
    program_reason: str
    done: Counter[str] = field(default_factory=Counter)
    trained: int = 0
    trial_steps: int = 0
    workers: int = 1
    forecast: Forecast = field(default_factory=lambda: Forecast("eager", ()))
    started: float = field(default_factory=time.perf_counter)
    incomplete: str = ""
    open_ended: bool = False
    current: bool = False
    once_more: bool = False
    unmeasured: int = 0

    @classmethod
    def of_finished(cls, known: Finished) -> Progress:
        """Of a run with nothing to do."""
        done = Counter(known.status)
        reason = "as the trials of this run were trained"
        lacking = known.unmeasured
        return cls(done.total(), known.program, reason, done=done, current=True, unmeasured=lacking)

    @classmethod
    def of(
        cls,
        search: Search,
        left: Sequence[Pack],
        workers: int,
        program: ProgramName,
        reason: str,
        *,
        once_more: bool = False,
    ) -> Progress:
        """At the start, with these packs left to train, by a program chosen for a reason."""
        done = search.counts()
        progress = cls(
            sum(map(len, left)) if once_more else done.total(),
            program,
            reason,
            done=done,
            workers=workers,
            forecast=Forecast(program, left),
            open_ended=search.open_ended,
            once_more=once_more,
        )
        del done["missing"]
        return progress

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.perf_counter() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Time left until all is trained; None before a pack has shown its pace."""
        return self.forecast.seconds()

    @property
    def ended(self) -> int:
        """How many of those planned have ended."""
        return self.trained if self.once_more else self.done.total()

    @property
    def share(self) -> float:
        """How much of what is planned is done, steps of packs under way included."""
        under_way = sum(p.trials * p.share for p in self.packs)
        return min((self.ended + under_way) / max(self.planned, 1), 1.0)

    @property
    def rate(self) -> float:
        """Trial-steps in a second, those of packs under way included."""
        return (self.trial_steps + sum(p.trial_steps for p in self.packs)) / self.seconds

    @property
    def packs(self) -> list[PackProgress]:
        """What each worker is at, in an order that stays."""
        lanes = enumerate(self.forecast.lanes, 1)
        return [PackProgress.of(n, lane, self.forecast) for n, lane in lanes if lane.running]

    def add(self, search: Search, ended: Pack, seconds: float, statuses: Mapping[str, str]) -> None:
        """Count trials that have ended, after some seconds; the search has been told of them.

        statuses  what has become of each, by its id; those that failed count for no steps
        """
        self.done = search.counts()
        if not self.once_more:
            self.planned = self.done.total()
        del self.done["missing"]
        self.trained += len(ended)
        steps = sum(t.configuration.steps for t in ended if statuses[t.id] != "failed")
        self.trial_steps += round(steps * (1.0 - self.forecast.resumed(ended)))
        self.forecast.ended(ended, seconds)
        if not self.once_more and (search.open_ended or not self.forecast.foreseen):
            # What is left at most, which is less whenever something is settled.
            self.forecast.expect(search.outlook(self.workers))


@dataclass(frozen=True)
class PackProgress:
    """What a worker is at.

    share         of its steps that the pack has taken; 0 where its kind does not say
    trial_steps   taken in this session
    preparing     whether its first step has not been taken
    seconds_left  until it ends; None where that is not known
    """

    worker: int
    trials: int
    seconds: float
    steps: int
    share: float
    trial_steps: int
    preparing: bool
    seconds_left: float | None

    @classmethod
    def of(cls, worker: int, lane: Lane, forecast: Forecast) -> PackProgress:
        """What there is to say of a worker that trains a pack."""
        one = lane.running
        assert one is not None
        clock, steps, trials = one.clock, one.pack[0].configuration.steps, len(one.pack)
        share = clock.share if clock else 0.0
        return cls(
            worker,
            trials,
            one.seconds,
            steps,
            share,
            round(max(share - forecast.resumed(one.pack), 0.0) * steps) * trials,
            clock is None or not clock.stepping,
            forecast.pack_left(lane),
        )


@contextmanager
def heartbeat(directory: RunDirectory, progress: Progress) -> Iterator[Beat]:
    """Keep `ganstudy status` informed of what is done, from one second to the next."""
    latest, last = 0.0, ""

    def beat(doing: str, running: Sequence[Running] = ()) -> None:
        nonlocal latest, last
        progress.forecast.watch(running)
        if doing == last and time.monotonic() - latest < 1.0:
            return
        latest, last = time.monotonic(), doing
        content = {
            "doing": doing,
            "seconds": progress.seconds,
            "trial_steps": round(progress.rate * progress.seconds),
            "seconds_left": progress.seconds_left,
            "open_ended": progress.open_ended,
            "packs": [asdict(pack) for pack in progress.packs],
        }
        # Where there is no room for it there is none for records, whose loss is to be told.
        with suppress(OSError):
            directory.write_heartbeat(content)

    try:
        yield beat
    finally:
        directory.remove_heartbeat()


@contextmanager
def recorded(
    directory: RunDirectory,
    study: str,
    progress: Progress,
    command: str,
    where: Where,
    observe: Callable[[Progress], None],
) -> Iterator[Callable[[Progress], None]]:
    """Note in environment.json what this session was asked, and how far it has come: before it
    trains, when the observer that is handed out is told that packs have landed, and as it ends. One
    that is killed has left its entry so.

    observe  is told what that observer is told

    Errors  `RunError` where the executor gives up; `OSError`, such as for a full disk.
    """
    asked = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "workers": where.workers,
        "devices": list(where.devices),
        "executor": where.executor,
    }
    before, noted, last = directory.read_environment(), 0, -math.inf

    def note() -> None:
        come = {"program": progress.program, "seconds": round(progress.seconds, 1)}
        come |= {"trials": progress.trained, "trial_steps": progress.trial_steps}
        directory.write_session(asked | come, study, before)

    def watching(progress: Progress) -> None:
        nonlocal noted, last
        if progress.trained > noted and time.monotonic() - last >= NOTED_EVERY:
            noted, last = progress.trained, time.monotonic()
            note()
        observe(progress)

    note()
    try:
        yield watching
    except ExecutorError as error:
        raise RunError(f"{directory.path}: {error}") from None
    finally:
        note()
