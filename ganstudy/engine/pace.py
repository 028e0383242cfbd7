"""Pace: how fast this machine trains, as its own runs have shown; a guess before the first."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import metadata
from itertools import chain
from pathlib import Path
from statistics import geometric_mean, median

from pydantic import PositiveFloat, TypeAdapter, ValidationError

from ganstudy import machine_cache
from ganstudy.processor import processor
from ganstudy.trial import ProgramName
from ganstudy.whole_file import write_whole

__all__ = ["GUESS", "GUESSED", "Pace", "Trained", "known", "learn", "shared"]

ENOUGH = 5.0
"""Seconds of `cost` below which a run says nothing about the pace."""


GUESSED: Mapping[ProgramName, float] = {"eager": 1.0, "compiled": 0.4, "portable": 1.2}
"""Seconds for each second that a `cost` says, by two cores of a Xeon of 2023, with packs of 20
perceptrons of widths 16 and 64."""


@dataclass(frozen=True)
class Pace:
    """Seconds that things take.

    graph  for the compilation of one architecture's steps, in each worker
    start  before the first pack trains
    steps  for each second that a configuration's `cost` says, as measured, by program and `work`
    """

    graph: float
    start: float
    steps: Mapping[ProgramName, Mapping[str, PositiveFloat]] = field(default_factory=dict)

    def step(self, program: ProgramName, work: str) -> float:
        """Seconds for each second that a `cost` says; of work that has not been measured, at the
        pace of what has, by the same program.
        """
        known = self.steps.get(program, {})
        if work in known:
            return known[work]
        return geometric_mean(known.values()) if known else GUESSED[program]

    def measured(self, program: ProgramName, work: str) -> bool:
        """Whether such work has been seen on this machine."""
        return work in self.steps.get(program, {})


GUESS = Pace(graph=40.0, start=5.0)
"""On the machine of `GUESSED`."""


@dataclass
class Trained:
    """What the packs of a session took: of each work, for each graph, pairs of cost and seconds."""

    by_work: dict[str, dict[str, list[tuple[float, float]]]] = field(default_factory=dict)

    def add(self, work: str, graph: str, cost: float, seconds: float) -> None:
        """Count a pack that was trained to its end."""
        self.by_work.setdefault(work, {}).setdefault(graph, []).append((cost, seconds))

    def steps(self, program: ProgramName, workers: int) -> dict[str, float]:
        """Seconds for each second of cost, of each work of which enough was trained to tell.

        A graph's packs that came after each worker had compiled it show the pace of its steps.
        """
        found = {}
        for work, graphs in self.by_work.items():
            parts = [*graphs.values()]
            if program == "compiled":
                parts = [_quickest(own, workers) for own in parts if len(own) > workers]
            cost = math.fsum(cost for own in parts for cost, _ in own)
            seconds = math.fsum(seconds for own in parts for _, seconds in own)
            # None is left where what stands beside the steps was thought dearer than it is.
            if cost >= ENOUGH and seconds > 0.0:
                found[work] = seconds / cost
        return found

    def graph(self, steps: Mapping[str, float]) -> float | None:
        """Seconds that the first pack of a graph took beyond its steps, at paces of work."""
        first = [
            max(seconds - pace * cost for cost, seconds in own)
            for work, pace in steps.items()
            for own in self.by_work[work].values()
        ]
        return median(first) if first and median(first) > 0 else None

    def seconds(self, workers: int) -> float:
        """All of them, shared by workers."""
        packs = chain.from_iterable(graphs.values() for graphs in self.by_work.values())
        every = (seconds for own in packs for _, seconds in own)
        return shared(sorted(every, reverse=True), workers)


def _quickest(packs: Iterable[tuple[float, float]], workers: int) -> list[tuple[float, float]]:
    return sorted(packs, key=lambda own: own[1] / own[0])[:-workers]


def shared(parts: Iterable[float], workers: int) -> float:
    """Seconds until all parts are done, each taken in order by the worker that is free first."""
    busy = [0.0] * workers
    for seconds in parts:
        heapq.heapreplace(busy, busy[0] + seconds)
    return max(busy)


def known() -> Pace:
    """That of this processor and this build of torch, or the guess."""
    try:
        return TypeAdapter(Pace).validate_python(_read()[_machine()])
    except (KeyError, ValidationError):  # nothing yet, or of another version
        return GUESS


def learn(trained: Trained, program: ProgramName, workers: int, wall: float) -> None:
    """Keep what a session has shown, where the compiler keeps its graphs.

    wall  seconds from the start of the workers to the end of the last pack
    """
    before, shown = known(), trained.steps(program, workers)
    if not shown:
        return
    seen = before.steps.get(program, {})
    steps = {w: _between(seen.get(w, now), now, w in seen) for w, now in shown.items()}
    graph = trained.graph(shown) if program == "compiled" else None
    start = max(wall - trained.seconds(workers), 0.0)
    after = Pace(
        before.graph if graph is None else _between(before.graph, graph, bool(seen)),
        _between(before.start, start, bool(before.steps)),
        {**before.steps, program: {**seen, **steps}},
    )
    content = {**_read(), _machine(): asdict(after)}
    # An estimate is not worth a run's failure.
    with suppress(OSError):
        machine_cache.folder(made=True)
        write_whole(_path(), json.dumps(content, indent=2).encode(), durable=False)


def _between(before: float, now: float, seen: bool) -> float:
    """Half of what was known, so that one run on a busy machine does not decide."""
    return math.sqrt(max(before, 1e-3) * max(now, 1e-3)) if seen else now


def _machine() -> str:
    return f"{processor()}, torch {metadata.version('torch')}"


def _path() -> Path:
    return machine_cache.folder() / "ganstudy_pace.json"


def _read() -> dict[str, dict[str, object]]:
    try:
        content = json.loads(_path().read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
