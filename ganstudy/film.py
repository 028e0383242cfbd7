"""The film of a trial in the plane: what a frame holds, where, and at which M-steps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.variable import Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets import Target

    Array = NDArray[np.float64]

__all__ = [
    "ARROWS",
    "FILM",
    "GRID",
    "IMAGE_FILM",
    "PARTICLES",
    "PLACES",
    "VIEWS",
    "coordinates",
    "frame_steps",
    "grid",
    "images_filmed",
    "window",
    "window_of",
]

FILM = (
    Variable("frame_step", "M-step of each frame", ("frame",), once=True),
    Variable(
        "film_window",
        "the square about the target in which a trial is filmed",
        ("coordinate", "edge"),
        once=True,
    ),
    Variable(
        "frame_samples",
        "samples of the generator from latent noise held fixed",
        ("frame", "particle", "coordinate"),
        bulky=True,
    ),
    Variable("critic_logits", "logits of the critic", ("frame", "grid_y", "grid_x"), bulky=True),
    Variable(
        "generator_pull",
        "minus the gradient of the generator's loss in a sample's position",
        ("frame", "arrow_y", "arrow_x", "coordinate"),
        bulky=True,
    ),
)
"""What a film holds; the last two only where a critic judges single points."""

IMAGE_FILM = (
    FILM[0],
    Variable(
        "frame_images",
        "images of the generator from latent noise held fixed",
        ("frame", "picture", "feature"),
        bulky=True,
    ),
)
"""What a film of images holds."""

PLACES = (
    Variable("grid_x", "first coordinate of the logits", ("grid_x",)),
    Variable("grid_y", "second coordinate of the logits", ("grid_y",)),
    Variable("arrow_x", "first coordinate of the gradients", ("arrow_x",)),
    Variable("arrow_y", "second coordinate of the gradients", ("arrow_y",)),
)
"""Where the points of a film lie."""

VIEWS = tuple(variable.name for variable in FILM if variable.bulky)
"""Names of what a frame shows."""

PARTICLES = 128
"""Samples that are followed: the first of those that the metrics see."""

PICTURES, PIXELS = 16, 2**16
"""Most images of a frame, and most numbers; images are the first that the metrics see."""

GRID, ARROWS = 24, 16
"""Points a side at which logits, and at which gradients are kept.

Their squares are multiples of what a vectorised loop handles at once: see decision 3.
"""

COUNT = 20_000
"""Samples of the target that set the window."""


def images_filmed(dimension: int) -> int:
    """How many images of a size a frame holds."""
    return max(1, min(PICTURES, PIXELS // dimension))


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


def coordinates(
    sizes: Mapping[str, int], shared: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Names of coordinates and edges; the points of both grids where all films share a window."""
    if "edge" not in sizes:
        return {}
    found = {"coordinate": np.array(["x", "y"]), "edge": np.array(["low", "high"])}
    if "film_window" in shared:
        edges = shared["film_window"].astype(np.float64)
        for part in ("grid", "arrow"):
            if f"{part}_x" in sizes:
                found[f"{part}_x"], found[f"{part}_y"] = grid(edges, sizes[f"{part}_x"])
    return found
