"""`frechet_distance`: how far apart the Gaussians are that fit samples of q and of p."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class FrechetDistance(ComparedMetric, CloudMetric):
    r"""Squared Fréchet distance between Gaussians with the means and covariances of the samples.

    Maths   $|\mu_q - \mu_p|^2 + tr(\Sigma_q + \Sigma_p - 2 (\Sigma_q \Sigma_p)^{1/2})$, the squared
            Wasserstein-2 distance of these Gaussians. Laws of one mean and covariance have none.
            With Inception's features it is what is called FID.
    Bias    upwards: for a Gaussian in d dimensions with variance 1 and n samples of both laws about
            d (d + 5) / 2n, so that values of other sample sizes are not to be compared.
    Cost    eigenvalues, growing as the cube of the features; at the end.
    Source  Heusel et al. 2017, "GANs trained by a two time-scale update rule". Closed
            form: Dowson & Landau 1982. Bias: Chong & Forsyth 2020.
    """

    at: ClassVar[Literal["every", "end"]] = "end"

    def fewest(self, target: Target) -> int:
        """Twice as many as features: of fewer samples the covariance says nothing."""
        return max(10, 2 * target.dimension)

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Squared distance of each cloud."""
        mean, covariance = real.mean(axis=0), _covariance(real)
        root = _root(covariance)

        def measure(cloud: Cloud) -> float:
            own = _covariance(cloud)
            # As the square root of a symmetric matrix, which stays real whatever the rounding.
            crossed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ own @ root), 0)).sum()
            apart = np.square(cloud.mean(axis=0) - mean).sum()
            return float(max(apart + np.trace(own) + np.trace(covariance) - 2 * crossed, 0.0))

        return measure

    def reading(self, target: Target) -> Reading:
        """From 0 up, in the squared units of the samples."""
        return Reading("squared Fréchet distance", "", "lower", (0.0, np.inf), 0.0)


def _covariance(cloud: Cloud) -> Cloud:
    return np.atleast_2d(np.cov(cloud.T))


def _root(matrix: Cloud) -> Cloud:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
