"""Balls whose edge is soft: how surely a point lies in the support that samples suggest."""

from __future__ import annotations

from abc import ABC
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._clouds import draws, reference
from ganstudy.metrics._neighbours import BLOCK, NeighbourMetric, radii

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target


class ProbabilisticMetric(NeighbourMetric, CloudMetric, ABC):
    """The mean membership of one law's samples in the other's support."""

    neighbours: int = Field(4, ge=1, description="k: R is a mean distance to the k-th neighbour")
    stretch: float = Field(1.2, gt=0, description="a: R in these distances")

    def membership(self, points: Cloud, centres: Cloud) -> float:
        """`mean_membership` at its own settings."""
        return mean_membership(points, centres, self.neighbours, self.stretch)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; at p = q that of two clouds of p."""
        perfect = membership_at_equality(target, self.neighbours, self.stretch)
        return Reading(self.name.replace("_", " "), "1", "higher", (0.0, 1.0), perfect)

    def worst(self, target: Target) -> float:
        """No membership; what it is at p = q, which takes as long as the metric, is not asked."""
        return 0.0


def mean_membership(points: Cloud, centres: Cloud, neighbours: int, stretch: float) -> float:
    r"""Mean over the points of $1 - \prod_i \min(1, |y - x_i| / R)$ over the centres.

    R is `stretch` times the centres' mean distance to their k-th neighbour; a centre vouches for a
    point fully where they coincide, and not at all from R on.
    """
    from scipy.spatial.distance import cdist

    reach = stretch * float(radii(centres, neighbours).mean())
    if reach == 0:  # the centres are one point, and vouch for it alone
        return float((cdist(points, centres[:1]) == 0).mean())
    sure = [
        1 - np.minimum(cdist(points[start : start + BLOCK], centres) / reach, 1.0).prod(axis=1)
        for start in range(0, len(points), BLOCK)
    ]
    return float(np.concatenate(sure).mean())


@cache
def membership_at_equality(target: Target, neighbours: int, stretch: float) -> float:
    """`mean_membership` between two clouds of 1,000 samples of p, or as many as there are."""
    other = reference(target, 1000, block=2)
    return mean_membership(draws(target, 1000, block=1), other, neighbours, stretch)
