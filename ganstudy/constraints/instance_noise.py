"""`instance_noise`: overlap by noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.constraints._base import Constraint

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class InstanceNoise(Constraint):
    r"""Gaussian noise on all that the critic sees, of p and of q, so that their supports overlap.

    Maths   the critic sees $x + \sigma_t z$, z standard normal; $\sigma_t$ falls linearly from
            `std` to zero at the share `until` of the training and stays there. With `until: 0` it
            never falls.
    Source  Sonderby et al. 2017; Arjovsky & Bottou 2017, section 3. The published
            schedules differ; a linear one is the usual.
    """

    std: float = Field(0.1, gt=0, description="first standard deviation of the noise")
    until: float = Field(1.0, ge=0, le=1, description="share of the training at which it is zero")

    @property
    def scheduled(self) -> bool:
        """Unless its noise never falls."""
        return self.until > 0

    def perturb(self, real: Tensor, fake: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Both with their own noise."""
        batch = real.shape[-2]
        return real + noise[..., :batch, :], fake + noise[..., batch:, :]

    def draw(
        self,
        rng: np.random.Generator,
        progress: NDArray[np.float64],
        shape: tuple[int, int, int],
        groups: int,
    ) -> NDArray[np.float32]:
        """Noise for samples of p, then of q, scaled by the schedule."""
        gradients, batch, dimension = shape
        size = (len(progress), gradients, 2 * batch, dimension)
        left = 1 - progress / self.until if self.until else np.ones_like(progress)
        std = (self.std * np.maximum(left, 0)).astype(np.float32)
        return rng.standard_normal(size, dtype=np.float32) * std[:, None, None, None]
