"""What a target is: a law p that can be sampled, with the truths that are known about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.family import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating]


class Target(Member, ABC):
    """The law p of the data, in plain NumPy so that reports can draw it without torch."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of features of one sample."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws from p, shape `(count, dimension)`."""

    @abstractmethod
    def mean(self) -> Array:
        """Mean of p, shape `(dimension,)`."""

    @abstractmethod
    def covariance(self) -> Array:
        """Covariance of p, shape `(dimension, dimension)`."""

    @abstractmethod
    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, shapes `(*, dimension) -> (*)`."""

    @abstractmethod
    def mixture(self) -> IsotropicMixture:
        """The modes of p."""


@dataclass(frozen=True, eq=False)
class IsotropicMixture:
    r"""Mixture of isotropic Gaussians, $p(x) = \sum_k w_k N(x; \mu_k, s_k^2 I)$.

    Shapes  means `(modes, dimension)`, stds `(modes,)`, weights `(modes,)` with sum 1.
    """

    means: Array
    stds: Array
    weights: Array

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws, shape `(count, dimension)`."""
        uniform = rng.random(count, dtype=np.float32)
        edges = np.cumsum(self.weights)[:-1]
        mode = np.searchsorted(edges, uniform, side="right")
        noise = rng.standard_normal((count, self.means.shape[1]), dtype=np.float32)
        # `take` gathers rows several times faster than an index does.
        noise *= np.take(self.stds.astype(np.float32), mode)[:, None]
        noise += np.take(self.means.astype(np.float32), mode, axis=0)
        return noise

    def mean(self) -> Array:
        r"""$\sum_k w_k \mu_k$, shape `(dimension,)`."""
        return self.weights @ self.means

    def covariance(self) -> Array:
        r"""$\sum_k w_k (s_k^2 I + \mu_k \mu_k^T) - \mu \mu^T$, shape `(dimension, dimension)`."""
        identity = np.eye(self.means.shape[1])
        within = (self.weights @ self.stds**2) * identity
        centred = self.means - self.mean()
        return within + (self.weights[:, None] * centred).T @ centred

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, shapes `(*, dimension) -> (*)`."""
        dimension = self.means.shape[1]
        squared = self.squared_distances(x) / self.stds**2
        log_terms = (
            np.log(self.weights)
            - 0.5 * squared
            - dimension * (np.log(self.stds) + 0.5 * np.log(2 * np.pi))
        )
        return np.asarray(np.logaddexp.reduce(log_terms, axis=-1))

    def squared_distances(self, x: Array) -> Array:
        """Squared Euclidean distance to every mean, shapes `(*, dimension) -> (*, modes)`."""
        total = np.zeros((*x.shape[:-1], len(self.means)))
        for feature in range(self.means.shape[1]):
            total += (x[..., feature, None] - self.means[:, feature]) ** 2
        return total

    def nearest(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        """Nearest mode of each sample and the distance to it in that mode's standard deviations.

        Shapes  `(*, dimension) -> (*), (*)`.
        """
        scaled = self.squared_distances(x) / self.stds**2
        mode = scaled.argmin(axis=-1)
        distance = np.sqrt(np.take_along_axis(scaled, mode[..., None], axis=-1)[..., 0])
        return mode, distance
