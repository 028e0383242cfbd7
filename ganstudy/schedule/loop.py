"""The loop that keeps every worker busy, whatever happens to some of them."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ganstudy.engine.checkpoints import NO_CHECKPOINTS, Checkpoints, steps_kept
from ganstudy.schedule.executor import Ended, Executor, Task
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

_BEAT = 0.2
"""Seconds within which an interruption, a time limit or a new worker is noticed."""

_log = logging.getLogger("ganstudy")


class Source(Protocol):
    """What packs are asked of, and what is told of their records: a search."""

    def ask(self, free_slots: int) -> list[Pack]:
        """Packs for workers that have nothing to do; empty if there are none now."""

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of the records of a pack."""


class Resumed:
    """Packs that are known beforehand, and behind them what a search asks for, if it is to ask.

    given  trials that have been handed out, by id
    """

    def __init__(self, packs: Sequence[Pack], search: Source, *, search_on: bool = True) -> None:
        self.given: dict[str, Trial[Kind]] = {}
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

    def tell(self, records: Iterable[Record]) -> None:
        """Tell the search."""
        self._search.tell(records)


@dataclass(frozen=True)
class Limits:
    """What a trial may take.

    seconds    a pack of n trials has n times as long
    gigabytes  that the worker may allocate, for the pack and itself
    """

    seconds: float | None = None
    gigabytes: float | None = None

    def of(self, pack: Pack) -> float:
        """Seconds that a pack may take."""
        return math.inf if self.seconds is None else self.seconds * len(pack)


@dataclass(frozen=True)
class Running:
    """A pack that a worker trains, since when, and from which step."""

    pack: Pack
    tries: int
    begun: int
    started: float = field(default_factory=time.monotonic)

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
) -> Iterator[list[Record]]:
    """Records of each pack as it ends, in no order.

    The source is asked when a worker is free and no pack waits, and told as records land.

    A pack that fails, by an exception, the death of its worker or the time limit, is split in
    halves until the trial at fault stands alone. That trial becomes a `failed` record with its
    cause: at once after an exception or at the time limit, and after `TRIES` deaths. Other packs
    are not touched. A pack that has got further than ever before when its worker died is not at
    fault, and is tried again as it is. After an interruption no pack begins, and those under way
    keep their state.

    Errors  `KeyboardInterrupt` at the end of an interrupted loop; `ExecutorError`.
    """
    interruption = interruption or Interruption()
    waiting: deque[tuple[Pack, int]] = deque()
    running: dict[Hashable, Running] = {}
    drained_at: float | None = None
    with interruption.minded():
        while True:
            room = 0 if interruption.asked else executor.room()
            if room > len(waiting):
                waiting.extend((pack, 1) for pack in source.ask(room - len(waiting)))
            for pack, tries in [waiting.popleft() for _ in range(min(room, len(waiting)))]:
                task = Task(pack, program, beside, checkpoints, limits.gigabytes)
                begun = steps_kept(checkpoints.folder, pack)
                running[executor.submit(task)] = Running(pack, tries, begun)
            if not running and (interruption.asked or (room and not waiting)):
                break
            if interruption.asked and drained_at is None:
                drained_at = time.monotonic()
                _log.warning("stopping: packs in flight keep their state; again to stop at once")
                executor.drain()
            if drained_at is not None and time.monotonic() - drained_at > DRAIN_SECONDS:
                _log.warning("stopping at once: packs took longer than %g s", DRAIN_SECONDS)
                break
            beat(tuple(running.values()))
            over = executor.wait(_BEAT)
            for handle in running.keys() - dict(over).keys():
                if running[handle].seconds > limits.of(running[handle].pack):
                    cause = f"TimeLimit: more than {limits.seconds:g} s\n\n{executor.kill(handle)}"
                    over.append((handle, Ended("raised", cause=cause)))
            for handle, ended in over:
                one = running.pop(handle)
                records = list(ended.records)
                if ended.how == "stopped":
                    waiting.appendleft((one.pack, one.tries))
                elif ended.how == "died" and steps_kept(checkpoints.folder, one.pack) > one.begun:
                    waiting.appendleft((one.pack, 1))
                elif ended.how != "trained":
                    records = _again_or_failed(one, ended, waiting, program)
                if records:
                    source.tell(records)
                    yield records
    if interruption.asked:
        raise KeyboardInterrupt


def _again_or_failed(
    one: Running, ended: Ended, waiting: deque[tuple[Pack, int]], program: ProgramName
) -> list[Record]:
    """Let what is left of a failed pack wait; the record of a trial that is not tried again."""
    if len(one.pack) > 1:
        middle = len(one.pack) // 2
        waiting.extendleft([(one.pack[middle:], 1), (one.pack[:middle], 1)])
    elif ended.how == "died" and one.tries < TRIES:
        waiting.appendleft((one.pack, one.tries + 1))
    else:
        tried = f"tried {one.tries} times; " if one.tries > 1 else ""
        return [Record.of_failure(one.pack[0], program, tried + ended.cause)]
    return []
