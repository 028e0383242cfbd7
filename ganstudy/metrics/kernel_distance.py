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
            moments. Without a width, it depends on the scale of the features. The estimate of a
            cloud many times as wide as p is chance, and as often far below 0 as above: where it is
            lower than a cloud as wide as p can have, pairs of a sample with itself are counted,
            too. That is the squared distance of the two empirical laws, which is above 0.
    Bias    none: at p = q it is 0 on average, or a little above with fewer than a hundred samples.
    Cost    products of all pairs; at the end.
    Source  Bińkowski, Sutherland, Arbel & Gretton 2018, "Demystifying MMD GANs", section 4; there
            the mean over blocks of samples, here over all of them.
    """

    at: ClassVar[Literal["every", "end"]] = "end"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Estimate for each cloud."""
        within_real, excess_real = _within(real)

        def measure(cloud: Cloud) -> float:
            crossed = _total(cloud, real) / (len(cloud) * len(real))
            within, excess = _within(cloud)
            estimate = within + within_real - 2 * crossed
            # The distance of the empirical laws, which no chance takes below 0, is the estimate and
            # both excesses: a cloud with that of p is no lower than this.
            if estimate < -2 * excess_real:
                return estimate + excess + excess_real
            return estimate

        return measure

    def reading(self, target: Target) -> Reading:
        """Around 0 for p itself, up for what is far; chance takes it a little below 0."""
        bounds = (-np.inf, np.inf)
        return Reading("squared distance by a cubic kernel", "1", "lower", bounds, 0.0)


def _within(cloud: Cloud) -> tuple[float, float]:
    """Mean of the kernel over pairs of different samples, and how much above it is that of all."""
    own = (np.square(cloud).sum(axis=1) / cloud.shape[1] + 1) ** 3
    others = float((_total(cloud, cloud) - own.sum()) / (len(cloud) * (len(cloud) - 1)))
    return others, (float(own.mean()) - others) / len(cloud)


def _total(first: Cloud, second: Cloud) -> float:
    """Sum of the kernel over all pairs."""
    dimension = first.shape[1]
    return float(
        sum(
            ((first[start : start + BLOCK] @ second.T / dimension + 1) ** 3).sum()
            for start in range(0, len(first), BLOCK)
        )
    )
