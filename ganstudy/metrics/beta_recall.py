"""`beta_recall`: how much of p has a sample nearer than its own nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.metrics._base import Judged, Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric
from ganstudy.metrics._levels import LEVELS, near_the_diagonal
from ganstudy.metrics._neighbours import radii

if TYPE_CHECKING:
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class BetaRecall(ComparedMetric, CloudMetric):
    r"""Integrated beta-recall: samples of p with a sample nearer than p's own, in each part of q.

    Maths   $R_\beta$ is the share of samples x of p whose nearest sample y of q is no farther than
            their nearest other sample of p, and is among the share $\beta$ of such y that lie
            nearest to the mean of q; the metric is $1 - 2 \int |\beta - R_\beta| d\beta$. At p = q
            either is the nearer with equal chance, $R_\beta = \beta/2$: the metric is 1/2, and 1
            for a q that lies on the samples of p.
    Bias    little.
    Cost    two nearest-neighbour trees; at the end.
    Source  Alaa, van Breugel, Saveliev & van der Schaar 2022, "How faithful is your synthetic
            data?", as their program has it, without the embedding (see `alpha_precision`).
    """

    at: ClassVar[Literal["every", "end"]] = "end"
    judges: ClassVar[Judged | None] = "diversity"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Nearness of each cloud's curve to the diagonal."""
        from scipy.spatial import KDTree

        reach = radii(real, 1)

        def measure(cloud: Cloud) -> float:
            nearest, at = KDTree(cloud).query(real)
            outwards = np.linalg.norm(cloud[at] - cloud.mean(axis=0), axis=1)
            central = outwards[:, None] <= np.quantile(outwards, LEVELS)
            return near_the_diagonal((central & (nearest <= reach)[:, None]).mean(axis=0))

        return measure

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; 1/2 at p = q."""
        return Reading("integrated beta-recall", "1", "higher", (0.0, 1.0), 0.5)
