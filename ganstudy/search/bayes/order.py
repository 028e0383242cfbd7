"""In which order a search has its points, by their records alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganstudy.search.bayes.keys import BayesKeys
    from ganstudy.search.bayes.outcomes import Outcomes
    from ganstudy.search.bayes.point import Point

__all__ = ["in_order"]


def in_order(points: Sequence[Point], outcomes: Outcomes, file: BayesKeys) -> list[Point]:
    """Points as they were learned, those of which nothing is recorded behind.

    A synchronous search has its rounds so. Which point of a round is learned first depends on
    timing, so that within a round they have the order of their ids.
    """
    learned = sorted(points, key=outcomes.learned)
    if not file.synchronous:
        return learned
    of_round = {id(point): number // file.together for number, point in enumerate(learned)}

    def place(point: Point) -> tuple[int, bool, str]:
        return of_round[id(point)], math.isinf(outcomes.learned(point)), point.trials[0][0].id

    return sorted(learned, key=place)
