"""`probabilistic_precision`: how surely samples lie where p has samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._clouds import each_cloud, reference
from ganstudy.metrics._neighbours import NeighbourMetric
from ganstudy.metrics._probabilistic import mean_membership, membership_at_equality

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target


class ProbabilisticPrecision(NeighbourMetric, CloudMetric):
    r"""P-precision: mean probability that a sample of q lies in the support of p.

    Maths   the mean over samples y of q of $1 - \prod_i \min(1, |y - x_i| / R)$ over as many
            samples $x_i$ of p; R is a times the mean distance of samples of p to their k-th
            neighbour, the same for all, so that outliers have no wider balls.
    Bias    little: R shrinks as samples grow dense, so that as many vouch for a point. What it
            is at p = q depends on p, and is estimated with 1,000 samples.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Park & Kim 2023, "Probabilistic precision and recall towards reliable evaluation of
            generative models"; k and a as in their program.
    """

    judges: ClassVar[Judged | None] = "fidelity"
    neighbours: int = Field(4, ge=1, description="k: R is a mean distance to the k-th neighbour")
    stretch: float = Field(1.2, gt=0, description="a: R in these distances")

    def compute(self, samples: Array, target: Target) -> Array:
        """Mean membership, for each cloud."""
        real = reference(target, samples.shape[-2])

        def measure(cloud: Cloud) -> float:
            return mean_membership(cloud, real, self.neighbours, self.stretch)

        return each_cloud(samples, measure, worst=0.0, against=target)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; at p = q that of two clouds of p."""
        perfect = membership_at_equality(target, self.neighbours, self.stretch)
        return Reading("probabilistic precision", "1", "higher", (0.0, 1.0), perfect)
