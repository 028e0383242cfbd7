"""What a study sets of two normal laws, and their ratio in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ganstudy.kinds._theory import TheorySettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["RatioSettings"]


class RatioSettings(TheorySettings):
    """The laws, and how their ratio is estimated."""

    steps: int = Field(1, ge=1, le=1, description="an estimator is fitted once")
    estimator: Literal[
        "logistic",
        "telescoping",
        "neural",
        "kliep",
        "lsif",
        "relative_lsif",
        "ulsif",
        "kernel_mean_matching",
        "nearest_neighbours",
    ] = Field("logistic", description="how the ratio is estimated")
    dimension: int = Field(2, ge=1, le=100, description="dimension of the laws")
    shift: float = Field(1.0, ge=0, description="distance of their means")
    scale: float = Field(0.8, gt=0, description="standard deviation of p in each direction")
    samples: int = Field(500, ge=100, description="samples of each law to fit, and to test")

    def log_ratio(self, x: Array) -> Array:
        """The truth at points `(points, dimension)`."""
        centred = ((x - self.mean) ** 2).sum(-1) / (2 * self.scale**2)
        return np.asarray((x**2).sum(-1) / 2 - centred - self.dimension * np.log(self.scale))

    def gradient(self, x: Array) -> Array:
        """Its gradient, `(points, dimension)`."""
        return np.asarray(x - (x - self.mean) / self.scale**2)

    @property
    def kl(self) -> float:
        """KL(p || q) in closed form."""
        spread = self.dimension * (self.scale**2 - 1 - 2 * np.log(self.scale))
        return float(spread + self.shift**2) / 2

    @property
    def mean(self) -> Array:
        """Mean of p."""
        return np.full(self.dimension, self.shift / np.sqrt(self.dimension))
