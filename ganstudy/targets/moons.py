"""`moons`: two interleaved half circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.targets._curve import CurveTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class Moons(CurveTarget):
    r"""Two half circles that reach into one another; the label is the moon.

    Maths   $(\cos \pi t, \sin \pi t)$ and $(1 - \cos \pi t, \frac12 - \sin \pi t)$ with t uniform
            on $[0, 1]$, plus noise.
    Source  scikit-learn, make_moons; noise 0.1 as in FFJORD's toy data, which scales and shifts
            them as well. There the points on a moon are evenly spaced, here they are drawn.
    """

    std: float = Field(0.1, gt=0, description="standard deviation of the noise")

    @property
    def curves(self) -> int:
        """Two."""
        return 2

    @property
    def noise(self) -> float:
        """As given."""
        return self.std

    def curve(self, index: NDArray[np.integer], t: Array) -> Array:
        """The upper moon, then the lower one."""
        cos, sin = np.cos(np.pi * t), np.sin(np.pi * t)
        x = np.where(index == 0, cos, 1 - cos)
        return np.stack([x, np.where(index == 0, sin, 0.5 - sin)], axis=-1)
