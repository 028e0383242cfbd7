"""`support_size`: how many different samples the generator has, by how often two coincide."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._clouds import draws, each_cloud, typical_distance_in

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target

DRAWS, COINCIDENCES = 4000, 100
"""Samples of p that its own support is told by, and how many of their pairs must coincide: a trial
has fewer samples, and of ten coincidences might have none.
"""


class SupportSize(CloudMetric):
    r"""Birthday-paradox estimate of the support: the number of pairs for one that coincides.

    Maths   $\binom{n}{2} / c$ with c the number of pairs of samples within `resolution` median
            distances of p. For a law that is uniform on N points it is N on average over c; in
            general it is $1 / P(\text{two samples coincide})$, to which points in dense places
            count most. Without a coincidence c is taken for 1: the support is at least that large.
            At p = q a value is stated where a hundred pairs of 4,000 samples of p coincide.
    Bias    none to speak of while c is many; of a larger support no more than all pairs are seen.
    Cost    pairs that are close, found by a tree; at the end.
    Source  Arora and Zhang 2017, "Do GANs actually learn the distribution? An empirical study",
            section 2, where a person looks for duplicates; here a distance decides.
    """

    at: ClassVar[Literal["every", "end"]] = "end"
    of_many: ClassVar[bool] = True
    resolution: float = Field(0.01, gt=0, description="coincide: within this, in median distances")

    def compute(self, samples: Array, target: Target) -> Array:
        """Estimate for each cloud."""
        distance = self.resolution * typical_distance_in(target)
        return each_cloud(samples, lambda cloud: _pairs_per_coincidence(cloud, distance), worst=1.0)

    def reading(self, target: Target) -> Reading:
        """From 1, all samples coincide, up."""
        return Reading("support size", "samples", "higher", (1.0, np.inf), _perfect(self, target))


@cache
def _perfect(metric: SupportSize, target: Target) -> float:
    found = _pairs_per_coincidence(
        draws(target, DRAWS), metric.resolution * typical_distance_in(target)
    )
    return found if DRAWS * (DRAWS - 1) / 2 / found >= COINCIDENCES else np.nan


def _pairs_per_coincidence(cloud: Cloud, distance: float) -> float:
    from scipy.spatial import KDTree

    if np.isnan(distance):
        return np.nan
    tree, count = KDTree(cloud), len(cloud)
    # Counted are ordered pairs, and every sample with itself.
    coincident = (int(tree.count_neighbors(tree, distance)) - count) // 2
    return count * (count - 1) / 2 / max(coincident, 1)
