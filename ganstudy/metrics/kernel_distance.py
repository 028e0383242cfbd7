"""`kernel_distance`: squared distance of laws in the space of a cubic kernel, without bias."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric
from ganstudy.metrics._neighbours import BLOCK

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class KernelDistance(ComparedMetric, CloudMetric):
    r"""Squared maximum mean discrepancy with a cubic kernel; with Inception's features, KID.

    Maths   $E k(Y, Y') + E k(X, X') - 2 E k(Y, X)$ with $k(x, y) = (x \cdot y / d + 1)^3$ in d
            dimensions, Y' another sample than Y and X' another than X. It compares the first three
            moments. Without a width, it depends on the scale of the features.
    Bias    none: at p = q it is 0 on average, and as often below as above.
    Cost    products of all pairs; at the end.
    Source  Bińkowski, Sutherland, Arbel & Gretton 2018, "Demystifying MMD GANs", section 4; there
            the mean over blocks of samples, here over all of them.
    """

    at: ClassVar[Literal["every", "end"]] = "end"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Estimate for each cloud."""
        within_real = _mean_of_others(real)

        def measure(cloud: Cloud) -> float:
            crossed = _total(cloud, real) / (len(cloud) * len(real))
            return _mean_of_others(cloud) + within_real - 2 * crossed

        return measure

    def reading(self, target: Target) -> Reading:
        """Around 0 for p itself, up for what is far; chance takes it a little below 0."""
        bounds = (-np.inf, np.inf)
        return Reading("squared distance by a cubic kernel", "1", "lower", bounds, 0.0)


def _mean_of_others(cloud: Cloud) -> float:
    own = (np.square(cloud).sum(axis=1) / cloud.shape[1] + 1) ** 3
    return float((_total(cloud, cloud) - own.sum()) / (len(cloud) * (len(cloud) - 1)))


def _total(first: Cloud, second: Cloud) -> float:
    """Sum of the kernel over all pairs."""
    dimension = first.shape[1]
    return float(
        sum(
            ((first[start : start + BLOCK] @ second.T / dimension + 1) ** 3).sum()
            for start in range(0, len(first), BLOCK)
        )
    )
