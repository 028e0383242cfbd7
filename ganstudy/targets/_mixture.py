"""Targets whose law is a mixture of isotropic Gaussians: everything follows from the mixture."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from ganstudy.targets._base import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class MixtureTarget(Target, ABC):
    """A target that a member defines by `mixture()` alone."""

    @property
    def dimension(self) -> int:
        """Number of features of one sample."""
        return int(self.mixture().means.shape[1])

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws from the mixture."""
        return self.mixture().sample(rng, count)

    def mean(self) -> Array:
        """Mean of the mixture."""
        return self.mixture().mean()

    def covariance(self) -> Array:
        """Covariance of the mixture."""
        return self.mixture().covariance()

    def log_prob(self, x: Array) -> Array:
        """Log-density of the mixture in nats."""
        return self.mixture().log_prob(x)
