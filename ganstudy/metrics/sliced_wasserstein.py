"""`sliced_wasserstein`: how far samples are from p along random directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._clouds import REFERENCE_SEED
from ganstudy.metrics._compared import ComparedMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class SlicedWasserstein(ComparedMetric, CloudMetric):
    r"""Sliced Wasserstein-2 distance between samples of q and of p.

    Maths   $(\frac1L \sum_l W_2^2(\theta_l \cdot Y, \theta_l \cdot X))^{1/2}$ with L directions on
            the sphere, the same for all clouds; along a direction the distance is that of sorted
            projections.
    Bias    upwards: two clouds of n samples of p are apart by about their width over $\sqrt n$.
    Cost    a sort for each direction; cheap enough for every record.
    Source  Rabin et al. 2011, "Wasserstein barycenter and its application to texture mixing";
            Bonneel et al. 2015, "Sliced and Radon Wasserstein barycenters of measures".
    """

    directions: int = Field(50, ge=1, description="L: directions that are averaged over")

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Distance of each cloud."""
        sphere = self.projections(real.shape[1])
        along_real = np.sort(real @ sphere, axis=0)

        def measure(cloud: Cloud) -> float:
            difference = np.sort(cloud @ sphere, axis=0) - along_real
            return float(np.sqrt(np.mean(difference**2)))

        return measure

    def projections(self, dimension: int) -> NDArray[np.float64]:
        """Directions uniform on the sphere, shape `(dimension, directions)`."""
        rng = np.random.default_rng(REFERENCE_SEED)
        normal = rng.standard_normal((dimension, self.directions))
        return np.asarray(normal / np.linalg.norm(normal, axis=0))

    def reading(self, target: Target) -> Reading:
        """From 0 up, in the units of the samples."""
        return Reading("sliced Wasserstein distance", "", "lower", (0.0, np.inf), 0.0)
