"""The film of a trial in the plane: what a frame holds, where, and at which M-steps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets import Target

    Array = NDArray[np.float64]

__all__ = [
    "ARROWS",
    "FILM",
    "GRID",
    "PARTICLES",
    "VIEWS",
    "frame_steps",
    "grid",
    "window",
    "window_of",
]

FILM: dict[str, tuple[str, ...]] = {
    "frame_step": ("frame",),
    "film_window": ("coordinate", "edge"),
    "frame_samples": ("frame", "particle", "coordinate"),
    "critic_logits": ("frame", "grid_y", "grid_x"),
    "generator_pull": ("frame", "arrow_y", "arrow_x", "coordinate"),
}
"""Dimensions of each array of a film; the last two only where a critic judges single points."""

VIEWS = ("frame_samples", "critic_logits", "generator_pull")
"""The large ones of them."""

PARTICLES = 128
"""Samples that are followed: the first of those that the metrics see."""

GRID, ARROWS = 24, 16
"""Points a side at which logits, and at which gradients are kept.

Their squares are multiples of what a vectorised loop handles at once: see decision 3.
"""

COUNT = 20_000
"""Samples of the target that set the window."""


def frame_steps(recorded: NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """The recorded steps that become frames: evenly spaced, the last among them."""
    if not frames:
        return recorded[:0]
    places = np.linspace(len(recorded) - 1, 0, min(frames, len(recorded)))
    return recorded[np.unique(np.round(places).astype(np.int64))]


@cache
def window(target: Target) -> Array:
    """A square about a law in the plane, `(coordinate, low and high edge)`.

    A few samples far out would shrink the rest to a dot: the law without a thousandth of it takes
    up all but the outer rim.
    """
    sample = target.sample(np.random.default_rng(0), COUNT).astype(np.float64)
    return window_of(sample)


def window_of(sample: Array) -> Array:
    """The square about a cloud in the plane, `(count, 2) -> (coordinate, edge)`."""
    low, high = np.quantile(sample, [0.0005, 0.9995], axis=0)
    half = 1.3 * float((high - low).max()) / 2
    centre = (low + high) / 2
    return np.stack([centre - half, centre + half], axis=-1)


def grid(edges: Array, points: int) -> tuple[Array, Array]:
    """Abscissae and ordinates of a grid of cells' middles in a window, `(points,)` each."""
    places = (np.arange(points) + 0.5) / points
    x, y = (low + (high - low) * places for low, high in edges)
    return x, y
