"""`probabilistic_precision`: how surely samples lie where p has samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ganstudy.metrics._base import Judged
from ganstudy.metrics._probabilistic import ProbabilisticMetric

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class ProbabilisticPrecision(ProbabilisticMetric):
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

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Mean membership, for each cloud."""
        return lambda cloud: self.membership(cloud, real)
