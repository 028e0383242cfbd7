"""`vendi_score`: how many different samples there are, by their likeness."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._clouds import draws, each_cloud, typical_distance_in
from ganstudy.metrics._kernel_metric import KernelMetric

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target


class VendiScore(KernelMetric):
    r"""Vendi score: effective number of different samples, with a Gaussian kernel.

    Maths   $\exp(-\sum_i \lambda_i \log \lambda_i)$ over the eigenvalues of $K/m$, with
            $K_{ij} = e^{-|y_i - y_j|^2 / 2 s^2}$ and s a multiple (`bandwidth`) of the median
            distance of samples of p; on m of the samples. More than the value of p is no merit:
            noise is diverse.
    Bias    downwards by little once m is many times the score.
    Cost    eigenvalues, growing as the cube of `subsample`; at the end.
    Source  Friedman and Dieng 2023, "The Vendi score: a diversity evaluation metric for machine
            learning", definition 3.1.
    """

    subsample: int = Field(500, ge=2, description="samples that are counted")

    def compute(self, samples: Array, target: Target) -> Array:
        """Score of each cloud."""
        scale = self.bandwidth * typical_distance_in(target)
        return each_cloud(samples, lambda cloud: _vendi(cloud[: self.subsample], scale), worst=1.0)

    def reading(self, target: Target) -> Reading:
        """From 1 for identical samples up to their number; of fewer, p has less."""
        perfect, bounds = _perfect(self, target), (1.0, float(self.subsample))
        counted = f"of up to {self.subsample} samples, and of so many at p = q"
        return Reading("Vendi score", "samples", "higher", bounds, perfect, counted)


@cache
def _perfect(metric: VendiScore, target: Target) -> float:
    return _vendi(draws(target, metric.subsample), metric.bandwidth * typical_distance_in(target))


def _vendi(cloud: Cloud, scale: float) -> float:
    from scipy.linalg import eigvalsh
    from scipy.spatial.distance import cdist

    kernel = np.exp(-cdist(cloud, cloud, "sqeuclidean") / (2 * scale**2))
    # Rounding leaves eigenvalues of a singular matrix a little below zero.
    shares = np.maximum(eigvalsh(kernel / len(cloud)), 0.0)
    present = shares[shares > 0]
    return float(np.clip(np.exp(-(present * np.log(present)).sum()), 1.0, len(cloud)))
