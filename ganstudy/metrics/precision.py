"""`precision`: how many samples lie where p has samples too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._neighbours import NeighbourMetric, balls_around, radii

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class Precision(NeighbourMetric, CloudMetric):
    r"""Improved precision: share of samples of q within the estimated support of p.

    Maths   the support is the union of balls around as many samples of p, each reaching to its
            k-th neighbour.
    Bias    downwards: at p = q a few samples in a hundred (k = 3, in the plane) lie in no ball, at
            any sample size. Outliers of p have wide balls, which forgive samples near them.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing
            generative models".
    """

    judges: ClassVar[Judged | None] = "fidelity"
    most_features: ClassVar[int | None] = 20
    """With 1,000 samples of a Gaussian a perfect generator has 0.98 in the plane, 0.88 in 8
    dimensions, 0.75 in 20, and 0.65 in 50."""

    neighbours: int = Field(3, ge=1, description="k: a ball reaches to the k-th neighbour")

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Share of each cloud within the estimated support of p."""
        reach = radii(real, self.neighbours)
        return lambda cloud: float(np.mean(balls_around(cloud, real, reach) > 0))

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("improved precision", "1", "higher", (0.0, 1.0), 1.0)
