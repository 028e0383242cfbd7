"""Mixtures of Gaussians, and targets whose law is one: everything follows from the mixture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.targets._base import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Modes

_LOG_TWO_PI = float(np.log(2 * np.pi))

_FEW = 64
"""Edges from which on a search is quicker than a comparison with each."""

_CACHED = 2**18
"""Numbers in double precision that a core's caches hold beside as many others."""


@dataclass(frozen=True, eq=False)
class GaussianMixture(ABC):
    r"""Mixture of Gaussians, $p(x) = \sum_k w_k N(x; \mu_k, \Sigma_k)$.

    Shapes  means `(modes, dimension)`, weights `(modes,)` with sum 1.
    """

    means: Array
    weights: Array

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws and their modes, shapes `(count, dimension)` and `(count,)`."""
        uniform = rng.random(count, dtype=np.float32)
        mode = _reached(np.cumsum(self.weights)[:-1], uniform)
        noise = rng.standard_normal((count, self.means.shape[1]), dtype=np.float32)
        drawn = self._spread(noise, mode)
        # `take` gathers rows several times faster than an index does.
        drawn += np.take(self.means.astype(np.float32), mode, axis=0)
        return drawn, mode.astype(np.int64, copy=False)

    def moments(self) -> tuple[Array, Array]:
        r"""$\mu = \sum_k w_k \mu_k$ and $\sum_k w_k (\Sigma_k + \mu_k \mu_k^T) - \mu \mu^T$."""
        mean = self.weights @ self.means
        centred = self.means - mean
        return mean, self._within() + (self.weights[:, None] * centred).T @ centred

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, shapes `(*, dimension) -> (*)`."""
        log_terms = self.scores(self.squared_distances(x)) - 0.5 * self.means.shape[1] * _LOG_TWO_PI
        return np.asarray(np.logaddexp.reduce(log_terms, axis=-1))

    def scores(self, squared_distances: Array) -> Array:
        """Log of each mode's share of the density, up to one constant, `(*, modes)`."""
        return np.asarray(np.log(self.weights) - 0.5 * squared_distances - self._log_volumes())

    def nearest(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        """Nearest mode of each sample and the distance to it in that mode's standard deviations.

        Shapes  `(*, dimension) -> (*), (*)`.
        """
        scaled = self.squared_distances(x)
        mode = scaled.argmin(axis=-1)
        distance = np.sqrt(np.take_along_axis(scaled, mode[..., None], axis=-1)[..., 0])
        return mode, distance

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The nearest mode, and whether it is within the radius; see `Modes.assign`."""
        with np.errstate(over="ignore", invalid="ignore"):
            mode, distance = self.nearest(samples.astype(np.float64))
        return mode, distance <= radius_in(self.means.shape[1], radius)

    def high_quality_share(self, radius: float) -> float:
        """Exact for separated modes; a lower bound for modes that overlap."""
        return share_within(radius)

    @abstractmethod
    def squared_distances(self, x: Array) -> Array:
        r"""$(x - \mu_k)^T \Sigma_k^{-1} (x - \mu_k)$, shapes `(*, dimension) -> (*, modes)`."""

    @abstractmethod
    def _spread(self, noise: NDArray[np.float32], mode: NDArray[np.intp]) -> NDArray[np.float32]:
        """Standard normal rows with the covariance of their modes."""

    @abstractmethod
    def _within(self) -> Array:
        r"""$\sum_k w_k \Sigma_k$."""

    @abstractmethod
    def _log_volumes(self) -> Array:
        r"""$\frac12 \log \det \Sigma_k$, shape `(modes,)`."""


@dataclass(frozen=True, eq=False)
class IsotropicMixture(GaussianMixture):
    r"""$\Sigma_k = s_k^2 I$ with `stds` of shape `(modes,)`."""

    stds: Array

    def squared_distances(self, x: Array) -> Array:
        """Squared distance to every mean in its standard deviations."""
        total = np.zeros((*x.shape[:-1], len(self.means)))
        for feature in range(self.means.shape[1]):
            total += (x[..., feature, None] - self.means[:, feature]) ** 2
        return np.asarray(total / self.stds**2)

    def _spread(self, noise: NDArray[np.float32], mode: NDArray[np.intp]) -> NDArray[np.float32]:
        stds = self.stds.astype(np.float32)
        # One factor for all takes a hundredth of the time, and most mixtures have but one.
        noise *= stds[0] if (stds == stds[0]).all() else np.take(stds, mode)[:, None]
        return noise

    def _within(self) -> Array:
        return np.asarray((self.weights @ self.stds**2) * np.eye(self.means.shape[1]))

    def _log_volumes(self) -> Array:
        return np.asarray(self.means.shape[1] * np.log(self.stds))


@dataclass(frozen=True, eq=False)
class GeneralMixture(GaussianMixture):
    """Any positive definite `covariances`, shape `(modes, dimension, dimension)`."""

    covariances: Array

    @cached_property
    def _factors(self) -> Array:
        return np.linalg.cholesky(self.covariances)

    @cached_property
    def _whitening(self) -> list[Array]:
        return [np.linalg.inv(factor).T for factor in self._factors]

    def squared_distances(self, x: Array) -> Array:
        """Squared Mahalanobis distances."""
        rows = x.reshape(-1, x.shape[-1])
        squared = np.empty((len(rows), len(self.means)))
        # All rows at once would leave the caches between any two of these operations.
        parts = max(1, -(-rows.size // _CACHED))
        split = zip(np.array_split(rows, parts), np.array_split(squared, parts), strict=True)
        for some, found in split:
            for mode, (mean, axes) in enumerate(zip(self.means, self._whitening, strict=True)):
                found[:, mode] = np.square((some - mean) @ axes).sum(axis=-1)
        return squared.reshape(*x.shape[:-1], len(self.means))

    def _spread(self, noise: NDArray[np.float32], mode: NDArray[np.intp]) -> NDArray[np.float32]:
        drawn = np.empty_like(noise)
        for index, factor in enumerate(self._factors.astype(np.float32)):
            # A sum of products and no matrix product, whose bits depend on how many rows it has.
            rows = mode == index
            drawn[rows] = (noise[rows, None, :] * factor).sum(axis=-1)
        return drawn

    def _within(self) -> Array:
        return np.tensordot(self.weights, self.covariances, axes=1)

    def _log_volumes(self) -> Array:
        return np.asarray(np.log(np.diagonal(self._factors, axis1=-2, axis2=-1)).sum(axis=-1))


def _reached(edges: Array, uniform: NDArray[np.float32]) -> NDArray[np.intp]:
    """How many of the edges, which are sorted, each number has reached."""
    if len(edges) >= _FEW:
        return np.searchsorted(edges, uniform, side="right")
    # Random numbers make a search guess wrong at every second branch; comparisons have none. In
    # single precision, a number has reached an edge if it has reached the next one of those.
    single = edges.astype(np.float32)
    single = np.where(single < edges, np.nextafter(single, np.float32(2)), single)
    mode, reached = np.zeros(len(uniform), np.uint8), np.empty(len(uniform), np.bool_)
    for edge in single:
        np.greater_equal(uniform, edge, out=reached)
        mode += reached.view(np.uint8)  # a byte as it is; as a truth it would be converted
    return mode.astype(np.intp)


def share_within(radius: float) -> float:
    """Share of a Gaussian in the plane within `radius` standard deviations."""
    return float(-np.expm1(-(radius**2) / 2))


def radius_in(dimension: int, radius: float) -> float:
    """Distance that holds as much of a standard Gaussian in `dimension` as `radius` in the plane.

    In 700 dimensions not one sample in 10^100 is within three standard deviations of its mean.
    """
    if dimension == 2:
        return radius
    from scipy.special import gammainccinv

    return float(np.sqrt(2 * gammainccinv(dimension / 2, np.exp(-(radius**2) / 2))))


class MixtureTarget(Target, ABC):
    """A target that a member defines by `mixture()` alone; its labels are its modes."""

    @abstractmethod
    def mixture(self) -> GaussianMixture:
        """The law p."""

    @cached_property
    def law(self) -> GaussianMixture:
        """The law p, made once."""
        return self.mixture()

    @property
    def dimension(self) -> int:
        """Number of features of one sample."""
        return int(self.law.means.shape[1])

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws from the mixture."""
        return self.sample_labelled(rng, count)[0]

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws from the mixture with their modes."""
        return self.law.sample_labelled(rng, count)

    @property
    def labels(self) -> int:
        """Number of modes."""
        return len(self.law.weights)

    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of the mixture."""
        return self.law.moments()

    def log_prob(self, x: Array) -> Array:
        """Log-density of the mixture in nats."""
        return self.law.log_prob(x)

    def known_modes(self) -> Modes:
        """The components of the mixture."""
        return self.law
