"""`recall`: how much of p lies where there are samples."""

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


class Recall(NeighbourMetric, CloudMetric):
    """Improved recall: share of p within the estimated support of q.

    Maths   as `precision` with the parts exchanged: samples of p in the union of balls around the
            samples of q, each reaching to its k-th neighbour.
    Bias    downwards, as that of `precision`. Stray samples between the
            modes have wide balls that can cover whole modes, so that recall may flatter a poor q.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing
            generative models".
    """

    judges: ClassVar[Judged | None] = "diversity"
    most_features: ClassVar[int | None] = 20
    """With 1,000 samples of a Gaussian a perfect generator has 0.98 in the plane, 0.88 in 8
    dimensions, 0.75 in 20, and 0.65 in 50."""

    neighbours: int = Field(3, ge=1, description="k: a ball reaches to the k-th neighbour")

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Share of samples of p within the estimated support of each cloud."""

        def measure(cloud: Cloud) -> float:
            return float(np.mean(balls_around(real, cloud, radii(cloud, self.neighbours)) > 0))

        return measure

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("improved recall", "1", "higher", (0.0, 1.0), 1.0)
