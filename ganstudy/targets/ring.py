"""`ring`: Gaussians spaced evenly on a circle."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ganstudy.targets._mixture import IsotropicMixture, MixtureTarget


class Ring(MixtureTarget):
    r"""Equally weighted Gaussians on a circle in the plane; the usual test of mode collapse.

    Maths   $p(x) = \frac1M \sum_k N(x; r (\cos 2\pi k/M, \sin 2\pi k/M), s^2 I)$
    Source  Metz et al. 2017, Unrolled GAN, section 3.1 and appendix A (8 modes on a circle of
            radius 2 with std 0.02); here the radius is 1, so that data have unit scale.
    """

    modes: int = Field(8, ge=1, le=10_000, description="number of Gaussians")
    radius: float = Field(1.0, gt=0, description="radius of the circle")
    std: float = Field(0.02, gt=0, description="standard deviation of each Gaussian")

    def mixture(self) -> IsotropicMixture:
        """The modes, equally weighted."""
        angles = 2 * np.pi * np.arange(self.modes) / self.modes
        return IsotropicMixture(
            means=self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1),
            stds=np.full(self.modes, self.std),
            weights=np.full(self.modes, 1 / self.modes),
        )
