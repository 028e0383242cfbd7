"""What a good metric does along a sweep, as margins: how far inside what is allowed, or outside.

A margin of at least zero is a pass; thresholds are those of Räisä et al. 2025. Arguments are the
metric along the sweep, `(points,)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NEAR = 0.05
"""Values that differ by at most this are the same."""
RISE = 0.2
"""Least difference between a high and a low value."""
STRAY = 0.1
"""How far a curve may go beyond its high and below its low value."""


def near(value: float, target: float) -> float:
    """Close to a value."""
    return NEAR - abs(float(value) - target)


def ends_near(values: Array, target: float) -> float:
    """Close to a value at both ends."""
    return min(near(values[0], target), near(values[-1], target))


def flat(values: Array) -> float:
    """The same all along."""
    return NEAR - float(np.ptp(values))


def settles(values: Array) -> float:
    """The same in the second half."""
    return flat(values[len(values) // 2 :])


def falls(values: Array) -> float:
    """High at the left end and low at the right."""
    left, right = float(values[0]), float(values[-1])
    over, under = float(values.max()) - left, right - float(values.min())
    return min(left - right - RISE, STRAY - over, STRAY - under)


def rises(values: Array) -> float:
    """Low at the left end and high at the right."""
    return falls(values[::-1])


def peaks(values: Array) -> float:
    """High in the middle and low at both ends; one of them is near the least value."""
    middle, ends = float(values[len(values) // 2]), values[[0, -1]]
    over, under = float(values.max()) - middle, float(ends.min() - values.min())
    return min(middle - float(ends.max()) - RISE, STRAY - over, STRAY - under)


def one_peak(values: Array) -> tuple[float, float]:
    """Shape and values of a curve that is 1 where p = q, in the middle, and 0 far away."""
    ends = ends_near(values, 0.0)
    return peaks(values), min(near(values[len(values) // 2], 1.0), ends)


def drops_by(values: Array, place: int) -> float:
    """It has dropped by a tenth at a place on the way."""
    return float(values[0] - values[place]) - STRAY
