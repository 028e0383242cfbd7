"""Estimators of log p/q from samples: each fits, and returns a function of points.

Shapes  samples of p and q `(samples, dimension)`; the function takes `(points, dimension)` and
        gives `(points,)`.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.estimators import Estimator

    Array = NDArray[np.float64]
    LogRatio = Callable[[Array], Array]

CENTRES = 100
"""Kernels stand at the first samples of p, as many as this."""
LEAST = 1e-6
"""Ratios below this are taken for it: kernel methods may estimate zero."""
RIDGE = 0.01
RELATIVE = 0.1
"""`relative_lsif` estimates p/(RELATIVE p + (1 - RELATIVE) q)."""
NEIGHBOURS = 10
ITERATIONS = 300
BRIDGES = 10
"""Logistic regressions of `telescoping`."""
WIDTHS, RIDGES = (0.1, 0.2, 0.5, 1.0, 2.0), (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""What cross-validation chooses from: widths in median distances, and ridges."""


def logistic(p: Array, q: Array, seed: int) -> LogRatio:
    """Logistic regression on the coordinates and their squares (Qin 1998).

    The log-ratio of two normal laws with diagonal covariances is linear in these: the answer is
    built in.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=2000)
    model.fit(_quadratic(np.concatenate([p, q])), _labels(p, q))
    return lambda x: np.asarray(model.decision_function(_quadratic(x)))


def telescoping(p: Array, q: Array, seed: int) -> LogRatio:
    r"""TRE: the sum of logistic regressions between neighbours of a chain of laws.

    The laws are those of $\sqrt{1 - t^2} y + t x$ with x from p, y from q, t from 0 to 1 in steps
    of 1/`BRIDGES`; their features are those of `logistic`, and so is what is built in (Rhodes, Xu &
    Gutmann 2020, "Telescoping density-ratio estimation", eqs. 5 and 6).
    """
    shares = np.linspace(0, 1, BRIDGES + 1)
    chain = [np.sqrt(1 - t**2) * q + t * p for t in shares]
    parts = [logistic(after, before, seed) for before, after in itertools.pairwise(chain)]
    return lambda x: np.asarray(sum(part(x) for part in parts))


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
    """The critic's estimator of this name, with kernels of the median width."""
    from ganstudy.estimators.kliep import KLIEP

    return _fitted(KLIEP(centres=CENTRES, bandwidth=1.0, iterations=ITERATIONS), p, q)


def lsif(p: Array, q: Array, seed: int) -> LogRatio:
    """The critic's estimator of this name, with kernels of the median width."""
    from ganstudy.estimators.lsif import LSIF

    return _fitted(LSIF(centres=CENTRES, bandwidth=1.0, iterations=ITERATIONS), p, q)


def relative_lsif(p: Array, q: Array, seed: int) -> LogRatio:
    """Least squares for the bounded ratio to a mixture (Yamada et al. 2013), over coefficients that
    are not negative, with kernels of the median width; RuLSIF is without the sign, and tuned.
    """
    from scipy.optimize import nnls

    centres, width = p[:CENTRES], _width(p, q)
    on_p, on_q = (_kernel(x, centres, width) for x in (p, q))
    second = RELATIVE * (on_p.T @ on_p) / len(p) + (1 - RELATIVE) * (on_q.T @ on_q) / len(q)
    root = np.linalg.cholesky(second + RIDGE * np.eye(len(centres)))
    model = nnls(root.T, np.linalg.solve(root, on_p.mean(0)))[0]

    def log_ratio(x: Array) -> Array:
        bounded = np.clip((_kernel(x, centres, width) * model).sum(-1), 0, 0.99 / RELATIVE)
        ratio = (1 - RELATIVE) * bounded / (1 - RELATIVE * bounded)
        return np.asarray(np.log(np.maximum(ratio, LEAST)))

    return log_ratio


def ulsif(p: Array, q: Array, seed: int) -> LogRatio:
    """uLSIF: least squares without a sign, negative coefficients raised to zero afterwards, width
    and ridge by leave-one-out cross-validation in closed form (Kanamori, Hido & Sugiyama 2009,
    sections 3.1 to 3.3).
    """
    centres, median = p[:CENTRES], _width(p, q)
    tried = [
        (left_out(p, q, centres, share * median, ridge), share * median, ridge)
        for share in WIDTHS
        for ridge in RIDGES
    ]
    _, width, ridge = min(tried)
    on_p, on_q = (_kernel(x, centres, width) for x in (p, q))
    second = on_q.T @ on_q / len(q) + ridge * np.eye(len(centres))
    model = np.maximum(np.linalg.solve(second, on_p.mean(0)), 0)
    return _linear(model, centres, width)


def left_out(p: Array, q: Array, centres: Array, width: float, ridge: float) -> float:
    r"""Mean over i of $r_i(y_i)^2 / 2 - r_i(x_i)$, where $r_i$ is uLSIF's fit without the i-th
    samples $x_i$ of p and $y_i$ of q.

    The system without a sample differs from the whole by a matrix of rank one (Sherman & Morrison).
    """
    on_p, on_q = (_kernel(x, centres, width) for x in (p, q))
    n, m, first = len(q), len(p), on_p.mean(0)
    system = on_q.T @ on_q / n + ridge * (n - 1) / n * np.eye(len(centres))
    x, y = on_p[: min(n, m)].T, on_q[: min(n, m)].T
    solved = np.linalg.solve(system, np.column_stack([first, x, y]))
    of_first, of_x, of_y = solved[:, :1], solved[:, 1 : 1 + x.shape[1]], solved[:, 1 + x.shape[1] :]
    left = n - (y * of_y).sum(0)
    mean = of_first + of_y * (first @ of_y) / left
    own = of_x + of_y * (y * of_x).sum(0) / left
    models = np.maximum((n - 1) / (n * (m - 1)) * (m * mean - own), 0)
    on_y, on_x = (y * models).sum(0), (x * models).sum(0)
    return float((on_y**2).mean() / 2 - on_x.mean())


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
        telescoping,
        neural,
        kliep,
        lsif,
        relative_lsif,
        ulsif,
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


def _quadratic(x: Array) -> Array:
    return np.concatenate([x, x**2], axis=-1)


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


def _linear(model: Array, centres: Array, width: float) -> LogRatio:
    def log_ratio(x: Array) -> Array:
        ratio = (_kernel(x, centres, width) * model).sum(-1)
        return np.asarray(np.log(np.maximum(ratio, LEAST)))

    return log_ratio
