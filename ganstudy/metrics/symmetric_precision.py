"""`symmetric_precision`: how many samples lie near p, and near what q is like there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._base import Judged
from ganstudy.metrics._neighbours import SymmetricMetric, balls_around, covered, radii

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud


class SymmetricPrecision(SymmetricMetric):
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

    judges: ClassVar[Judged | None] = "fidelity"

    def shares(self, cloud: Cloud, real: Cloud, of_p: NDArray[np.float64]) -> tuple[float, float]:
        """Samples of q near p, and those with samples of p near them."""
        near_p = float(np.mean(balls_around(cloud, real, of_p) > 0))
        return near_p, covered(cloud, radii(cloud, self.neighbours), real)
