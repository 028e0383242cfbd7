"""`checkerboard`: the dark squares of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.targets._base import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class Checkerboard(Target):
    r"""Uniform on every other square of a board centred at the origin; its density has jumps.

    Maths   $p(x) = 1/(m h^2)$ on the m dark squares of side h, 0 elsewhere.
    Source  Grathwohl et al. 2019, FFJORD, toy data "checkerboard" (4 x 4 squares of side 2).
    """

    squares: int = Field(4, ge=1, le=1000, description="squares along each side of the board")
    side: float = Field(2.0, gt=0, description="length of a square")

    @property
    def dimension(self) -> int:
        """The plane."""
        return 2

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """A dark square, then a place in it."""
        corners = (self.side * (self._dark() - self.squares / 2)).astype(np.float32)
        drawn = rng.random((count, 2), dtype=np.float32)
        drawn *= np.float32(self.side)
        drawn += np.take(corners, rng.integers(len(corners), size=count), axis=0)
        return drawn

    def moments(self) -> tuple[Array, Array]:
        """Those of the squares' centres, plus the variance of one square."""
        centres = self.side * (self._dark() + 0.5 - self.squares / 2)
        within = self.side**2 / 12 * np.eye(2)
        return centres.mean(axis=0), np.cov(centres.T, bias=True).reshape(2, 2) + within

    def log_prob(self, x: Array) -> Array:
        """Constant on the dark squares, minus infinity elsewhere."""
        square = np.floor(np.asarray(x, np.float64) / self.side + self.squares / 2)
        inside = ((square >= 0) & (square < self.squares)).all(axis=-1)
        dark = inside & (square.sum(axis=-1) % 2 == 0)
        height = -float(np.log(len(self._dark()) * self.side**2))
        return np.where(dark, height, -np.inf)

    def _dark(self) -> Array:
        """Column and row of the dark squares, shape `(dark, 2)`."""
        places = np.stack(np.divmod(np.arange(self.squares**2), self.squares), axis=-1)
        return np.asarray(places[places.sum(axis=-1) % 2 == 0], np.float64)
