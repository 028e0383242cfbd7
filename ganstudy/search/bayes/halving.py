"""Successive halving: all points are trained a little, the best of them further.

A point is trained to a rung, a number of M-steps; it goes on to the next rung only if it is among
the best there. Decisions are made as records land, with the points that are known by then.

Source  Li et al. 2018, "A system for massively parallel hyperparameter tuning" (ASHA), for the
        asynchronous rule; Li et al. 2017, "Hyperband", for the brackets.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ganstudy.kinds import Kind
    from ganstudy.search.bayes.outcomes import Outcomes
    from ganstudy.search.bayes.point import Point
    from ganstudy.trial import Trial

__all__ = ["SKIPPED", "best_of_rung", "bracket", "going_on", "to_come"]

Key = TypeVar("Key")


def bracket(key: str, brackets: int, factor: int) -> int:
    r"""How many of the lowest rungs a point skips under Hyperband, drawn from its key.

    Maths   bracket s of S + 1, which skips S - s rungs, is drawn with weight
            (S + 1) / (s + 1) * factor^s: all brackets cost about the same.
    Source  Li et al. 2017, "Hyperband".
    """
    weights = [brackets / (s + 1) * factor**s for s in reversed(range(brackets))]
    digest = hashlib.sha256(key.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * sum(weights)
    for skipped, reached in enumerate(itertools.accumulate(weights)):
        if place < reached:
            return skipped
    return brackets - 1


SKIPPED: Mapping[str, Callable[[str, int, int], int]] = {
    "successive_halving": lambda key, rungs, factor: 0,
    "hyperband": bracket,
}
"""Every pruner: the lowest rungs that a point skips, by its key, their number and the factor."""


def best_of_rung(scores: Mapping[Key, Any], promoted: Collection[Key], factor: int) -> list[Key]:
    """Points of a rung that are to go on, best first: the best 1/`factor` of all that reached it.

    `scores` are numbers or tuples, better the higher; ties go to the point that came first.
    """
    # Python's order is stable in reverse too.
    best = sorted(scores, key=lambda key: scores[key], reverse=True)[: len(scores) // factor]
    return [key for key in best if key not in promoted]


def going_on(
    points: Sequence[Point], outcomes: Outcomes, factor: int, *, spent: bool
) -> list[Point]:
    """Points that are to be trained further, highest rungs first.

    Where the budget is `spent` and none of them is alive at the end otherwise, it is the best.
    """
    further = list(_promotable(points, outcomes, factor))
    return further if further or not spent else _last_resort(points, outcomes)


def _promotable(points: Sequence[Point], outcomes: Outcomes, factor: int) -> Iterator[Point]:
    """Points among the best of their rung and bracket."""
    for rungs, peers in _brackets(points).items():
        for level in reversed(range(len(rungs) - 1)):
            alive = {p: outcomes.standing(p, level) for p in peers if outcomes.alive(p, level)}
            scores = {point: own for point, own in alive.items() if own is not None}
            promoted = {point for point in peers if point.level > level}
            yield from best_of_rung(scores, promoted, factor)


def _brackets(points: Sequence[Point]) -> dict[tuple[int, ...], list[Point]]:
    found: dict[tuple[int, ...], list[Point]] = {}
    for point in points:
        found.setdefault(point.rungs, []).append(point)
    return found


def _last_resort(points: Sequence[Point], outcomes: Outcomes) -> list[Point]:
    """The best point, if all are recorded and none is alive at the end."""
    alive = [point for point in points if outcomes.alive(point, point.level)]
    if any(point.last for point in alive) or not all(map(outcomes.recorded, points)):
        return []

    def reached(point: Point) -> tuple[int, tuple[float, float] | None]:
        return point.rungs[point.level], outcomes.standing(point, point.level)

    return [max(alive, key=reached)] if alive else []


def to_come(
    points: Sequence[Point], due: Collection[Point], outcomes: Outcomes, factor: int
) -> Iterator[Trial[Kind]]:
    """Trials of later rungs that are still to be trained, if no point ends badly from now on.

    points  of an arm, and as many more as it has yet to choose
    due     those of them that are to be trained further now
    """
    reached = {point: point.level + (point in due) for point in points}

    def alive(point: Point, level: int) -> bool:
        awaited = level > point.level or not outcomes.recorded(point)
        return awaited or outcomes.alive(point, level)

    for rungs, peers in _brackets(points).items():
        for level in range(len(rungs) - 1):
            there = [p for p in peers if reached[p] >= level and alive(p, level)]
            passed = [p for p in there if reached[p] == level]
            # Of those that are recorded the best have gone on, or are due.
            passed.sort(key=outcomes.recorded)
            more = len(there) // factor - (len(there) - len(passed))
            reached |= dict.fromkeys(passed[: max(more, 0)], level + 1)
    living = [point for point in points if alive(point, reached[point])]
    if living and all(reached[p] < len(p.rungs) - 1 for p in living):
        best = max(living, key=lambda point: point.rungs[reached[point]])
        reached[best] = len(best.rungs) - 1
    for point, level in reached.items():
        yield from itertools.chain(*point.trials[point.level + 1 : level + 1])
