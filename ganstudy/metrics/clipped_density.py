"""`clipped_density`: how many samples lie as densely among samples of p as those do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._neighbours import NeighbourMetric, balls_around, radii

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class ClippedDensity(NeighbourMetric, CloudMetric):
    r"""Clipped density: as `density`, with no ball and no sample counting for too much.

    Maths   $\frac1n \sum_j \min(1, \frac1k \sum_i 1[\, |y_j - x_i| \le \rho_i \,])$ over its value
            for the samples of p among each other, at most 1. A ball reaches to the k-th neighbour,
            and no farther than the median ball: $\rho_i = \min(r_k(x_i), med\ r_k)$. It is the
            share of samples that are as good as p's: replacing a share of them by bad ones lowers
            it by that share.
    Bias    downwards: the cut at 1 takes what chance would add.
    Cost    two distance matrices of samples by samples; at the end.
    Source  Salvy, Talbot & Thirion 2025, "Enhanced generative model evaluation with Clipped
            Density and Clipped Coverage".
    """

    judges: ClassVar[Judged | None] = "fidelity"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Clipped density of each cloud."""
        reach = radii(real, self.neighbours)
        reach = np.minimum(reach, np.median(reach))
        # A sample of p lies in its own ball, which says nothing.
        scale = self._mean_share(balls_around(real, real, reach) - 1)

        def measure(cloud: Cloud) -> float:
            share = self._mean_share(balls_around(cloud, real, reach))
            return min(1.0, share / scale) if scale else 0.0

        return measure

    def _mean_share(self, balls: NDArray[np.int64]) -> float:
        return float(np.minimum(balls / self.neighbours, 1.0).mean())

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("clipped density", "1", "higher", (0.0, 1.0), 1.0)
