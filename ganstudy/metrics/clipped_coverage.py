"""`clipped_coverage`: how much of p has as many samples near it as samples of its own."""

from __future__ import annotations

import functools
from functools import partial
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
            reaching to the k-th neighbour among the n samples of p. Of g samples of p itself the
            number in a ball is beta-binomial, whose mean gives $f(g) = E c$; of m samples the
            metric is $f^{-1}(c) / m$: the share of good ones with which c is to be expected.
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
        near = min(self.neighbours, len(real))
        expected = functools.cache(partial(self._expected, len(real)))

        def measure(cloud: Cloud) -> float:
            nearest, _ = KDTree(cloud).query(real, k=[*range(1, near + 1)])
            share = (nearest <= reach[:, None]).sum(axis=1) / self.neighbours
            good = np.linspace(0, 1, len(cloud) + 1)
            return float(np.interp(share.mean(), expected(len(cloud)), good))

        return measure

    def _expected(self, real: int, samples: int) -> NDArray[np.float64]:
        """Mean coverage of `real` samples of p by 0, 1, ..., `samples` good ones; increasing."""
        from scipy.stats import betabinom

        k = self.neighbours
        good, fewer = np.arange(samples + 1)[:, None], np.arange(k)
        chance = betabinom.pmf(fewer, good, k, max(1, real - k))
        return np.asarray(1 - ((k - fewer) * chance).sum(axis=1) / k)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("clipped coverage", "1", "higher", (0.0, 1.0), 1.0)
