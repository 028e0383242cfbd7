"""`spirals`: interleaved spirals that start at the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.targets._curve import CurveTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class Spirals(CurveTarget):
    r"""Spirals of Archimedes turned against one another; the label is the arm.

    Maths   $x = r t\, (-\cos 2\pi n t, \sin 2\pi n t)$, turned by $2\pi k/K$ for arm k, with
            $t = \sqrt u$ and u uniform, which fills the arms about evenly; plus noise.
    Source  Grathwohl et al. 2019, FFJORD, toy data "2spirals" (1.5 turns, radius pi, std 0.1);
            its second noise, uniform on [0, 1/6] along each axis, is left out.
    """

    arms: int = Field(2, ge=1, le=1000, description="number of spirals")
    turns: float = Field(1.5, gt=0, description="turns of each spiral")
    radius: float = Field(np.pi, gt=0, description="distance from the origin at the end")
    std: float = Field(0.1, gt=0, description="standard deviation of the noise")

    @property
    def curves(self) -> int:
        """The arms."""
        return self.arms

    @property
    def noise(self) -> float:
        """As given."""
        return self.std

    def curve(self, index: NDArray[np.integer], t: Array) -> Array:
        """The arms."""
        angle = 2 * np.pi * (self.turns * t - index / self.arms)
        return self.radius * np.stack([-t * np.cos(angle), t * np.sin(angle)], axis=-1)

    def quantile(self, u: Array) -> Array:
        r"""$\sqrt u$."""
        return np.sqrt(u)

    def weight(self, t: Array) -> Array:
        """2t."""
        return 2 * t
