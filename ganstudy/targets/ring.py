"""`ring`: Gaussians spaced evenly on a circle."""

from __future__ import annotations

import numpy as np
from pydantic import Field, model_validator

from ganstudy.targets._mixture import IsotropicMixture, MixtureTarget


class Ring(MixtureTarget):
    r"""Equally weighted Gaussians on a circle in the plane; the usual test of mode collapse.

    Maths   $p(x) = \frac1M \sum_k N(x; r (\cos 2\pi k/M, \sin 2\pi k/M), s^2 I)$. Closed, the
            angles are `linspace(0, 2 pi, M)`: M - 1 places, of which the first weighs 2/M.
    Source  Metz et al. 2017, Unrolled GAN, section 3.1 and appendix A (8 modes on a circle of
            radius 2 with std 0.02); here the radius is 1, so that data have unit scale. Closed
            is the ring of their notebook, and of GDPP's code (Elfeki et al. 2019).
    """

    modes: int = Field(8, ge=1, le=10_000, description="number of Gaussians")
    radius: float = Field(1.0, gt=0, description="radius of the circle")
    std: float = Field(0.02, gt=0, description="standard deviation of each Gaussian")
    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    closed: bool = Field(
        False,
        exclude_if=lambda closed: not closed,
        description="whether the first Gaussian and the last share a place",
    )

    @model_validator(mode="after")
    def _open_if_single(self) -> Ring:
        if self.closed and self.modes < 2:
            raise ValueError("a closed ring needs two modes, the first and the last, or more")
        return self

    def mixture(self) -> IsotropicMixture:
        """The modes, equally weighted but for the first of a closed ring."""
        places = self.modes - int(self.closed)
        angles = 2 * np.pi * np.arange(places) / places
        weights = np.full(places, 1 / self.modes)
        weights[0] += (self.modes - places) / self.modes
        return IsotropicMixture(
            means=self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1),
            stds=np.full(places, self.std),
            weights=weights,
        )
