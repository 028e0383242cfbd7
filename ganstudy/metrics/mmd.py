"""`mmd`: how far the mean of samples is from that of p, in the space of a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._clouds import typical_distance
from ganstudy.metrics._compared import ComparedMetric
from ganstudy.metrics._kernel_metric import KernelMetric

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class MMD(ComparedMetric, KernelMetric):
    r"""Maximum mean discrepancy between samples of q and of p, with a Gaussian kernel.

    Maths   $(E k(Y, Y') + E k(X, X') - 2 E k(Y, X))^{1/2}$ over all pairs of samples, with
            $k(x, y) = e^{-|x - y|^2 / 2 s^2}$ and s a multiple (`bandwidth`) of the median distance
            of samples of p. Structure much finer than s is not seen: a quarter of the median sees
            which modes there are, and little of their shape.
    Bias    upwards: its square has mean $2 (1 - E k(X, X')) / n$ for two clouds of n samples of p.
    Cost    distances of all pairs; at the end.
    Source  Gretton et al. 2012, "A kernel two-sample test".
    """

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Discrepancy of each cloud."""
        from scipy.spatial.distance import cdist

        scale = self.bandwidth * typical_distance(real)

        def kernel(first: Cloud, second: Cloud) -> float:
            squared = cdist(first, second, "sqeuclidean")
            return float(np.exp(-squared / (2 * scale**2)).mean())

        within_real = kernel(real, real)

        def measure(cloud: Cloud) -> float:
            squared = kernel(cloud, cloud) + within_real - 2 * kernel(cloud, real)
            return float(np.sqrt(np.clip(squared, 0, 2)))

        return measure

    def reading(self, target: Target) -> Reading:
        """Between 0 and the distance of two point masses far apart."""
        bounds = (0.0, float(np.sqrt(2)))
        kernel = f"Gaussian kernel as wide as {self.bandwidth:g} of the median distance in p"
        return Reading("maximum mean discrepancy", "1", "lower", bounds, 0.0, kernel)
