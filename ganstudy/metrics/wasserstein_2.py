"""`wasserstein_2`: how far samples must be carried to become p, by squared distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Metric, Reading
from ganstudy.metrics._transport import distance_to_target

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class Wasserstein2(Metric):
    r"""Wasserstein-2 distance between samples of q and of p, exact on a subsample.

    Maths   $(\min_\pi E|y - x|^2)^{1/2}$ over couplings of the two clouds, which for clouds of
            equal size are matchings. Missing modes weigh more than in `wasserstein_1`.
    Bias    upwards: two clouds of p itself are some way apart, about $m^{-1/d}$ of their width for
            m samples in d > 2 dimensions. The distance of a perfect sampler says how far.
    Cost    an assignment problem, growing as the cube of `subsample`; at the end.
    Source  Peyré and Cuturi 2019, "Computational optimal transport", section 2.
    """

    at: ClassVar[Literal["every", "end"]] = "end"
    subsample: int = Field(500, ge=2, description="samples of each law that are matched")

    def compute(self, samples: Array, target: Target) -> Array:
        """Distance of each cloud."""
        return distance_to_target(samples, target, order=2, subsample=self.subsample)

    def reading(self, target: Target) -> Reading:
        """From 0 up, in the units of the samples."""
        return Reading("Wasserstein-2 distance", "", "lower", (0.0, np.inf), 0.0)
