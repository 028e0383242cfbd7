"""`classifier_two_sample`: how often a classifier tells samples from p."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._compared import ComparedMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class ClassifierTwoSample(ComparedMetric, CloudMetric):
    r"""Classifier two-sample test: held-out accuracy of a k-nearest-neighbour classifier.

    Maths   half of the samples of q and as many of p are remembered; the others are classified by
            the vote of their k nearest, k the odd number next to the root of the number remembered.
    Bias    none at p = q: 1/2 on average, with a standard error of $1/(2\sqrt n)$.
    Cost    one nearest-neighbour tree; at the end.
    Source  Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests", section 3.
    """

    at: ClassVar[Literal["every", "end"]] = "end"

    def measures(self, real: Cloud, target: Target) -> Measure:
        """Accuracy on each cloud."""
        half = len(real) // 2

        def measure(cloud: Cloud) -> float:
            known = np.concatenate([real[:half], cloud[:half]])
            neighbours = int(np.sqrt(len(known))) | 1
            share = [_share_fake(x[half:], known, half, neighbours) for x in (real, cloud)]
            return float((np.mean(share[0] < 0.5) + np.mean(share[1] > 0.5)) / 2)

        return measure

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; a half where samples cannot be told from p."""
        return Reading("two-sample accuracy", "1", "lower", (0.0, 1.0), 0.5)


def _share_fake(points: Cloud, known: Cloud, half: int, neighbours: int) -> NDArray[np.float64]:
    """Share of samples of q, the second half, among the nearest of each point."""
    from scipy.spatial import KDTree

    _, nearest = KDTree(known).query(points, k=min(neighbours, len(known)))
    return np.asarray((nearest >= half).mean(axis=-1))
