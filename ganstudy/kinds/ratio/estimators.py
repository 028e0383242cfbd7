"""Estimators of log p/q from samples: each fits, and returns a function of points.

Shapes  samples of p and q `(samples, dimension)`; the function takes `(points, dimension)` and
        gives `(points,)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.kinds.ratio.classifiers import dre_infinity, logistic, neural, telescoping
from ganstudy.kinds.ratio.kernels import CENTRES, LEAST, kernel, median_distance
from ganstudy.kinds.ratio.least_squares import rulsif, ulsif

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.estimators import Estimator

    Array = NDArray[np.float64]
    LogRatio = Callable[[Array], Array]

NEIGHBOURS = 10
ITERATIONS = 300


def kliep(p: Array, q: Array, seed: int) -> LogRatio:
    """The critic's estimator of this name, with kernels of the median width."""
    from ganstudy.estimators.kliep import KLIEP

    return _fitted(KLIEP(centres=CENTRES, bandwidth=1.0, iterations=ITERATIONS), p, q)


def lsif(p: Array, q: Array, seed: int) -> LogRatio:
    """The critic's estimator of this name, with kernels of the median width."""
    from ganstudy.estimators.lsif import LSIF

    return _fitted(LSIF(centres=CENTRES, bandwidth=1.0, iterations=ITERATIONS), p, q)


def kernel_mean_matching(p: Array, q: Array, seed: int) -> LogRatio:
    """Weights of q's samples that match the kernel mean of p (Huang et al. 2007).

    The method weighs samples only; between them we smooth the weights with the same kernel. That
    the weights' mean is near one, which they ask for beside the bounds, is left to the fit.
    """
    from scipy.optimize import minimize

    width = median_distance(p, q)
    gram = kernel(q, q, width) + 1e-3 * np.eye(len(q))
    pull = kernel(q, p, width).mean(-1) * len(q)

    def objective(weights: Array) -> tuple[float, Array]:
        pushed = (gram * weights).sum(-1)
        return float((weights * (pushed / 2 - pull)).sum()), pushed - pull

    bounds = [(0.0, 1000.0)] * len(q)
    found = minimize(objective, np.ones(len(q)), jac=True, method="L-BFGS-B", bounds=bounds).x

    def log_ratio(x: Array) -> Array:
        near = kernel(x, q, width) + 1e-300
        smoothed = (near * found).sum(-1) / near.sum(-1)
        return np.asarray(np.log(np.maximum(smoothed, LEAST)))

    return log_ratio


def nearest_neighbours(p: Array, q: Array, seed: int) -> LogRatio:
    """Distances to the k-th neighbour in either sample (Wang, Kulkarni & Verdu 2009)."""
    from scipy.spatial import cKDTree

    trees = [cKDTree(p), cKDTree(q)]

    def log_ratio(x: Array) -> Array:
        to_p, to_q = (np.asarray(t.query(x, NEIGHBOURS)[0])[:, -1] for t in trees)
        return np.asarray(p.shape[1] * np.log(to_q / to_p) + np.log(len(q) / len(p)))

    return log_ratio


ESTIMATORS: dict[str, Callable[[Array, Array, int], LogRatio]] = {
    estimator.__name__: estimator
    for estimator in (
        logistic,
        telescoping,
        dre_infinity,
        neural,
        kliep,
        lsif,
        ulsif,
        rulsif,
        kernel_mean_matching,
        nearest_neighbours,
    )
}


def _fitted(estimator: Estimator, p: Array, q: Array) -> LogRatio:
    """A critic's estimator, fitted to one pair of samples."""
    import torch

    parameters = estimator.fit(*(torch.from_numpy(x)[None] for x in (p, q)))
    # What an estimator computes depends on neither.
    architecture: Any = None
    ends: Any = None

    def log_ratio(x: Array) -> Array:
        found = estimator.apply(architecture, ends, parameters, torch.from_numpy(x)[None])
        return np.asarray(found[0, :, 0].numpy())

    return log_ratio
