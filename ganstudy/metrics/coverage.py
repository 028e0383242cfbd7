"""`coverage`: how much of p has samples near it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._neighbours import NeighbourMetric, covered, radii

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class Coverage(NeighbourMetric, CloudMetric):
    r"""Coverage: share of samples of p that have a sample of q in their ball.

    Maths   $\frac{1}{n} \sum_i 1[\, \min_j |y_j - x_i| \le r_k(x_i) \,]$; a ball reaches to the
            k-th neighbour among as many samples of p. At p = q the chance that the ball is empty is
            that the k nearest of $2n - 1$ exchangeable others are all of p:
            $1 - \prod_{j=1}^{k} (n - j)/(2n - j)$, about $1 - 2^{-k}$.
    Bias    none beside the stated value, which is the limit for many samples.
    Cost    two nearest-neighbour trees; at the end.
    Source  Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models",
            section 3.
    """

    judges: ClassVar[Judged | None] = "diversity"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Share of samples of p whose ball holds a sample of each cloud."""
        reach = radii(real, self.neighbours)
        return lambda cloud: covered(real, reach, cloud)

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; a perfect generator misses a share of 1 in 2^k."""
        return Reading("coverage", "1", "higher", (0.0, 1.0), 1 - 0.5**self.neighbours)
