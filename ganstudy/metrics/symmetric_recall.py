"""`symmetric_recall`: how much of p lies near samples, and has samples near it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._base import Judged
from ganstudy.metrics._neighbours import SymmetricMetric, balls_around, covered, radii

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud


class SymmetricRecall(SymmetricMetric):
    r"""Symmetric recall: the smaller of improved recall and coverage.

    Maths   $\min(R, C)$ with $R$ the share of samples of p in a ball of q, and $C$ the share of
            balls of p that hold a sample of q; balls reach to the k-th neighbour. Stray samples,
            whose balls are wide, raise R and leave C.
    Bias    downwards: the smaller of two shares that chance moves.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Khayatkhoei & AbdAlmageed 2023, "Emergent asymmetry of precision and recall for
            measuring fidelity and diversity of generative models in high dimensions".
    """

    judges: ClassVar[Judged | None] = "diversity"

    def shares(self, cloud: Cloud, real: Cloud, of_p: NDArray[np.float64]) -> tuple[float, float]:
        """Samples of p near q, and those with samples of q near them."""
        within = balls_around(real, cloud, radii(cloud, self.neighbours)) > 0
        return float(np.mean(within)), covered(real, of_p, cloud)
