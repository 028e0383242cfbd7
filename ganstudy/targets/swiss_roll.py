"""`swiss_roll`: a spiral of one arm in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.targets._curve import CurveTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class SwissRoll(CurveTarget):
    r"""A spiral of one and a half turns, which is connected and has no modes to count.

    Maths   $x = (t \cos t, t \sin t)/c + s \varepsilon$ with t uniform on $[1.5\pi, 4.5\pi]$.
    Source  Huszar 2016, which shows the alternative updates on it; the law is scikit-learn's
            make_swiss_roll without its second feature, with the scale and noise (0.25 before
            scaling) of Gulrajani et al. 2017's toy data. Huszar does not state his.
    """

    scale: float = Field(7.5, gt=0, description="divides the coordinates; the radius is 4.5 pi/c")
    std: float = Field(0.25 / 7.5, gt=0, description="standard deviation of the noise, as scaled")

    @property
    def curves(self) -> int:
        """One."""
        return 1

    @property
    def noise(self) -> float:
        """As given."""
        return self.std

    def curve(self, index: NDArray[np.integer], t: Array) -> Array:
        """The spiral."""
        angle = 1.5 * np.pi * (1 + 2 * t)
        return np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=-1) / self.scale
