"""The target as it is drawn behind samples: contours of its density, or a cloud of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from ganstudy.targets import Target, from_config

Array = NDArray[np.float64]

SHARE = 0.989
"""The contour encloses this share of p where its density is highest: three standard deviations."""

COUNT = 20_000
"""Samples of the target that set the window and the level."""

DRAWN = 2000
"""Of these, samples that are drawn where there is no density to draw."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """Contour lines `(points, 2)` each, or samples `(count, 2)`, and the square that shows them."""

    lines: list[Array]
    points: Array | None
    centre: tuple[float, float]
    half_width: float


@cache
def backdrop(config: str, resolution: int = 400) -> Backdrop:
    """The target with this JSON in the plane of its first two features."""
    target = from_config(json.loads(config))
    sample = _sample(target)
    plane = sample[:, :2]
    # Heavy tails would shrink the rest to a dot: the window holds all but a thousandth.
    low, high = np.quantile(plane, [0.0005, 0.9995], axis=0)
    centre = (low + high) / 2
    half = 1.3 * float((high - low).max()) / 2
    place = (float(centre[0]), float(centre[1]))
    if not target.has_density or target.dimension != 2:
        return Backdrop([], plane[:DRAWN], place, half)
    ticks = np.linspace(-half, half, resolution)
    x, y = np.meshgrid(centre[0] + ticks, centre[1] + ticks)
    level = float(np.quantile(target.log_prob(sample), 1 - SHARE))
    height = np.maximum(target.log_prob(np.stack([x, y], axis=-1)), level - 100)
    lines = [
        np.asarray(line, dtype=np.float64) for line in contour_generator(x, y, height).lines(level)
    ]
    return Backdrop(lines, None, place, half)


def density(config: str) -> tuple[Array, Array]:
    """Abscissae and density of a target of one feature; a histogram where none is stated."""
    target = from_config(json.loads(config))
    sample = _sample(target)[:, 0]
    low, high = np.quantile(sample, [0.0005, 0.9995])
    reach = 0.3 * (high - low)
    if not target.has_density or target.dimension != 1:
        heights, edges = np.histogram(sample, bins=60, range=(low, high), density=True)
        return np.repeat(edges, 2)[1:-1], np.repeat(heights, 2)
    x = np.linspace(low - reach, high + reach, 400)
    return x, np.exp(target.log_prob(x[:, None]))


def _sample(target: Target) -> Array:
    return target.sample(np.random.default_rng(0), COUNT).astype(np.float64)
