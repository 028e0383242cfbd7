"""Balls around samples that reach to their k-th neighbour: an estimate of a law's support."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud

BLOCK = 1000
"""Rows of a distance matrix that are held at once."""


def radii(cloud: Cloud, neighbours: int) -> NDArray[np.float64]:
    """Distance of each sample to its k-th nearest other sample, shape `(samples,)`."""
    from scipy.spatial import KDTree

    # A sample is its own nearest neighbour. In a cloud of fewer samples the farthest stands in.
    rank = min(neighbours + 1, len(cloud))
    distance, _ = KDTree(cloud).query(cloud, k=[rank])
    return np.asarray(distance)[:, 0]


def balls_around(points: Cloud, centres: Cloud, reach: NDArray[np.float64]) -> NDArray[np.int64]:
    """In how many of the balls each point lies, shape `(points,)`."""
    from scipy.spatial.distance import cdist

    counts = [
        (cdist(points[start : start + BLOCK], centres) <= reach).sum(axis=1)
        for start in range(0, len(points), BLOCK)
    ]
    return np.concatenate(counts)


def covered(centres: Cloud, reach: NDArray[np.float64], points: Cloud) -> float:
    """Share of the balls that hold a point."""
    from scipy.spatial import KDTree

    nearest, _ = KDTree(points).query(centres)
    return float(np.mean(nearest <= reach))
