"""The time that is left of a run, from what its packs have shown so far."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ganstudy.engine import pace

if TYPE_CHECKING:
    from ganstudy.kinds import Pack
    from ganstudy.schedule.loop import Running
    from ganstudy.trial import ProgramName

__all__ = ["Forecast", "Lane"]

HALF_LIFE = 60.0
"""Seconds after which what a pack has shown counts half: what else a machine does changes."""


class _Shape(NamedTuple):
    """What packs that take equally long have in common, and the cost of one trial by a program."""

    key: str
    graph: str
    work: str
    cost: float

    @classmethod
    def of(cls, pack: Pack, program: ProgramName) -> _Shape:
        own = pack[0].configuration
        cost = own.compiled_cost() if program == "compiled" else own.cost()
        return cls(own.pack_key(), own.graph_key(), own.work, cost)

    @property
    def paces(self) -> tuple[str, ...]:
        """Names of the paces by which such packs may go, the nearest first; of all, the empty."""
        return self.key, self.graph, self.work, ""


_Preparation = Literal["none", "further", "first"]
"""What a worker does before the first step: its first architecture takes it longest."""


class _Took(NamedTuple):
    """What was trained of a pack, in `cost`, in how many seconds, and when that was heard."""

    shape: _Shape
    done: float
    seconds: float
    heard: float


@dataclass
class _Shown:
    """What was trained, in `cost`, and in how many seconds, at a moment: by shape, by architecture,
    by what they are made of, and of all; what was heard a half-life before the moment counts half.
    """

    now: float = -math.inf
    done: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)

    def at(self, now: float) -> _Shown:
        """The same at a later moment."""
        faded = 0.5 ** ((now - self.now) / HALF_LIFE)
        done, took = ({n: faded * x for n, x in own.items()} for own in (self.done, self.took))
        return _Shown(now, done, took)

    def add(self, own: _Took) -> None:
        """Count a pack, if it has said how far it is."""
        if own.done > 0.0:
            weight = 0.5 ** ((self.now - own.heard) / HALF_LIFE)
            for name in own.shape.paces:
                self.done[name] = self.done.get(name, 0.0) + weight * own.done
                self.took[name] = self.took.get(name, 0.0) + weight * own.seconds


@dataclass
class Lane:
    """What a worker does: it is free, or trains a pack.

    graphs  architectures whose steps it has prepared, which takes a compiler long
    """

    running: Running | None = None
    graphs: set[str] = field(default_factory=set)
    _shape: _Shape | None = None
    _preparation: _Preparation = "none"

    def begin(self, one: Running, shape: _Shape) -> None:
        """Its worker begins a pack."""
        self.running, self._shape = one, shape
        self._preparation = _preparation(self._shape.graph, self.graphs)
        self.graphs.add(self._shape.graph)


class Forecast:
    """Seconds until the last pack will have ended.

    Workers take the packs that are left in their order, each as soon as it is free. Steps of a pack
    under way go on at the pace that it has shown; those of a pack that waits, at that of packs of
    its shape, else of its architecture, else made of the same networks, else of all.

    left      packs that have not begun
    lanes     the workers that have been seen at work
    foreseen  whether all that has begun since it was last said what is left was among that, or
              begins once more
    """

    def __init__(self, program: ProgramName, left: Iterable[Pack]) -> None:
        # Before any worker of this run has shown it.
        self._program = program
        self._graph = pace.known().graph if program == "compiled" else 0.0
        self.lanes: list[Lane] = []
        self._begun: set[str] = set()
        # Share of its steps that a trial had taken before this session.
        self._since: dict[str, float] = {}
        # Of packs under way, and together of those that have ended, however many they are.
        self._took: dict[tuple[str, float], _Took] = {}
        self._ended = _Shown()
        self._prepared: dict[_Preparation, list[float]] = {}
        self.expect(left)

    def expect(self, left: Iterable[Pack]) -> None:
        """These packs are left, and those under way if they are among them are not."""
        self.foreseen = True
        running = {t.id for lane in self.lanes if lane.running for t in lane.running.pack}
        self._left: list[tuple[_Shape, set[str]]] = []
        self._place: dict[str, set[str]] = {}
        for pack in left:
            if waiting := {trial.id for trial in pack} - running:
                self._left.append((_Shape.of(pack, self._program), waiting))
                self._place.update(dict.fromkeys(waiting, waiting))

    def watch(self, running: Sequence[Running]) -> None:
        """Take note of the packs under way, and of what their workers say of them."""
        now = {_name(one): one for one in running}
        for lane in self.lanes:
            if lane.running is not None:
                lane.running = now.pop(_name(lane.running), None)
        for one in now.values():
            self._begin(one)
        for lane in self.lanes:
            self._learn(lane)

    def _begin(self, one: Running) -> None:
        lane = next((lane for lane in self.lanes if lane.running is None), None)
        if lane is None:
            lane = Lane()
            self.lanes.append(lane)
        lane.begin(one, _Shape.of(one.pack, self._program))
        for trial in one.pack:
            if (waiting := self._place.pop(trial.id, None)) is not None:
                waiting.discard(trial.id)
            elif trial.id not in self._begun:
                self.foreseen = False
            self._begun.add(trial.id)

    def _learn(self, lane: Lane) -> None:
        one, shape = lane.running, lane._shape
        if one is None or shape is None or one.clock is None or not one.clock.stepping:
            return
        name, clock = _name(one), one.clock
        if name not in self._took:
            seconds = clock.first_heard - one.started
            self._prepared.setdefault(lane._preparation, []).append(seconds)
        for trial in one.pack:  # what is tried once more continues from what this session has kept
            self._since[trial.id] = min(self._since.get(trial.id, 1.0), clock.resumed)
        share, seconds = clock.lately
        done = share * len(one.pack) * shape.cost
        self._took[name] = _Took(shape, done, seconds, clock.heard)

    def resumed(self, pack: Pack) -> float:
        """Share of its steps that a pack had taken before this session, by what workers said."""
        return max(self._since.get(trial.id, 0.0) for trial in pack)

    def ended(self, pack: Pack, seconds: float, now: float | None = None) -> None:
        """A pack has ended after some seconds; if it has never said how far it is, they count."""
        now = time.monotonic() if now is None else now
        for lane in self._lanes_of(pack):
            # Else its steps count twice until the workers are looked at again.
            lane.running = None
        said = [self._took.pop(name) for name in [*self._took] if name[0] == pack[0].id]
        if not any(own.done for own in said):
            shape = _Shape.of(pack, self._program)
            said = [_Took(shape, len(pack) * shape.cost, seconds, now)]
        self._ended = self._ended.at(now)
        for own in said:
            self._ended.add(own)

    def _lanes_of(self, pack: Pack) -> list[Lane]:
        """Of the workers that train some of its trials."""
        ids = {trial.id for trial in pack}
        packs = [(lane, lane.running.pack if lane.running else ()) for lane in self.lanes]
        return [lane for lane, own in packs if not ids.isdisjoint(trial.id for trial in own)]

    def pack_left(self, lane: Lane, now: float | None = None) -> float | None:
        """Seconds until the pack of a worker will have ended; None if nothing is known."""
        one, shape = lane.running, lane._shape
        now = time.monotonic() if now is None else now
        if one is None or shape is None:
            return 0.0
        clock = one.clock
        if clock is not None and clock.rate:
            return max((1.0 - clock.share) / clock.rate - (now - clock.heard), 0.0)
        own = _of(shape, self._paces(now))
        if own is None:
            return None
        seconds = len(one.pack) * shape.cost * own
        if clock is not None and clock.stepping:
            return max(seconds * (1.0 - clock.share) - (now - clock.heard), 0.0)
        return max(seconds + self._preparation(lane._preparation) - (now - one.started), 0.0)

    def seconds(self, now: float | None = None) -> float | None:
        """Seconds until the last pack will have ended; None before any pack has shown its pace."""
        now = time.monotonic() if now is None else now
        working = [lane for lane in self.lanes if lane.running] or self.lanes
        free = [(self.pack_left(lane, now), number) for number, lane in enumerate(working)]
        if not free or any(seconds is None for seconds, _ in free):
            return None
        heap = [(seconds or 0.0, number) for seconds, number in free]
        heapq.heapify(heap)
        graphs, paces = [set(lane.graphs) for lane in working], self._paces(now)
        # Once for all that wait: it is the mean of what all packs have shown.
        preparations = {what: self._preparation(what) for what in get_args(_Preparation)}
        for shape, waiting in self._left:
            own = _of(shape, paces)
            if waiting and own is not None:
                at, number = heap[0]
                at += preparations[_preparation(shape.graph, graphs[number])]
                graphs[number].add(shape.graph)
                heapq.heapreplace(heap, (at + len(waiting) * shape.cost * own, number))
        return max(at for at, _ in heap)

    def _paces(self, now: float) -> dict[str, float]:
        """Seconds for each second of `cost`: by the names of `_Shape.paces`."""
        shown = self._ended.at(now)
        for own in self._took.values():
            shown.add(own)
        return {name: shown.took[name] / done for name, done in shown.done.items() if done > 0.0}

    def _preparation(self, what: _Preparation) -> float:
        """Seconds before the first step of a pack."""
        if seen := self._prepared.get(what):
            return fmean(seen)
        # Half of that is for what a compiler does once: a guess, until a worker has shown it.
        further = min([self._graph, *self._prepared.get("first", [])]) / 2
        return {"none": 0.0, "further": further, "first": self._graph}[what]


def _preparation(graph: str, graphs: set[str]) -> _Preparation:
    if graph in graphs:
        return "none"
    return "further" if graphs else "first"


def _of(shape: _Shape, paces: Mapping[str, float]) -> float | None:
    return next((paces[name] for name in shape.paces if name in paces), None)


def _name(one: Running) -> tuple[str, float]:
    return one.pack[0].id, one.started
