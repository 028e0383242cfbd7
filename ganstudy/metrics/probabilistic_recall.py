"""`probabilistic_recall`: how surely p lies where there are samples."""

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


class ProbabilisticRecall(NeighbourMetric, CloudMetric):
    r"""P-recall: mean probability that a sample of p lies in the support of q.

    Maths   as `probabilistic_precision` with the parts exchanged: the mean over samples x of p of
            $1 - \prod_j \min(1, |x - y_j| / R)$, R from the samples of q.
    Bias    little: R shrinks as samples grow dense, so that as many vouch for a point. What it
            is at p = q depends on p, and is estimated with 1,000 samples.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Park & Kim 2023, "Probabilistic precision and recall towards reliable evaluation of
            generative models"; k and a as in their program.
    """

    judges: ClassVar[Judged | None] = "diversity"
    neighbours: int = Field(4, ge=1, description="k: R is a mean distance to the k-th neighbour")
    stretch: float = Field(1.2, gt=0, description="a: R in these distances")

    def compute(self, samples: Array, target: Target) -> Array:
        """Mean membership, for each cloud."""
        real = reference(target, samples.shape[-2])

        def measure(cloud: Cloud) -> float:
            return mean_membership(real, cloud, self.neighbours, self.stretch)

        return each_cloud(samples, measure, worst=0.0, against=target)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; at p = q that of two clouds of p."""
        perfect = membership_at_equality(target, self.neighbours, self.stretch)
        return Reading("probabilistic recall", "1", "higher", (0.0, 1.0), perfect)
