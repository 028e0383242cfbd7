"""Packing: which trials train together, and whether their step is worth compiling."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

from ganstudy.cause import cleaned, telling
from ganstudy.engine.pace import GUESS, GUESSED, Pace, shared
from ganstudy.family import canonical_json
from ganstudy.system import WINDOWS
from ganstudy.trial import Configuration, ProgramName, Trial

__all__ = [
    "PackSize",
    "beside_steps",
    "choose_program",
    "cost",
    "estimate",
    "packs",
    "why_no_compiler",
    "workers_worth",
]

TrialT = TypeVar("TrialT", bound=Trial)

PACKS_PER_WORKER = 4
"""Numbers that are tried, from one and from the fewest for which packs fit the caches."""

AS_DEAR_AS_TRIALS = 4
"""Trials of which a step costs what the calls of kernels cost, however many it is of: eight of
perceptrons of width 24 as written, three of width 32, none of width 128."""

WORTH_A_WORKER = 2.0
"""Seconds of work, by `cost`, for which one more worker is started."""

COMPILING = 2
"""Workers that a graph's compilation takes, by the guess that chooses the program: its D-step and
its M-step are made side by side. Not all there are: a trial has the same bits by any number."""


@dataclass(frozen=True)
class PackSize:
    """How many trials a pack may have; by default on a core of a CPU.

    working_set  bytes that the stack may read and write in one step: beyond what a core's share of
                 the caches holds, each trial takes longer
    largest      trials beyond which the price of a kernel call is spread thin enough
    multiple     what larger packs are a multiple of, so that no copies fill up a compiled one
    tile         trials that are computed at once of what a CPU computes trial by trial; copies fill
                 up the last tile
    asked        what the study says, which goes before both
    on_gpu       whether a GPU takes them
    """

    working_set: int = 8 * 2**20
    largest: int = 64
    multiple: int = 4
    tile: int = 1
    asked: int | None = None
    on_gpu: bool = False

    def most(self, working_set: int) -> int:
        """Most trials of one pack, each of which reads and writes so many bytes in a step.

        Two at least: a trial alone is computed with a copy beside it.
        """
        if self.asked:
            return self.asked
        most = max(2, min(self.working_set // working_set, self.largest))
        return most if most < self.multiple else most // self.multiple * self.multiple

    def most_of(self, configuration: Configuration) -> int:
        """Most trials of one pack; no more than on a CPU where a processor takes long over each,
        since they end together, and nothing is kept of them meanwhile.
        """
        own = configuration.working_set_on_gpu() if self.on_gpu else configuration.working_set()
        most = self.most(own)
        if configuration.on_processor:
            most = min(most, PackSize(asked=self.asked).most(configuration.working_set()))
        return most


def packs(
    trials: Iterable[TrialT],
    workers: int,
    size: PackSize = PackSize(),
    *,
    per_worker: int = PACKS_PER_WORKER,
) -> list[tuple[TrialT, ...]]:
    """Split trials into packs of one shape, costliest first so that workers finish together.

    A trial's numbers do not depend on its pack; only time and memory do. With the fewest packs
    stacks are widest, and with more of them workers wait less for each other; what ends sooner is
    taken.
    """
    alike: dict[str, list[TrialT]] = {}
    keys: dict[int, str] = {}  # the trials of a point share one configuration
    for trial in {trial.id: trial for trial in trials}.values():
        place = id(trial.configuration)
        if place not in keys:
            keys[place] = trial.configuration.pack_key()
        alike.setdefault(keys[place], []).append(trial)
    shapes = [_Shape.of(own, size) for own in alike.values()]
    fewest = max(1, -(-sum(-(-own.trials // own.most) for own in shapes) // workers))
    numbers = {first + more for first in (1, fewest) for more in range(per_worker)}
    ways = [_counts(shapes, workers, number, size) for number in sorted(numbers)]
    counts = min(ways, key=lambda way: _end(shapes, way, workers, size))
    result: list[tuple[TrialT, ...]] = []
    for own, count in zip(alike.values(), counts, strict=True):
        # By seeds: arms of one seed see the same batches, which a pack draws once.
        by_seed = sorted(own, key=lambda trial: trial.seed)
        ends = [len(own) * part // count for part in range(count + 1)]
        result += [tuple(by_seed[first:last]) for first, last in pairwise(ends)]
    return sorted(result, key=cost, reverse=True)


class _Shape(NamedTuple):
    """Trials that may train together: how many, the cost of one, and most of them in a pack."""

    trials: int
    cost: float
    most: int
    graph: str
    as_written: bool

    @classmethod
    def of(cls, trials: Sequence[Trial], size: PackSize) -> _Shape:
        own = trials[0].configuration
        most = size.most_of(own)
        return cls(len(trials), float(own.cost()), most, own.graph_key(), bool(own.as_written))


def _counts(shapes: Sequence[_Shape], workers: int, per_worker: int, size: PackSize) -> list[int]:
    """Into how many packs each shape is cut, for some packs for each worker of all together."""
    total = sum(own.trials * own.cost for own in shapes)
    sizes: dict[str, int] = {}
    for own in shapes:
        most = own.most
        if size.asked is None:
            share = total / (workers * per_worker) / own.cost
            # The sum's rounding asks for no trial more.
            least = max(math.ceil(share - 1e-9), 2)
            if own.as_written:
                least += -least % size.tile
            most = min(most, least)
            # A copy of what is computed trial by trial costs nothing, and a pair its double time.
            if own.as_written and size.tile == 1 and 2 * own.cost > total / workers:
                most = 1
        # Shapes that run the same compiled steps are cut to one size, so that one graph serves all.
        sizes[own.graph] = min(most, sizes.get(own.graph, most))
    return [-(-own.trials // sizes[own.graph]) for own in shapes]


def _end(shapes: Sequence[_Shape], counts: Sequence[int], workers: int, size: PackSize) -> float:
    """When the last of some workers has trained its last pack, by `cost`, copies that fill up a
    pack included, and the calls of steps.
    """
    taken: list[float] = []
    for own, count in zip(shapes, counts, strict=True):
        whole, larger = divmod(own.trials, count)
        filled = size.tile if own.as_written else size.multiple
        sizes = [whole + 1] * larger + [whole] * (count - larger)
        taken += [(trials + -trials % filled + AS_DEAR_AS_TRIALS) * own.cost for trials in sizes]
    return shared(sorted(taken, reverse=True), workers)


def cost(pack: Sequence[Trial]) -> float:
    """Seconds of a pack on one core of the machine of `pace.GUESSED`, as its step is written."""
    return len(pack) * float(pack[0].configuration.cost())


def beside_steps(pack: Sequence[Trial], pace: Pace = GUESS) -> float:
    """Seconds on one core that a pack takes beside the `cost` of its steps, by any program.

    Its records, where they are dear, and members that all trials compute and some use. They are no
    part of `cost`, by which packs are cut and programs chosen.
    """
    first = pack[0].configuration
    members = {
        (member.name, canonical_json(member.structure()))
        for trial in pack
        for member in trial.configuration.masked()
    }
    each = first.recording() + max(len(members) - 1, 0) * first.masking()
    return len(pack) * each * pace.step("eager", first.work) / GUESSED["eager"]


def workers_worth(parts: Sequence[Sequence[Trial]], workers: int) -> int:
    """How many of some workers packs are worth, one at least.

    A worker takes a second of a core to start, in which what gathers and draws can be imported.
    """
    seconds = sum(cost(pack) + beside_steps(pack) for pack in parts)
    return max(1, min(workers, len(parts), 1 + int(seconds / WORTH_A_WORKER)))


def estimate(
    parts: Sequence[Sequence[Trial]],
    workers: int,
    program: ProgramName = "eager",
    pace: Pace = GUESS,
) -> float:
    """Seconds that packs take on some workers at a pace, each taken by whoever is free."""
    if not parts:
        return 0.0
    own = (
        cost(pack) * pace.step(program, pack[0].configuration.work) + beside_steps(pack, pace)
        for pack in parts
    )
    seconds = shared(own, workers) + pace.start
    if program == "compiled":
        seconds += pace.graph * len({pack[0].configuration.graph_key() for pack in parts})
    return seconds


def choose_program(parts: Sequence[Sequence[Trial]]) -> tuple[ProgramName, str]:
    """Compiled where that pays and can be done at all, and why in a few words.

    All trials are trained alike: one that can only be computed as it is written decides for all.

    By the same guess on every machine, however trials are cut into packs, and for how many workers:
    the same study would have other bits from one day, or one command, to the next.
    """
    for part in parts:
        if reason := part[0].configuration.as_written:
            return "eager", reason
    if not any(trial.configuration.compiles for part in parts for trial in part):
        return "eager", "there is nothing to compile"
    if not _pays(parts):
        return "eager", "too little work to pay for compilation"
    if trouble := why_no_compiler():
        return "eager", trouble
    return "compiled", "the work pays for compilation"


def _pays(parts: Sequence[Sequence[Trial]]) -> bool:
    """Whether compiled steps save more work than compilation takes.

    Trials of one pack may differ in what they cost, and whichever comes first speaks for none.
    """
    shared_by = Counter(id(trial.configuration) for pack in parts for trial in pack)
    each = {id(trial.configuration): trial.configuration for pack in parts for trial in pack}
    work = math.fsum(shared_by[own] * float(each[own].cost()) for own in each)
    graphs = {pack[0].configuration.graph_key() for pack in parts}
    saved = (GUESSED["eager"] - GUESSED["compiled"]) * work
    return saved > GUESS.graph * len(graphs) * COMPILING


@functools.cache
def why_no_compiler() -> str:
    """What keeps a C++ compiler from making what a process can load; empty if nothing does.

    Compiled steps need one on a CPU, with Python's headers.
    """
    if WINDOWS:
        return "steps are not compiled on Windows"
    name = os.environ.get("CXX", "g++")
    if (compiler := shutil.which(name)) is None:
        return f"there is no C++ compiler {name!r}"
    source = "#include <Python.h>\n#include <cmath>\n" + _ANSWER
    with tempfile.TemporaryDirectory(prefix="ganstudy-") as folder:
        library = Path(folder) / "answer.so"
        command = [compiler, "-x", "c++", "-shared", "-fPIC", "-O1", "-"]
        command += [f"-I{sysconfig.get_path('include')}", "-o", str(library)]
        try:
            made = subprocess.run(
                command, input=source.encode(), capture_output=True, check=False, timeout=60.0
            )
            if made.returncode:
                said = made.stderr.decode(errors="replace").strip().splitlines() or [""]
                return f"the C++ compiler {name!r} fails: {telling(cleaned(said[0]))}"
            if ctypes.CDLL(str(library)).answer(ctypes.c_int(6)) != 42:
                return f"the C++ compiler {name!r} makes code that computes wrongly"
        except (OSError, subprocess.SubprocessError, AttributeError) as error:
            return f"what the C++ compiler {name!r} makes cannot be used: {cleaned(str(error))}"
    return ""


_ANSWER = """extern "C" int answer(int x) { return (int) std::lround(x * std::sqrt(49.0)); }\n"""
