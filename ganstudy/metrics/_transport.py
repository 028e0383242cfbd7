"""Optimal transport between clouds of equal size, which is an assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.metrics._clouds import each_cloud, reference

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud
    from ganstudy.targets import Target


def distance_to_target(samples: Array, target: Target, order: int, subsample: int) -> Array:
    r"""Wasserstein distance of some samples of each cloud to as many samples of p.

    Maths   $(\min_\pi \frac1m \sum_i |y_i - x_{\pi(i)}|^o)^{1/o}$ over permutations: between
            uniform laws on equally many points an optimal plan is a permutation.
    Source  Birkhoff's theorem; Peyré and Cuturi 2019, "Computational optimal transport",
            proposition 2.1.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    count = min(subsample, samples.shape[-2])
    real = reference(target, count)

    def measure(cloud: Cloud) -> float:
        price = cdist(cloud[:count], real) ** order
        pairs = linear_sum_assignment(price)
        return float(price[pairs].mean() ** (1 / order))

    return each_cloud(samples, measure, worst=np.inf)
