"""`rke`: how many modes the samples have, by their likeness."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._clouds import draws, each_cloud, typical_distance_in
from ganstudy.metrics._kernel_metric import KernelMetric
from ganstudy.metrics._neighbours import BLOCK

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target

DRAWS = 2000
"""Samples of p whose modes are stated at p = q."""


class RKE(KernelMetric):
    r"""Rényi kernel entropy, as a number of modes.

    Maths   $1 / \|K/m\|_F^2 = m^2 / \sum_{ij} e^{-|y_i - y_j|^2 / s^2}$ of m samples, with s a
            multiple (`bandwidth`) of the median distance of samples of p: the exponential of the
            Rényi entropy of order 2 of the eigenvalues of $K/m$, where `vendi_score` has Shannon's.
            Modes with weights w that are far narrower than s and far apart have $1 / \sum w^2$.
            More than the value of p is no merit: noise is diverse.
    Bias    downwards: each sample is like itself, so that m samples of R modes have
            $1 / (1/m + (1 - 1/m)/R)$ on average, and no more than m. At p = q a value is stated
            where it is at most a tenth of the 2,000 samples of p that it is computed of.
    Cost    a distance matrix of samples by samples; at the end.
    Source  Jalali, Li & Farnia 2023, "An information-theoretic evaluation of generative models in
            learning multi-modal distributions".
    """

    def compute(self, samples: Array, target: Target) -> Array:
        """Number of modes of each cloud."""
        scale = self.bandwidth * typical_distance_in(target)
        return each_cloud(samples, lambda cloud: _modes(cloud, scale), worst=1.0)

    def reading(self, target: Target) -> Reading:
        """From 1 for identical samples up."""
        perfect = _perfect(self, target)
        return Reading("Rényi kernel entropy", "modes", "higher", (1.0, float("inf")), perfect)


@cache
def _perfect(metric: RKE, target: Target) -> float:
    found = _modes(draws(target, DRAWS), metric.bandwidth * typical_distance_in(target))
    return found if found <= DRAWS / 10 else float("nan")


def _modes(cloud: Cloud, scale: float) -> float:
    from scipy.spatial.distance import cdist

    likeness = [
        np.exp(-cdist(cloud[start : start + BLOCK], cloud, "sqeuclidean") / scale**2).sum(axis=1)
        for start in range(0, len(cloud), BLOCK)
    ]
    return float(np.maximum(1.0, len(cloud) ** 2 / np.concatenate(likeness).sum()))
