"""`energy_distance`: how much farther samples are from p than each law is from itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class EnergyDistance(ComparedMetric, CloudMetric):
    r"""Energy distance between samples of q and of p.

    Maths   $(2 E|Y - X| - E|Y - Y'| - E|X - X'|)^{1/2}$ over all pairs of samples, those of a
            sample with itself included, so that it is that of the two empirical laws.
    Bias    upwards: its square has mean $2 E|X - X'| / n$ for two clouds of n samples of p.
    Cost    distances of all pairs; at the end.
    Source  Székely and Rizzo 2013, "Energy statistics: a class of statistics based on distances",
            who call the square by this name too.
    """

    at: ClassVar[Literal["every", "end"]] = "end"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Distance of each cloud."""
        from scipy.spatial.distance import cdist

        within_real = cdist(real, real).mean()

        def measure(cloud: Cloud) -> float:
            squared = 2 * cdist(cloud, real).mean() - cdist(cloud, cloud).mean() - within_real
            return float(np.sqrt(max(squared, 0.0)))

        return measure

    def reading(self, target: Target) -> Reading:
        """From 0 up, in the square root of the units of the samples."""
        return Reading("energy distance", "", "lower", (0.0, np.inf), 0.0)
