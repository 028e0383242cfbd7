"""`clipped_coverage`: how much of p has as many samples near it as samples of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._neighbours import NeighbourMetric, radii

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class ClippedCoverage(NeighbourMetric, CloudMetric):
    r"""Clipped coverage: as `coverage`, counted up to k and set on a scale of good samples.

    Maths   $c = \frac1n \sum_i \frac1k \min(k, \#\{ j : |y_j - x_i| \le r_k(x_i) \})$, a ball
            reaching to the k-th neighbour among the samples of p. Of m samples of p itself the
            number in a ball is beta-binomial, whose mean gives $f(m) = E c$; the metric is
            $f^{-1}(c) / m$ of the number of samples m: the share of good samples with which c is
            to be expected.
    Bias    a cut at 1, which takes what chance would add.
    Cost    two nearest-neighbour trees; at the end.
    Source  Salvy, Talbot & Thirion 2025, "Enhanced generative model evaluation with Clipped
            Density and Clipped Coverage"; their program looks the inverse up in steps of
            1/(m + 1), and we interpolate.
    """

    judges: ClassVar[Judged | None] = "diversity"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Share of good samples that each cloud covers p like."""
        from scipy.spatial import KDTree

        reach = radii(real, self.neighbours)
        count = len(real)
        near = min(self.neighbours, count)
        expected = self._expected(count)

        def measure(cloud: Cloud) -> float:
            nearest, _ = KDTree(cloud).query(real, k=[*range(1, near + 1)])
            share = (nearest <= reach[:, None]).sum(axis=1) / self.neighbours
            return float(np.interp(share.mean(), expected, np.linspace(0, 1, count + 1)))

        return measure

    def _expected(self, samples: int) -> NDArray[np.float64]:
        """Mean coverage by 0, 1, ... good samples of so many, `(samples + 1,)`; increasing."""
        from scipy.stats import betabinom

        k = self.neighbours
        good, fewer = np.arange(samples + 1)[:, None], np.arange(k)
        chance = betabinom.pmf(fewer, good, k, max(1, samples - k))
        return np.asarray(1 - ((k - fewer) * chance).sum(axis=1) / k)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("clipped coverage", "1", "higher", (0.0, 1.0), 1.0)
