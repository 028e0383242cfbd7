"""Estimators of log p/q from samples: each fits, and returns a function of points.

Shapes  samples of p and q `(samples, dimension)`; the function takes `(points, dimension)` and
        gives `(points,)`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    LogRatio = Callable[[Array], Array]

CENTRES = 100
"""Kernels stand at the first samples of p, as many as this."""
LEAST = 1e-6
"""Ratios below this are taken for it: kernel methods may estimate zero."""
RIDGE = 0.01
RELATIVE = 0.1
"""RuLSIF estimates p/(RELATIVE p + (1 - RELATIVE) q)."""
NEIGHBOURS = 10
ITERATIONS = 300


def logistic(p: Array, q: Array, seed: int) -> LogRatio:
    """Logistic regression on the coordinates and their squares (Qin 1998)."""
    from sklearn.linear_model import LogisticRegression

    def features(x: Array) -> Array:
        return np.concatenate([x, x**2], axis=-1)

    model = LogisticRegression(max_iter=2000)
    model.fit(features(np.concatenate([p, q])), _labels(p, q))
    return lambda x: np.asarray(model.decision_function(features(x)))


def neural(p: Array, q: Array, seed: int) -> LogRatio:
    """A small neural critic with the log loss: what a GAN's D-step fits."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    model: Any = MLPClassifier((32, 32), max_iter=150, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a set number of epochs, like a GAN's
        model.fit(np.concatenate([p, q]), _labels(p, q))

    def logit(x: Array) -> Array:
        chance = np.clip(model.predict_proba(x)[:, 1], 1e-12, 1 - 1e-12)
        return np.asarray(np.log(chance) - np.log1p(-chance))

    return logit


def kliep(p: Array, q: Array, seed: int) -> LogRatio:
    """KLIEP: the kernel model that maximises E_p log r with E_q r = 1 (Sugiyama et al. 2008).

    The maximum is that of a mixture's likelihood in its weights, and is found by EM.
    """
    centres, width = p[:CENTRES], _width(p, q)
    norms = _kernel(q, centres, width).mean(0)
    parts = _kernel(p, centres, width) / norms
    weights = np.full(len(centres), 1 / len(centres))
    for _ in range(ITERATIONS):
        weights = weights * (parts / (parts * weights).sum(-1, keepdims=True)).mean(0)
    return _linear(weights / norms, centres, width)


def ulsif(p: Array, q: Array, seed: int) -> LogRatio:
    """uLSIF: least squares between the kernel model and p/q (Kanamori, Hido & Sugiyama 2009)."""
    centres, width = p[:CENTRES], _width(p, q)
    return _linear(_least_squares(p, q, centres, width, 0.0), centres, width)


def rulsif(p: Array, q: Array, seed: int) -> LogRatio:
    """RuLSIF: least squares for the bounded ratio to a mixture (Yamada et al. 2013)."""
    centres, width = p[:CENTRES], _width(p, q)
    model = _least_squares(p, q, centres, width, RELATIVE)

    def log_ratio(x: Array) -> Array:
        bounded = np.clip((_kernel(x, centres, width) * model).sum(-1), 0, 0.99 / RELATIVE)
        ratio = (1 - RELATIVE) * bounded / (1 - RELATIVE * bounded)
        return np.asarray(np.log(np.maximum(ratio, LEAST)))

    return log_ratio


def kernel_mean_matching(p: Array, q: Array, seed: int) -> LogRatio:
    """Weights of q's samples that match the kernel mean of p (Huang et al. 2007).

    The method weighs samples only; between them we smooth the weights with the same kernel.
    """
    from scipy.optimize import minimize

    width = _width(p, q)
    gram = _kernel(q, q, width) + 1e-3 * np.eye(len(q))
    pull = _kernel(q, p, width).mean(-1) * len(q)

    def objective(weights: Array) -> tuple[float, Array]:
        pushed = (gram * weights).sum(-1)
        return float((weights * (pushed / 2 - pull)).sum()), pushed - pull

    bounds = [(0.0, 1000.0)] * len(q)
    found = minimize(objective, np.ones(len(q)), jac=True, method="L-BFGS-B", bounds=bounds).x

    def log_ratio(x: Array) -> Array:
        near = _kernel(x, q, width) + 1e-300
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
        neural,
        kliep,
        ulsif,
        rulsif,
        kernel_mean_matching,
        nearest_neighbours,
    )
}


def _labels(p: Array, q: Array) -> NDArray[np.int64]:
    return np.repeat([1, 0], [len(p), len(q)])


def _width(p: Array, q: Array) -> float:
    """The median distance between samples of p and q, the usual choice without tuning."""
    return float(np.median(np.sqrt(_squares(p[:CENTRES], q[:CENTRES]))))


def _squares(x: Array, y: Array) -> Array:
    """Squared distances, coordinate by coordinate."""
    total = np.zeros((len(x), len(y)))
    for column in range(x.shape[1]):
        total += (x[:, None, column] - y[None, :, column]) ** 2
    return total


def _kernel(x: Array, centres: Array, width: float) -> Array:
    return np.asarray(np.exp(-_squares(x, centres) / (2 * width**2)))


def _least_squares(p: Array, q: Array, centres: Array, width: float, share: float) -> Array:
    """Non-negative coefficients.

    uLSIF as published solves without the sign and rounds negative ones up, which leaves E_q r
    above 1 by half where kernels are wide; we keep LSIF's constraint.
    """
    from scipy.optimize import nnls

    on_p, on_q = (_kernel(x, centres, width) for x in (p, q))
    second = share * (on_p.T @ on_p) / len(p) + (1 - share) * (on_q.T @ on_q) / len(q)
    root = np.linalg.cholesky(second + RIDGE * np.eye(len(centres)))
    return np.asarray(nnls(root.T, np.linalg.solve(root, on_p.mean(0)))[0])


def _linear(model: Array, centres: Array, width: float) -> LogRatio:
    def log_ratio(x: Array) -> Array:
        ratio = (_kernel(x, centres, width) * model).sum(-1)
        return np.asarray(np.log(np.maximum(ratio, LEAST)))

    return log_ratio
