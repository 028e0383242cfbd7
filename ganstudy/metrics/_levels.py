"""Curves over levels from 0 to 1 that lie on the diagonal where two laws agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = np.linspace(0.0, 1.0, 30)
"""As many levels as in the authors' program."""


def near_the_diagonal(curve: NDArray[np.float64]) -> float:
    r"""$1 - 2 \sum_\alpha |\alpha - c_\alpha| \Delta\alpha$ of a curve at the levels.

    1 on the diagonal, 0 for a curve that is 0, or 1, throughout. The sum counts both ends in full,
    which makes it a 29th too large; what falls below 0 is cut off.
    """
    step = LEVELS[1] - LEVELS[0]
    return max(0.0, float(1 - 2 * np.abs(LEVELS - curve).sum() * step))
