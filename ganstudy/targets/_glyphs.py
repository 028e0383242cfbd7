"""Shapes and colours that are drawn by code, for images whose modes are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array

    Drawing = Callable[[Array, Array], NDArray[np.bool_]]

__all__ = ["DARKEST", "SHAPES", "colours", "shapes"]

DARKEST, BRIGHTEST = -0.9, 0.9
"""The background, and the most that a channel of a colour has: noise on them stays an image."""

_FINE = 8
"""Points a side at which a pixel is looked at: it is as bright as the share of them inside."""

SHAPES: dict[str, Drawing] = {
    "square": lambda x, y: np.ones_like(x, bool),
    "core": lambda x, y: np.maximum(abs(x), abs(y)) < 0.5,
    "columns": lambda x, y: abs(x) > 0.5,
    "rows": lambda x, y: abs(y) > 0.5,
    "checker": lambda x, y: (x > 0) == (y > 0),
    "ring": lambda x, y: abs(np.hypot(x, y) - 0.775) <= 0.225,
    "cross": lambda x, y: abs(abs(x) - abs(y)) <= 0.4,
    "plus": lambda x, y: np.minimum(abs(x), abs(y)) <= 0.3,
    "triangle": lambda x, y: 2 * abs(x) <= y + 1,
    "wedge": lambda x, y: x <= y,
}
"""Whether a point of the square [-1, 1] x [-1, 1] is inside; x to the right, y downwards."""


@cache
def shapes(count: int, side: int) -> Array:
    """The first shapes, as how much of each pixel they cover, `(count, side, side)`."""
    ticks = (np.arange(side * _FINE) + 0.5) * 2 / (side * _FINE) - 1
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    drawn = np.stack([inside(x, y) for inside in list(SHAPES.values())[:count]])
    return np.asarray(drawn.reshape(count, side, _FINE, side, _FINE).mean(axis=(2, 4)))


@cache
def colours(count: int, channels: int) -> Array:
    """Colours as far apart as they come, from each other and the background, `(count, channels)`.

    Maths   the fewest evenly spaced levels of a channel that make enough colours, and of these the
            farthest from those chosen before, the background first: in one channel all of them.
    """
    levels = next(n for n in range(2, count + 2) if n**channels > count)
    known = np.array([*product(np.linspace(DARKEST, BRIGHTEST, levels), repeat=channels)])
    chosen = [0]
    nearest = np.full(len(known), np.inf)
    for _ in range(count):
        nearest = np.minimum(nearest, np.square(known - known[chosen[-1]]).sum(axis=1).round(9))
        chosen.append(int(nearest.argmax()))
    return np.asarray(known[chosen[1:]])
