"""Log-densities of p and q at samples of both: exact where p states one, else by neighbours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from ganstudy.metrics._neighbours import NeighbourMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class DensityMetric(NeighbourMetric, ABC):
    """A metric of `log_ratios`."""

    most_features: ClassVar[int | None] = 8
    """With 1,000 samples the KL divergence of a Gaussian from itself is measured as 0.01 nat in 8
    dimensions, 0.3 in 12, 1.3 in 20, and 7.3 in 50."""

    @abstractmethod
    def estimate(self, ratios: LogRatios) -> float:
        """The metric of the ratios of one cloud."""

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Estimate for each cloud."""
        return lambda cloud: self.estimate(log_ratios(cloud, real, target, self.neighbours))

    def stated(self, target: Target) -> str:
        """Which densities are known and which are estimated."""
        by_neighbours = f"by {self.neighbours} neighbours"
        of_p = "exact" if target.has_density else by_neighbours
        return f"density of q {by_neighbours}, of p {of_p}"


class LogRatios(NamedTuple):
    """log q/p in nats at samples of p and of q, each of shape `(samples,)`."""

    at_real: NDArray[np.float64]
    at_fake: NDArray[np.float64]


def log_ratios(cloud: Cloud, real: Cloud, target: Target, neighbours: int) -> LogRatios:
    r"""Estimates of log q/p; q is known by its samples alone, p by its density if it has one.

    Maths   $\log \hat q(x) = \psi(k) - \log m - \log V_d - d \log \nu_k(x)$ with $\nu_k$ the
            distance to the k-th nearest of the m (other) samples and $V_d$ the volume of the ball.
            The digamma makes its mean right where q is constant out to $\nu_k$.
    Source  Kozachenko and Leonenko 1987; Wang, Kulkarni and Verdú 2009, "Divergence estimation for
            multidimensional densities via k-nearest-neighbor distances", section II.
    """
    # A point mass has infinite density; where both laws have one, their ratio is taken for 1.
    with np.errstate(divide="ignore", invalid="ignore"):
        if target.has_density:
            real_p, fake_p = (np.asarray(target.log_prob(x), np.float64) for x in (real, cloud))
        else:
            real_p = _log_density(real, real, neighbours, own=True)
            fake_p = _log_density(cloud, real, neighbours)
        real_q = _log_density(real, cloud, neighbours)
        fake_q = _log_density(cloud, cloud, neighbours, own=True)
        ratios = [real_q - real_p, fake_q - fake_p]
    return LogRatios(*(np.where(np.isnan(ratio), 0.0, ratio) for ratio in ratios))


def _log_density(
    points: Cloud, cloud: Cloud, neighbours: int, *, own: bool = False
) -> NDArray[np.float64]:
    """Log-density at points; `own` points are those of the cloud and no neighbours of themselves.

    In a cloud of too few samples the farthest is the k-th neighbour.
    """
    from scipy.spatial import KDTree
    from scipy.special import digamma, gammaln

    others = len(cloud) - own
    rank = min(neighbours, others)
    distance = np.asarray(KDTree(cloud).query(points, k=[rank + own])[0])[:, 0]
    dimension = cloud.shape[1]
    log_volume = 0.5 * dimension * np.log(np.pi) - gammaln(dimension / 2 + 1)
    log_distance = np.log(distance)
    return np.asarray(digamma(rank) - np.log(others) - log_volume - dimension * log_distance)
