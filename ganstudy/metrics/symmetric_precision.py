"""`symmetric_precision`: how many samples lie near p, and near what q is like there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._clouds import each_cloud, reference
from ganstudy.metrics._neighbours import balls_around, covered, radii

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target


class SymmetricPrecision(CloudMetric):
    r"""Symmetric precision: the smaller of two shares of samples that are near samples of p.

    Maths   $\min(P, P')$ with $P$ the improved precision, samples of q in a ball of p, and
            $P'$ the share of samples of q whose own ball, which reaches to the k-th neighbour
            among them, holds a sample of p. In many dimensions the first takes an inner shell of p
            for p and the second an outer one, so that neither escapes both.
    Bias    downwards: the smaller of two shares that chance moves.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Khayatkhoei & AbdAlmageed 2023, "Emergent asymmetry of precision and recall for
            measuring fidelity and diversity of generative models in high dimensions".
    """

    at: ClassVar[Literal["every", "end"]] = "end"
    judges: ClassVar[Judged | None] = "fidelity"
    most_features: ClassVar[int | None] = 20
    """As for the improved precision and recall: in more dimensions balls miss their own law."""

    neighbours: int = Field(5, ge=1, description="k: a ball reaches to the k-th neighbour")

    def fewest(self, target: Target) -> int:
        """Ten times as many as neighbours: a ball is then a small part of the cloud."""
        return 10 * self.neighbours

    def compute(self, samples: Array, target: Target) -> Array:
        """The smaller share of each cloud."""
        real = reference(target, samples.shape[-2])
        reach = radii(real, self.neighbours)

        def measure(cloud: Cloud) -> float:
            near_p = float(np.mean(balls_around(cloud, real, reach) > 0))
            return min(near_p, covered(cloud, radii(cloud, self.neighbours), real))

        return each_cloud(samples, measure, worst=0.0)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; the balls of q miss p by chance for a share of 1 in 2^k."""
        at_equality = 1 - 0.5**self.neighbours
        return Reading("symmetric precision", "1", "higher", (0.0, 1.0), at_equality)
