"""A target of the user's own."""

import numpy as np
from pydantic import Field

from ganstudy.targets import Target


class Laplace(Target):
    """Independent Laplace laws around the origin, whose tails are heavier than a Gaussian's.

    Source  Laplace 1774.
    """

    scale: float = Field(1.0, gt=0, description="mean distance from the origin on each axis")

    @property
    def dimension(self):
        return 2

    def sample(self, rng, count):
        return rng.laplace(scale=self.scale, size=(count, 2)).astype(np.float32)

    def moments(self):
        return np.zeros(2), 2 * self.scale**2 * np.eye(2)

    def log_prob(self, x):
        return -np.abs(x).sum(-1) / self.scale - 2 * np.log(2 * self.scale)
