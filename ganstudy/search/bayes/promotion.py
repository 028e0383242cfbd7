"""Which points of a search go on to their next rung."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ganstudy.search.bayes import halving
from ganstudy.search.bayes.outcomes import Outcomes
from ganstudy.search.bayes.point import Point

__all__ = ["last_resort", "promotable"]


def promotable(points: Sequence[Point], outcomes: Outcomes, factor: int) -> Iterator[Point]:
    """Points among the best of their rung and bracket, highest rungs first."""
    brackets: dict[tuple[int, ...], list[Point]] = {}
    for point in points:
        brackets.setdefault(point.rungs, []).append(point)
    for rungs, peers in brackets.items():
        for level in reversed(range(len(rungs) - 1)):
            known = {id(p): outcomes.standing(p, level) for p in peers if outcomes.alive(p, level)}
            scores = {key: standing for key, standing in known.items() if standing is not None}
            promoted = [id(p) for p in peers if p.level > level]
            chosen = halving.promotable(scores, promoted, factor)
            yield from (p for key in chosen for p in peers if id(p) == key)


def last_resort(points: Sequence[Point], outcomes: Outcomes) -> Point | None:
    """The best point, if the budget is spent and no point has been trained to the end."""
    if any(point.last or not outcomes.recorded(point) for point in points):
        return None

    def reached(point: Point) -> tuple[int, tuple[float, float] | None]:
        return point.rungs[point.level], outcomes.standing(point, point.level)

    alive = [point for point in points if outcomes.alive(point, point.level)]
    return max(alive, key=reached, default=None)
