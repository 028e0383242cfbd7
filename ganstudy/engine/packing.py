"""Packing: which trials train together, and whether their step is worth compiling."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Sequence
from typing import TypeVar

from ganstudy.trial import ProgramName, Trial

__all__ = ["choose_program", "cost", "estimate", "packs"]

TrialT = TypeVar("TrialT", bound=Trial)

WORKING_SET = 20 * 2**20
"""Bytes that a stack may read and write in one step; wider stacks gain nothing measurable."""
LARGEST = 64
"""Beyond this many trials the price of a kernel call is spread thin enough."""
PACKS_PER_WORKER = 2
"""Enough packs that workers which finish early find another, few enough to keep stacks wide."""

# Measured on two cores of a Xeon of 2023, with packs of 20 and widths 16 and 64.
COMPILED_SPEED = 2.5
SECONDS_PER_GRAPH = 40.0


def packs(
    trials: Iterable[TrialT],
    workers: int,
    largest: int | None = None,
    *,
    per_worker: int = PACKS_PER_WORKER,
) -> list[tuple[TrialT, ...]]:
    """Split trials into packs of one shape, costliest first so that workers finish together.

    A trial's numbers do not depend on its pack; only time and memory do. `largest` overrides the
    bound on the number of trials in a pack; with one pack for each worker stacks are widest.
    """
    shapes: dict[str, list[TrialT]] = {}
    keys: dict[int, str] = {}  # the trials of a point share one configuration
    for trial in {trial.id: trial for trial in trials}.values():
        place = id(trial.configuration)
        if place not in keys:
            keys[place] = trial.configuration.pack_key()
        shapes.setdefault(keys[place], []).append(trial)
    total = sum(len(own) * own[0].configuration.cost() for own in shapes.values())
    share = total / (workers * per_worker)
    bounds: dict[str, int] = {}
    for own in shapes.values():
        configuration = own[0].configuration
        fitting = int(WORKING_SET // configuration.working_set())
        fair = max(round(share / configuration.cost()), 2)
        bound = largest or max(1, min(fitting, LARGEST, fair))
        # Shapes that run the same compiled steps are cut to one size, so that one graph serves all.
        graph = configuration.graph_key()
        bounds[graph] = min(bound, bounds.get(graph, bound))
    result: list[tuple[TrialT, ...]] = []
    for own in shapes.values():
        count = -(-len(own) // bounds[own[0].configuration.graph_key()])
        # Dealt out, not cut: every pack has trials of every arm.
        result += [tuple(own[part::count]) for part in range(count)]
    return sorted(result, key=cost, reverse=True)


def cost(pack: Sequence[Trial]) -> float:
    """Rough seconds of a pack on one core, not compiled."""
    return len(pack) * float(pack[0].configuration.cost())


def estimate(
    parts: Sequence[Sequence[Trial]], workers: int, program: ProgramName = "eager"
) -> float:
    """Rough seconds that packs take on some workers, within a factor of two or so."""
    seconds = sum(map(cost, parts))
    if program == "compiled":
        graphs = {pack[0].configuration.graph_key() for pack in parts}
        seconds = seconds / COMPILED_SPEED + SECONDS_PER_GRAPH * len(graphs) * workers
    return seconds / workers


def choose_program(parts: Sequence[Sequence[Trial]], workers: int) -> tuple[ProgramName, str]:
    """Compiled where that ends sooner and can be done at all, and why in a few words."""
    if estimate(parts, workers, "compiled") >= estimate(parts, workers):
        return "eager", "too little work to pay for compilation"
    if not _can_compile():
        return "eager", "no working C++ compiler was found"
    return "compiled", "the work pays for compilation"


@functools.cache
def _can_compile() -> bool:
    """Whether a C++ compiler finds Python's headers, as compiled steps need on a CPU."""
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        return False
    command = [compiler, "-x", "c++", "-fsyntax-only", f"-I{sysconfig.get_path('include')}", "-"]
    probe = subprocess.run(
        command, input=b"#include <Python.h>\n", capture_output=True, check=False
    )
    return probe.returncode == 0
