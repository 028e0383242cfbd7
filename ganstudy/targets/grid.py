"""`grid`: Gaussians on a square lattice."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ganstudy.targets._mixture import IsotropicMixture, MixtureTarget


class Grid(MixtureTarget):
    r"""Equally weighted Gaussians on a square lattice centred at the origin; 25 modes by default.

    Maths   $p(x) = \frac1{m^2} \sum_{ij} N(x; h (i - \frac{m-1}2, j - \frac{m-1}2), s^2 I)$
    Source  Dumoulin et al. 2017, ALI; Lin et al. 2018, PacGAN, section 4.1
            (a 5 x 5 lattice with spacing 2 and std 0.05).
    """

    side: int = Field(5, ge=1, le=100, description="modes along each side; side squared in all")
    spacing: float = Field(2.0, gt=0, description="distance between neighbouring modes")
    std: float = Field(0.05, gt=0, description="standard deviation of each Gaussian")

    def mixture(self) -> IsotropicMixture:
        """The modes, equally weighted."""
        ticks = self.spacing * (np.arange(self.side) - (self.side - 1) / 2)
        means = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
        return IsotropicMixture(
            means=means,
            stds=np.full(len(means), self.std),
            weights=np.full(len(means), 1 / len(means)),
        )
