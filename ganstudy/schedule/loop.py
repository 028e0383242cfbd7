"""The loop that keeps every worker busy, whatever happens to some of them."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ganstudy.cause import telling
from ganstudy.engine.checkpoints import NO_CHECKPOINTS, Checkpoints, forget, steps_kept
from ganstudy.schedule.clock import Clock
from ganstudy.schedule.executor import (
    CompilerError,
    Ended,
    Executor,
    ExecutorError,
    Task,
    is_for_memory,
)
from ganstudy.schedule.interruption import Interruption
from ganstudy.trial import Record

if TYPE_CHECKING:
    from ganstudy.family import Member
    from ganstudy.kinds import Kind, Pack
    from ganstudy.trial import ProgramName, Trial

__all__ = ["DRAIN_SECONDS", "TRIES", "Limits", "Resumed", "Running", "Source", "train_packs"]

TRIES = 3
"""How often a trial that ends its worker is tried before it is recorded as failed."""

DRAIN_SECONDS = 30.0
"""How long packs may take to stop: a step and a checkpoint. A compilation may take longer, but a
pack that still compiles has no state to lose."""

COMPILE_SECONDS = 600.0
"""How long a compilation may take, on top of the time limit."""

_BEAT = 0.2
"""Seconds within which an interruption, a time limit or a new worker is noticed."""

_NOTHING: Iterator[object] = iter(())

_ALL_DONE = object()

_log = logging.getLogger("ganstudy")


class Source(Protocol):
    """What packs are asked of: a search."""

    def ask(self, free_slots: int) -> list[Pack]:
        """Packs for workers that have nothing to do; empty if there are none now."""


class Resumed:
    """Packs that are known beforehand, and behind them what a search asks for, if it is to ask.

    given       trials that have been handed out, by id
    beforehand  ids of those in packs that are known beforehand
    """

    def __init__(self, packs: Sequence[Pack], search: Source, *, search_on: bool = True) -> None:
        self.given: dict[str, Trial[Kind]] = {}
        self.beforehand = {trial.id for pack in packs for trial in pack}
        self._packs = list(packs)
        self._search = search
        self._search_on = search_on

    def ask(self, free_slots: int) -> list[Pack]:
        """All packs that are known, once; then those of the search."""
        packs, self._packs = self._packs, []
        if not packs and self._search_on:
            packs = self._search.ask(free_slots)
        self.given.update((trial.id, trial) for pack in packs for trial in pack)
        return packs

    def begin_again(self, packs: Sequence[Pack]) -> None:
        """Hand out trials once more that have been handed out, and not trained."""
        self._packs = list(packs)


@dataclass(frozen=True)
class Limits:
    """What a trial may take.

    seconds    from its first step, which may compile, to its last
    gigabytes  of 2^30 bytes, that the worker may allocate, for the pack and itself
    """

    seconds: float | None = None
    gigabytes: float | None = None

    def passed(self, clock: Clock | None, program: ProgramName) -> bool:
        """Whether a pack has trained for longer than each of its trials may."""
        if self.seconds is None or clock is None:
            return False
        compiles = program == "compiled" and not clock.stepping
        return clock.seconds > self.seconds + (COMPILE_SECONDS if compiles else 0.0)


@dataclass(frozen=True)
class Waiting:
    """A pack that waits for a worker, or for one that has trained nothing before.

    reached  steps after which a worker of this session has kept its state
    """

    pack: Pack
    tries: int = 1
    fresh: bool = False
    reached: int = 0


@dataclass(frozen=True)
class Running:
    """A pack that a worker trains, since when, and from which step if it can continue.

    clock    what its worker has said of it; None before it has begun
    known    digests of the states that there were, which may be of another program or machine
    reached  as of `Waiting`
    """

    pack: Pack
    tries: int
    begun: int
    fresh: bool = False
    started: float = field(default_factory=time.monotonic)
    clock: Clock | None = None
    known: Collection[str] = ()
    reached: int = 0

    @classmethod
    def of(cls, due: Waiting, folder: Path | None) -> Running:
        """A pack that is handed out now."""
        kept = steps_kept(folder, due.pack)
        begun = max(kept.values(), default=0)
        return cls(due.pack, due.tries, begun, due.fresh, known={*kept}, reached=due.reached)

    def further(self, folder: Path | None) -> int:
        """Steps after which it has kept its state since, if no worker of this session had got so
        far; else 0.
        """
        kept = steps_kept(folder, self.pack)
        steps = max((step for own, step in kept.items() if own not in self.known), default=0)
        return steps if steps > self.reached else 0

    @property
    def seconds(self) -> float:
        """How long it has been trained."""
        return time.monotonic() - self.started


def train_packs(
    source: Source,
    executor: Executor,
    program: ProgramName = "eager",
    beside: tuple[Member, ...] = (),
    *,
    checkpoints: Checkpoints = NO_CHECKPOINTS,
    limits: Limits = Limits(),
    interruption: Interruption | None = None,
    beat: Callable[[Sequence[Running]], None] = lambda running: None,
    meanwhile: Iterator[object] = _NOTHING,
) -> Iterator[list[Record]]:
    """Records of each pack as it ends, in no order.

    The source is asked when a worker is free and no pack waits; who takes records tells the search
    of what is kept, before the next ones. The parts of `meanwhile` are done in between, one after
    each look at the workers.

    A pack that fails, by an exception, the death of its worker or the time limit, is split in
    halves until the trial at fault stands alone. That trial becomes a `failed` record with its
    cause: after an exception in a worker that has trained nothing else, at the time limit if it has
    trained alone from its beginning, and after `TRIES` deaths. Other packs are not touched. A pack
    that has got further than ever before when its worker died is not at fault, and is tried again
    as it is. After an interruption no pack begins, and those under way keep their state.

    Errors  `KeyboardInterrupt` at the end of an interrupted loop; `ExecutorError`, for a limit of
            memory as well under which no worker can train; `CompilerError` where a pack cannot be
            compiled, which is no fault of its trials.
    """
    interruption = interruption or Interruption()
    waiting: deque[Waiting] = deque()
    confirmed: set[str] = set()
    running: dict[Hashable, Running] = {}
    drained_at: float | None = None
    with interruption.minded():
        while True:
            room = 0 if interruption.asked else executor.room()
            if room > len(waiting):
                # By all that will be free: the first worker to be ready must not get it all.
                slots = max(room, executor.workers - len(running))
                waiting.extend(map(Waiting, source.ask(slots - len(waiting))))
            for due in [waiting.popleft() for _ in range(min(room, len(waiting)))]:
                task = Task(due.pack, program, beside, checkpoints, limits.gigabytes, due.fresh)
                one = Running.of(due, checkpoints.folder)
                running[executor.submit(task)] = one
            if not running and (interruption.asked or (room and not waiting)):
                break
            if interruption.asked and drained_at is None:
                drained_at = time.monotonic()
                _log.warning("stopping: packs in flight keep their state; again to stop at once")
                executor.drain()
            if drained_at is not None and time.monotonic() - drained_at > DRAIN_SECONDS:
                _log.warning("stopping at once: packs took longer than %g s", DRAIN_SECONDS)
                break
            beat([replace(one, clock=executor.clock(h)) for h, one in running.items()])
            wait = 0.0 if next(meanwhile, _ALL_DONE) is not _ALL_DONE else _BEAT
            for handle, ended in _over(executor, running, limits, program, wait):
                one = running.pop(handle)
                records = _kept(one, ended, waiting, confirmed, checkpoints.folder, program)
                if records:
                    yield records
    if interruption.asked:
        raise KeyboardInterrupt


def _over(
    executor: Executor,
    running: Mapping[Hashable, Running],
    limits: Limits,
    program: ProgramName,
    wait: float,
) -> list[tuple[Hashable, Ended]]:
    """What has ended by itself after a moment, and what has been ended for taking too long."""
    over = executor.wait(wait)
    under_way = running.keys() - dict(over).keys()
    # All clocks are read before the first kill, which may take seconds: others end meanwhile.
    late = [one for one in under_way if limits.passed(executor.clock(one), program)]
    for handle in late:
        cause = f"TimeLimit: more than {limits.seconds:g} s\n\n{executor.kill(handle)}"
        over.append((handle, Ended("late", cause=cause)))
    return over


def _kept(
    one: Running,
    ended: Ended,
    waiting: deque[Waiting],
    confirmed: set[str],
    folder: Path | None,
    program: ProgramName,
) -> list[Record]:
    """The records of a pack that has ended; what is to be trained again waits."""
    if ended.how == "uncompiled":
        raise CompilerError(f"compiled steps cannot be made: {telling(ended.cause)}")
    if ended.how == "unable":
        raise ExecutorError(ended.cause)
    if ended.how == "trained":
        return list(ended.records)
    if ended.how == "stopped":
        if ended.is_for_worker:
            _log.warning("%s; a worker is started anew", ended.cause)
        waiting.appendleft(Waiting(one.pack, one.tries, reached=one.reached))
    elif ended.how == "died" and (further := one.further(folder)):
        waiting.appendleft(Waiting(one.pack, reached=further))
    else:
        if ended.how == "late":  # what a trial needs is what it needs alone, from its beginning
            forget(folder, one.pack)
        if not (retried := again(one, ended, confirmed)):
            return [_failed(one, ended, program)]
        waiting.extendleft(reversed(retried))
    return []


def again(one: Running, ended: Ended, confirmed: set[str]) -> list[Waiting]:
    """What of a failed pack is tried once more; nothing if its one trial is at fault.

    confirmed   causes for which trials have failed in workers that had trained nothing else: a
                trial that fails for one of them is believed to do so of itself
    """
    if len(one.pack) > 1:
        middle = len(one.pack) // 2
        return [Waiting(one.pack[:middle]), Waiting(one.pack[middle:])]
    if ended.how == "late":
        return [Waiting(one.pack)] if one.begun else []
    if ended.how == "died":
        once_more = Waiting(one.pack, one.tries + 1, reached=one.reached)
        return [once_more] if one.tries < TRIES else []
    # Not every executor has a worker that has trained nothing; what memory others have left in one
    # that has is told by several.
    alone = ended.fresh or (one.fresh and (one.tries >= TRIES or not is_for_memory(ended)))
    if not is_for_memory(ended):
        if alone:
            confirmed.add(telling(ended.cause))
        elif telling(ended.cause) in confirmed:
            return []
    return [] if alone else [Waiting(one.pack, one.tries + one.fresh, fresh=True)]


def _failed(one: Running, ended: Ended, program: ProgramName) -> Record:
    tried = f"tried {one.tries} times; " if ended.how == "died" and one.tries > 1 else ""
    return Record.of_failure(one.pack[0], program, tried + ended.cause)
