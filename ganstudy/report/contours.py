"""The target's density as contours in the plane of its first two features."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from ganstudy.targets import IsotropicMixture, from_config

Array = NDArray[np.float64]

RADIUS = 3.0
"""The contour lies where a lone Gaussian is this many standard deviations from its mean."""


@dataclass(frozen=True, eq=False)
class Contours:
    """Contour lines, each of shape `(points, 2)`, and the square window that shows them."""

    lines: list[Array]
    centre: tuple[float, float]
    half_width: float


@cache
def target_contours(config: str, resolution: int = 300) -> Contours:
    """Contours of the target with this JSON; of its marginal if it has more than two features.

    A marginal of a mixture of isotropic Gaussians is the mixture with shortened means.
    """
    marginal = marginal_law(config, features=2)
    means, reach = marginal.means, 4 * float(marginal.stds.max())
    low, high = means.min(axis=0) - reach, means.max(axis=0) + reach
    centre = (low + high) / 2
    half = 1.25 * float((high - low).max()) / 2
    ticks = np.linspace(-half, half, resolution)
    x, y = np.meshgrid(centre[0] + ticks, centre[1] + ticks)
    mesh = contour_generator(x, y, marginal.log_prob(np.stack([x, y], axis=-1)))
    peak = float(marginal.log_prob(means).max())
    level = peak - 0.5 * RADIUS**2
    lines = [np.asarray(line, dtype=np.float64) for line in mesh.lines(level)]
    return Contours(lines, (float(centre[0]), float(centre[1])), half)


def marginal_law(config: str, features: int) -> IsotropicMixture:
    """Law of the target's first features."""
    mixture = from_config(json.loads(config)).mixture()
    return replace(mixture, means=mixture.means[:, :features])
