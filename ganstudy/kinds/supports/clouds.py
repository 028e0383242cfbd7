"""Two clouds of points as laws on the points of either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["laws", "masses"]


def masses(real: Array, fake: Array) -> tuple[Array, Array]:
    """Masses of p and q on the union of their points; points that coincide are one."""
    points, at = np.unique(np.concatenate([real, fake]), axis=0, return_inverse=True)
    count, at = len(real), at.ravel()
    p, q = (np.bincount(part, minlength=len(points)) for part in (at[:count], at[count:]))
    return p / count, q / count


def laws(real: Array, fake: Array) -> DiscreteLaws:
    """Both clouds as laws on the points of either."""
    return DiscreteLaws(*masses(real, fake), np.unique(np.concatenate([real, fake]), axis=0))
