"""`gaussian_forward_kl`: how surprising p is to the Gaussian that fits the samples."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.metrics._base import Metric, Reading
from ganstudy.metrics._clouds import draws, each_cloud

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target

    Moment = NDArray[np.floating]

_DRAWS, _BLOCK = 200_000, 3
"""Samples of p by which its distance from the nearest Gaussian is told, to two thousandths of a
nat; other metrics draw blocks 0 to 2."""


class GaussianForwardKL(Metric):
    r"""Forward Kullback-Leibler divergence from p to the Gaussian with the samples' moments.

    Exact, but for the moments, where generators are affine and q is a Gaussian. Of another q it
    sees the mean and the covariance alone, as `frechet_distance` does.

    Maths   $KL(p \| N(m, S)) = KL(p \| N(\mu, \Sigma)) + KL(N(\mu, \Sigma) \| N(m, S))$ with the
            samples' mean m and covariance S and those of p, mu and Sigma. The first term, which is
            no generator's fault, is the value at p = q and the least there is: zero for a Gaussian,
            else a mean over 200,000 draws, the same for every trial. The second is
            $\frac12 (tr(S^{-1}(\Sigma + (\mu - m)(\mu - m)^T)) - d + \log(\det S / \det\Sigma))$.
    Bias    upwards: for a Gaussian in d dimensions and n samples about d (d + 3) / 4n.
    Cost    a covariance and its triangular factor.
    Source  Bishop 2006, "Pattern recognition and machine learning", section 10.1.2: the Gaussian
            that is nearest to p by the forward divergence has its moments.
    """

    def problem(self, target: Target) -> str | None:
        """Without a density p has no entropy that could be told."""
        if target.has_density:
            return super().problem(target)
        return f"metric {self.name} needs the density of p, which {target.name} does not state"

    def fewest(self, target: Target) -> int:
        """Twice as many as dimensions: of fewer the covariance says nothing."""
        return max(10, 2 * target.dimension)

    def compute(self, samples: Array, target: Target) -> Array:
        """Divergence of each cloud; infinite where its samples lie in a plane."""
        own, nearest = target.moments(), _from_nearest(target)

        def measure(cloud: Cloud) -> float:
            fitted = cloud.mean(axis=0), np.atleast_2d(np.cov(cloud.T))
            return nearest + _between(*own, *fitted)

        return each_cloud(samples, measure, worst=np.inf)

    def reading(self, target: Target) -> Reading:
        """From that of the nearest Gaussian up, in nats."""
        least = _from_nearest(target) if target.has_density else 0.0
        return Reading(
            "forward KL to the Gaussian that fits", "nat", "lower", (least, np.inf), least
        )


def _between(mean: Moment, covariance: Moment, other: Moment, spread: Moment) -> float:
    """KL divergence from a Gaussian to another one; infinite where that fills no volume."""
    try:
        factor = np.linalg.cholesky(spread)
    except np.linalg.LinAlgError:
        return np.inf
    second = covariance + np.outer(mean - other, mean - other)
    trace = np.trace(np.linalg.solve(factor, np.linalg.solve(factor, second).T))
    logs = 2 * np.log(np.diag(factor)).sum() - np.linalg.slogdet(covariance)[1]
    return max(0.0, float(0.5 * (trace - len(mean) + logs)))


@cache
def _from_nearest(target: Target) -> float:
    """KL divergence from p to the Gaussian of its own moments."""
    mean, covariance = target.moments()
    x = draws(target, _DRAWS, _BLOCK)
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), (x - mean).T)
    logs = len(mean) * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1]
    log_normal = -0.5 * (np.square(whitened).sum(axis=0) + logs)
    return max(0.0, float(np.mean(target.log_prob(x) - log_normal)))
