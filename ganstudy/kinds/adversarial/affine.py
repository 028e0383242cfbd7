"""Exact divergences from an affine generator, whose law is a Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ganstudy.divergences import Divergence
    from ganstudy.targets import Target

__all__ = ["critic_error", "exact_value"]

_REACH = 8.0
"""Standard deviations around each law that the grid holds; beyond them lies less than 1e-14."""

_INNER = 0.9
"""Share of the grid, in each dimension, on which the integral must have converged."""

_BEYOND = 1e-4
"""Most that the rest of the grid may add, relative to one plus the value."""

_UNRESOLVED = 1e-6
"""Most by which the masses on a grid that resolves a law may miss one."""

_NODES = {1: 4097, 2: 257}
"""Nodes of the grid in each dimension."""


def exact_value(
    divergence: Divergence, target: Target, parameters: Mapping[str, NDArray[np.float32]]
) -> float:
    r"""What the divergence's bound bounds, between p and the law $N(b, W^T W)$ of a generator.

    Maths   the trapezoidal rule on a regular grid over both laws, as a divergence of the discrete
            laws with masses $p(x_i) h^d$ and $q(x_i) h^d$. The rule converges faster than any power
            of h for Gaussian tails; the grid resolves laws whose standard deviation exceeds h.
    Shapes  `weight_0 (latent, dimension)` and `bias_0 (1, dimension)` of one trial.
    Errors  NaN where the grid does not resolve one of the laws, or where the tails beyond it count:
            the divergence is then infinite or larger than the grid can tell.
    """
    mean, covariance = _law(parameters)
    dimension = len(mean)
    reach_q = _REACH * np.sqrt(np.diagonal(covariance))
    mean_p, covariance_p = target.moments()
    reach_p = _REACH * np.sqrt(np.diagonal(covariance_p))
    low = np.minimum(mean - reach_q, mean_p - reach_p)
    high = np.maximum(mean + reach_q, mean_p + reach_p)
    axes = [np.linspace(a, b, _NODES[dimension]) for a, b in zip(low, high, strict=True)]
    steps = (high - low) / (_NODES[dimension] - 1)
    narrowest = np.sqrt(max(np.linalg.eigvalsh(covariance)[0], 0.0))
    if not narrowest > steps.max():
        return float("nan")
    x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    cell = np.log(steps).sum()
    log_p = target.log_prob(x) + cell
    from scipy.stats import multivariate_normal

    log_q = multivariate_normal(mean, covariance).logpdf(x) + cell
    if not all(abs(np.exp(masses).sum() - 1) < _UNRESOLVED for masses in (log_p, log_q)):
        return float("nan")
    # Masses that a float cannot hold count as its smallest: f needs ratios of positive numbers.
    smallest = np.log(np.finfo(np.float64).tiny)
    p, q = np.exp(np.maximum(log_p, smallest)), np.exp(np.maximum(log_q, smallest))
    near = (np.abs(x - (low + high) / 2) < _INNER * (high - low) / 2).all(axis=1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        value = divergence.variational_value(DiscreteLaws(p, q, x))
        within = divergence.variational_value(DiscreteLaws(p[near], q[near], x[near]))
    if value is None or within is None or not abs(value - within) <= _BEYOND * (1 + abs(value)):
        return float("nan")
    return value


def critic_error(
    divergence: Divergence,
    target: Target,
    parameters: Mapping[str, NDArray[np.float32]],
    x: NDArray[np.floating],
    logits: NDArray[np.floating],
) -> float:
    r"""Mean distance of a critic's logits from the best ones, at given points.

    Maths   $\frac1n \sum_i |a(x_i) - a^*(x_i)|$ with $a^*$ from the densities of p and of
            $N(b, W^T W)$: $\log p/q$ for classifiers, $g_f^{-1}(f'(p/q))$ for f-divergences.
    Shapes  x `(points, dimension)`, logits `(points,)`.
    Errors  NaN where the best logits are not finite at all points, as those of total variation
            never are, or q has no density.
    """
    from scipy.stats import multivariate_normal

    if not divergence.attained:
        return float("nan")
    mean, covariance = _law(parameters)
    if not np.isfinite(covariance).all() or np.linalg.eigvalsh(covariance)[0] <= 0:
        return float("nan")
    points = x.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        laws = DiscreteLaws(
            np.exp(target.log_prob(points)),
            np.exp(multivariate_normal(mean, covariance, allow_singular=True).logpdf(points)),
            points,
        )
        error = float(np.abs(logits - divergence.optimal_logits(laws)).mean())
    return error if np.isfinite(error) else float("nan")


def _law(
    parameters: Mapping[str, NDArray[np.float32]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance of an affine generator's samples."""
    weight = parameters["weight_0"].astype(np.float64)
    mean = np.zeros(weight.shape[1])
    if "bias_0" in parameters:
        mean = parameters["bias_0"][0].astype(np.float64)
    return mean, weight.T @ weight
