"""Log-ratios from features of the coordinates: classifiers, and what integrates over a path."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    LogRatio = Callable[[Array], Array]

BRIDGES = 10
"""Logistic regressions of `telescoping`."""
DEGREE, TIMES = 4, 24
"""Highest power of time in the scores of `dre_infinity`, and Gauss's points of time."""


def logistic(p: Array, q: Array, seed: int) -> LogRatio:
    """Logistic regression on the coordinates and their squares (Qin 1998), here with the ridge that
    scikit-learn adds.

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
    Gutmann 2020, "Telescoping density-ratio estimation").
    """
    shares = np.linspace(0, 1, BRIDGES + 1)
    chain = [np.sqrt(1 - t**2) * q + t * p for t in shares]
    parts = [logistic(after, before, seed) for before, after in itertools.pairwise(chain)]
    return lambda x: np.asarray(sum(part(x) for part in parts))


def dre_infinity(p: Array, q: Array, seed: int) -> LogRatio:
    r"""DRE-infinity: the integral over t of the time score $s = \partial_t \log p_t$ of a path of
    laws from q to p, found by matching (Choi, Meng, Song & Ermon 2022, "Density ratio estimation
    via infinitesimal classification", section 3).

    The least of $E_t E_{p_t} (s^2 + 2 \partial_t s) + 2 E_q s(\cdot, 0) - 2 E_p s(\cdot, 1)$. The
    path is that of $\cos \frac{\pi t}2 y + \sin \frac{\pi t}2 x$, whose scores are bounded at both
    ends. Departure: their s is a network; ours is a polynomial in t with the features of `logistic`
    as coefficients, so that the least is the solution of a linear system, and what is built in is
    that of `logistic` too.
    """
    from numpy.polynomial import legendre

    times, weights = (x / 2 for x in legendre.leggauss(TIMES))
    powers, slopes = _powers(times + 0.5), _slopes(times + 0.5)
    system, pull = 0.0, np.kron(_powers(0.0), _mean(q)) - np.kron(_powers(1.0), _mean(p))
    for time, weight, power, slope in zip(times + 0.5, weights, powers, slopes, strict=True):
        x = _features(np.cos(np.pi * time / 2) * q + np.sin(np.pi * time / 2) * p)
        system = system + weight * np.kron(np.outer(power, power), x.T @ x / len(x))
        pull = pull + weight * np.kron(slope, x.mean(0))
    scores = -np.linalg.lstsq(system, pull, rcond=1e-12)[0].reshape(DEGREE + 1, -1)
    coefficients = weights @ powers @ scores
    return lambda x: np.asarray(_features(x) @ coefficients)


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


def _quadratic(x: Array) -> Array:
    return np.concatenate([x, x**2], axis=-1)


def _features(x: Array) -> Array:
    return np.concatenate([np.ones((len(x), 1)), _quadratic(x)], axis=-1)


def _mean(x: Array) -> Array:
    return np.asarray(_features(x).mean(0))


def _powers(time: Any) -> Array:
    """Powers of times, from none to `DEGREE`, along a last axis."""
    return np.asarray(np.asarray(time)[..., None] ** np.arange(DEGREE + 1))


def _slopes(time: Any) -> Array:
    """Their derivatives."""
    power = np.arange(DEGREE + 1)
    return np.asarray(power * np.asarray(time)[..., None] ** np.maximum(power - 1, 0))


def _labels(p: Array, q: Array) -> NDArray[np.int64]:
    return np.repeat([1, 0], [len(p), len(q)])
