"""The target as it is drawn behind samples: contours of its density, or a cloud of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from ganstudy.film import window_of
from ganstudy.report import style
from ganstudy.targets import Target, target_of

Array = NDArray[np.float64]

SHARE = 0.989
"""The contour encloses this share of p where its density is highest: three standard deviations."""

COUNT = 20_000
"""Samples of the target that set the window and the level."""

DRAWN = 2000
"""Of these, samples that are drawn where there is no density to draw."""


MOST_FEATURES = 1000
"""Features beyond which no plane of principal components is looked for."""

STANDARDISED = 4.0
"""Half the width of a window on data that are gone: their columns have mean 0 and deviation 1."""

TICKS = 300
"""Places a side at which the density is known where its contour is drawn."""

BEHIND = 600
"""Samples of a target without a density that are drawn behind those of q."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The target in a plane.

    lines       contour lines, `(points, 2)` each
    points      samples of the target in place of contours, `(count, 2)`
    axes        what takes features into the plane, `(dimension, 2)`
    """

    lines: list[Array]
    points: Array | None
    axes: Array
    centre: tuple[float, float]
    half_width: float

    def project(self, samples: NDArray[np.floating]) -> Array:
        """Samples in the plane; those of a trial may be padded with features that it lacks."""
        return np.asarray(samples[:, : len(self.axes)] @ self.axes, np.float64)


def backdrop(config: str) -> Backdrop:
    """The target with this JSON, in its plane or that of its two leading principal components."""
    target = target_of(config)
    if target.gone:  # and may be back when it is asked for again
        return Backdrop([], None, np.eye(target.dimension, 2), (0.0, 0.0), STANDARDISED)
    return _drawn(target)


@cache
def _drawn(target: Target) -> Backdrop:
    sample = _sample(target)
    axes = _plane(target)
    plane = sample @ axes
    edges = window_of(plane)
    centre = edges.mean(axis=1)
    half = float(edges[0, 1] - edges[0, 0]) / 2
    place = (float(centre[0]), float(centre[1]))
    if not target.has_density or target.dimension != 2:
        return Backdrop([], plane[:DRAWN], axes, place, half)
    ticks = np.linspace(-half, half, TICKS)
    x, y = np.meshgrid(centre[0] + ticks, centre[1] + ticks)
    # Just below it, or a density that is flat would have no point above its level.
    level = float(np.quantile(target.log_prob(sample), 1 - SHARE)) - 1e-6
    height = np.maximum(target.log_prob(np.stack([x, y], axis=-1)), level - 100)
    mesh = contour_generator(x, y, height)
    lines = [np.asarray(line, dtype=np.float64) for line in mesh.lines(level)]
    return Backdrop(lines, None, axes, place, half)


def _plane(target: Target) -> Array:
    if target.dimension == 2:
        return np.eye(2)
    from scipy.linalg import eigh

    last = target.dimension - 1
    covariance = target.moments()[1]
    _, vectors = eigh(covariance, subset_by_index=[max(last - 1, 0), last])
    # The sign of an eigenvector is anyone's; here its largest entry is positive.
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return np.asarray((vectors * np.sign(largest))[:, ::-1], np.float64)


def density(config: str) -> tuple[Array, Array]:
    """Abscissae and density of a target's first feature; a histogram where none is stated."""
    target = target_of(config)
    sample = _sample(target)[:, 0]
    low, high = np.quantile(sample, [0.0005, 0.9995])
    reach = 0.3 * (high - low)
    if not target.has_density or target.dimension != 1:
        heights, edges = np.histogram(sample, bins=60, range=(low, high), density=True)
        x = np.array([low - reach, *np.repeat(edges, 2), high + reach])
        return x, np.array([0.0, 0.0, *np.repeat(heights, 2), 0.0, 0.0])
    x = np.linspace(low - reach, high + reach, 400)
    return x, np.exp(target.log_prob(x[:, None]))


def gone(config: str) -> str:
    """Why nothing can be drawn of the target itself; empty where it can."""
    return target_of(config).gone


def in_a_plane(config: str) -> bool:
    """Whether there is a plane in which samples can be drawn; of data that are gone, their own."""
    target = target_of(config)
    return target.dimension == 2 if target.gone else target.dimension <= MOST_FEATURES


@cache
def features_of(config: str) -> int:
    """Number of features of the target with this JSON; trials of others may be padded to more."""
    return int(target_of(config).dimension)


def data_descriptions(configs: Iterable[str]) -> list[str]:
    """What the data are, for each target that is made of data."""
    return [target.description for target in map(target_of, configs) if target.holds_out]


def _sample(target: Target) -> Array:
    count = COUNT if target.dimension <= 2 else DRAWN
    return target.sample(np.random.default_rng(0), count).astype(np.float64)


def empty_square(axes: Axes) -> None:
    """A frame without ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(style.RULE)
    axes.set_box_aspect(1)


def draw_behind(axes: Axes, behind: Backdrop, window: Array) -> None:
    """The target in an empty square."""
    empty_square(axes)
    axes.set_xlim(*window[0])
    axes.set_ylim(*window[1])
    axes.add_collection(LineCollection(behind.lines, colors="#4b5563", linewidths=0.6, zorder=3))
    if behind.points is not None:
        draw_discs(axes, behind.points[:BEHIND], style.MUTED, size=1.0, zorder=1)


def draw_discs(
    axes: Axes, points: Array, colour: str, size: float, zorder: int = 4, alpha: float = 0.8
) -> None:
    """Small discs, as pixels where a figure is made of lines."""
    axes.plot(
        *points.T,
        linestyle="none",
        marker="o",
        markersize=size,
        markeredgewidth=0,
        color=colour,
        alpha=alpha,
        rasterized=True,
        zorder=zorder,
    )
