"""`probabilistic_recall`: how surely p lies where there are samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ganstudy.metrics._base import Judged
from ganstudy.metrics._probabilistic import ProbabilisticMetric

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class ProbabilisticRecall(ProbabilisticMetric):
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

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Mean membership, for each cloud."""
        return lambda cloud: self.membership(real, cloud)
