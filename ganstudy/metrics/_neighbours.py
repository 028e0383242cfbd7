"""Balls around samples that reach to their k-th neighbour: an estimate of a law's support."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target

BLOCK = 1000
"""Rows of a distance matrix that are held at once."""


class NeighbourMetric(ComparedMetric, ABC):
    """A metric that looks at the k-th neighbour of samples; at the end, since that takes long."""

    at: ClassVar[Literal["every", "end"]] = "end"

    neighbours: int = Field(5, ge=1, description="k: a ball reaches to the k-th neighbour")

    def fewest(self, target: Target) -> int:
        """Ten times as many as neighbours: a ball is then a small part of the cloud."""
        return 10 * self.neighbours


class SymmetricMetric(NeighbourMetric, CloudMetric, ABC):
    """The smaller of two shares, of which the balls of p make one and those of q the other."""

    most_features: ClassVar[int | None] = 20
    """As for the improved precision and recall: in more dimensions balls miss their own law."""

    @abstractmethod
    def shares(self, cloud: Cloud, real: Cloud, of_p: NDArray[np.float64]) -> tuple[float, float]:
        """Both, from samples of q, samples of p, and how far the balls of p reach."""

    def measures(self, real: Cloud, target: Target) -> Measure:
        """The smaller share for each cloud."""
        of_p = radii(real, self.neighbours)
        return lambda cloud: min(self.shares(cloud, real, of_p))

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; balls of one law miss the other by chance for a share of 1 in 2^k."""
        at_equality = 1 - 0.5**self.neighbours
        return Reading(self.name.replace("_", " "), "1", "higher", (0.0, 1.0), at_equality)


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
