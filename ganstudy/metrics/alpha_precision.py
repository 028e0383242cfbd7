"""`alpha_precision`: how the distances of samples from the middle of p compare with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric
from ganstudy.metrics._levels import LEVELS, near_the_diagonal

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class AlphaPrecision(ComparedMetric, CloudMetric):
    r"""Integrated alpha-precision: as many samples in each central part of p as it has itself.

    Maths   $P_\alpha$ is the share of samples within the distance from the mean of p that holds a
            share $\alpha$ of p; the metric is $1 - 2 \int |\alpha - P_\alpha| d\alpha$, 1 if q has
            in every ball about the mean what p has. It sees distances from one centre and nothing
            else.
    Bias    downwards, ~1/√n.
    Cost    some distances from one point; at the end.
    Source  Alaa, van Breugel, Saveliev & van der Schaar 2022, "How faithful is your synthetic
            data?", in the space of the samples: their embedding in a ball, a network that is
            trained on p, is left out.
    """

    at: ClassVar[Literal["every", "end"]] = "end"
    judges: ClassVar[Judged | None] = "fidelity"

    def fewest(self, target: Target) -> int:
        """A hundred: the curve of fewer is some tenths off."""
        return 100

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Nearness of each cloud's curve to the diagonal."""
        centre = real.mean(axis=0)
        within = np.quantile(np.linalg.norm(real - centre, axis=1), LEVELS)

        def measure(cloud: Cloud) -> float:
            distance = np.linalg.norm(cloud - centre, axis=1)
            return near_the_diagonal((distance[:, None] <= within).mean(axis=0))

        return measure

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("integrated alpha-precision", "1", "higher", (0.0, 1.0), 1.0)
