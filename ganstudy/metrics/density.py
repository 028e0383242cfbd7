"""`density`: how densely samples of p surround the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._neighbours import NeighbourMetric, balls_around, radii

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class Density(NeighbourMetric, CloudMetric):
    r"""Density: mean number of balls of p that hold a sample of q, over k.

    Maths   $\frac{1}{kn} \sum_j \sum_i 1[\, |y_j - x_i| \le r_k(x_i) \,]$ with as many samples
            $x_i$ of p, each ball reaching to the k-th neighbour. Unlike `precision` it does not
            take one wide ball for support. It exceeds 1 where q keeps to the dense parts of p.
    Bias    none: 1 on average at p = q, since a ball that reaches to the k-th of $n - 1$ others
            holds a share $k/n$ of p.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models",
            section 3.
    """

    judges: ClassVar[Judged | None] = "fidelity"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Mean number of balls around a sample of each cloud, over k."""
        reach = radii(real, self.neighbours)
        return lambda cloud: float(np.mean(balls_around(cloud, real, reach)) / self.neighbours)

    def reading(self, target: Target) -> Reading:
        """From 0 up; 1 for a perfect generator, more for one that keeps to the densest parts."""
        return Reading("density", "1", "higher", (0.0, float("inf")), 1.0)
