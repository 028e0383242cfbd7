"""`symmetric_recall`: how much of p lies near samples, and has samples near it."""

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


class SymmetricRecall(CloudMetric):
    r"""Symmetric recall: the smaller of improved recall and coverage.

    Maths   $\min(R, C)$ with $R$ the share of samples of p in a ball of q, and $C$ the share of
            balls of p that hold a sample of q; balls reach to the k-th neighbour. Stray samples,
            whose balls are wide, raise R and leave C.
    Bias    downwards: the smaller of two shares that chance moves.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Khayatkhoei & AbdAlmageed 2023, "Emergent asymmetry of precision and recall for
            measuring fidelity and diversity of generative models in high dimensions".
    """

    at: ClassVar[Literal["every", "end"]] = "end"
    judges: ClassVar[Judged | None] = "diversity"
    most_features: ClassVar[int | None] = 20
    """As for the improved precision and recall: in more dimensions balls miss their own law."""

    neighbours: int = Field(5, ge=1, description="k: a ball reaches to the k-th neighbour")

    def fewest(self, target: Target) -> int:
        """Ten times as many as neighbours: a ball is then a small part of the cloud."""
        return 10 * self.neighbours

    def compute(self, samples: Array, target: Target) -> Array:
        """The smaller share for each cloud."""
        real = reference(target, samples.shape[-2])
        reach = radii(real, self.neighbours)

        def measure(cloud: Cloud) -> float:
            within = balls_around(real, cloud, radii(cloud, self.neighbours)) > 0
            return min(float(np.mean(within)), covered(real, reach, cloud))

        return each_cloud(samples, measure, worst=0.0)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; the balls of p miss q by chance for a share of 1 in 2^k."""
        at_equality = 1 - 0.5**self.neighbours
        return Reading("symmetric recall", "1", "higher", (0.0, 1.0), at_equality)
