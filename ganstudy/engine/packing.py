"""Packing: which trials train together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ganstudy.trial import Trial

__all__ = ["Pack", "cost", "estimate", "packs"]

Pack = tuple[Trial[Any], ...]

WORKING_SET = 20 * 2**20
"""Bytes that a stack may read and write in one step; wider stacks gain nothing measurable."""
LARGEST = 64
"""Beyond this many trials the price of a kernel call is spread thin enough."""
PACKS_PER_WORKER = 2
"""Enough packs that workers which finish early find another, few enough to keep stacks wide."""


def packs(trials: Iterable[Trial[Any]], workers: int) -> list[Pack]:
    """Split trials into packs of one shape, costliest first so that workers finish together.

    A trial's numbers do not depend on its pack; only time and memory do.
    """
    shapes: dict[str, list[Trial[Any]]] = {}
    for trial in dict.fromkeys(trials):
        shapes.setdefault(trial.configuration.pack_key(), []).append(trial)
    total = sum(len(own) * own[0].configuration.cost() for own in shapes.values())
    share = total / (workers * PACKS_PER_WORKER)
    result: list[Pack] = []
    for own in shapes.values():
        configuration = own[0].configuration
        fitting = int(WORKING_SET // configuration.working_set())
        fair = round(share / configuration.cost())
        count = -(-len(own) // max(1, min(fitting, LARGEST, max(fair, 2))))
        for part in range(count):
            result.append(tuple(own[len(own) * part // count : len(own) * (part + 1) // count]))
    return sorted(result, key=cost, reverse=True)


def cost(pack: Pack) -> float:
    """Rough seconds of a pack on one core."""
    return len(pack) * float(pack[0].configuration.cost())


def estimate(parts: Iterable[Pack], workers: int) -> float:
    """Rough seconds that packs take on some workers, within a factor of two or so."""
    return sum(map(cost, parts)) / workers
