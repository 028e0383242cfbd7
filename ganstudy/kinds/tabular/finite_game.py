"""The game on a finite set: a generator R = q/p, the critic that is best against it, and steps.

Arrays are `(trials, points)`; every operation is elementwise or along a row, so that a trial's
numbers do not depend on the trials beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws
from ganstudy.kinds._losses import admits_every_critic, generator_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.divergences import Divergence

    Array = NDArray[np.float64]

FLOOR = 1e-9
"""Least ratio R that a critic is shown: a logit of log p/q needs some mass of q at every point."""
TIE = 1e-9
"""Relative difference below which points please the critic equally."""


def laws(p: Array, ratio: Array) -> DiscreteLaws:
    """The laws of one trial, on points that lie evenly on the unit interval."""
    positions = np.linspace(0.0, 1.0, p.shape[-1])[:, None]
    return DiscreteLaws(p, p * np.maximum(ratio, FLOOR), positions)


def best_logits(divergence: Divergence, p: Array, ratio: Array) -> Array:
    """The critic that is best against each trial's generator."""
    if admits_every_critic(divergence):
        return np.asarray(divergence.optimal_logits(laws(p, ratio)))
    rows = [divergence.optimal_logits(laws(*row)) for row in zip(p, ratio, strict=True)]
    return np.stack(rows)


def terms_at_best(divergence: Divergence, p: Array, ratio: Array) -> Array:
    """The generator's loss at every point, at the best critic."""
    return generator_terms(divergence, best_logits(divergence, p, ratio))


def project_gradient(p: Array, gradient: Array) -> Array:
    """P0: the part of a gradient along which E[R] stays 1 (Bouman, algorithm 2)."""
    normal = (p * gradient).sum(-1, keepdims=True) / (p * p).sum(-1, keepdims=True)
    return np.asarray(gradient - normal * p)


def project_ratio(p: Array, ratio: Array) -> Array:
    r"""The nearest R with R >= 0 and E[R] = 1; rows that satisfy both are left as they are.

    Maths   $R_i = (v_i - \lambda p_i)_+$ with the $\lambda$ at which $\sum_i p_i R_i = 1$, found
            among the breakpoints $v_i / p_i$.
    Source  Duchi et al. 2008, "Efficient projections onto the l1-ball", with weights.
    """
    projected = ratio.copy()
    for row in np.flatnonzero((ratio < 0).any(-1)):
        v, weight = ratio[row], p[row]
        order = np.argsort(-v / weight, kind="stable")
        mass, square = np.cumsum((weight * v)[order]), np.cumsum((weight**2)[order])
        multiplier = (mass - 1) / square
        kept = np.flatnonzero((v / weight)[order] > multiplier)
        # Beyond 1e16 the first point's share of all mass is lost in rounding: it has all of it.
        last = kept[-1] if kept.size else 0
        lifted = np.maximum(v - multiplier[last] * weight, 0)
        lifted = lifted if kept.size else np.where(np.arange(len(v)) == order[0], 1.0, 0.0)
        projected[row] = lifted / (weight * lifted).sum()
    return projected


def generator_step(p: Array, ratio: Array, terms: Array, lr: Array) -> Array:
    """R - alpha P0 grad_R g with the critic held fixed; g = sum_i p_i R_i terms_i."""
    return project_ratio(p, ratio - lr * project_gradient(p, p * terms))


def point_mass(p: Array, terms: Array, choose: NDArray[np.float64]) -> Array:
    """The generator that minimises its loss exactly: all mass where the loss is least.

    `choose`, uniform on [0, 1), picks among points that are equally good.
    """
    ratio = np.zeros_like(p)
    for row, (loss, draw) in enumerate(zip(terms, choose, strict=True)):
        least = loss.min()
        equal = np.flatnonzero(loss <= least + TIE * (1 + abs(least)))
        point = equal[int(draw * len(equal))]
        ratio[row, point] = 1 / p[row, point]
    return ratio


def curvature(divergence: Divergence, ratio: Array, step: float = 1e-5) -> Array:
    """Derivative in R of the generator's loss at the best critic: h''(R), by differences."""
    ones = np.ones_like(ratio)

    def loss(at: Array) -> Array:
        return generator_terms(
            divergence, divergence.optimal_logits(DiscreteLaws(ones, at, ones[..., None]))
        )

    return np.asarray((loss(ratio * (1 + step)) - loss(ratio * (1 - step))) / (2 * step * ratio))


def smooth_at_equilibrium(divergence: Divergence) -> bool:
    """Whether the cost has a curvature at R = 1: not for distances such as total variation."""
    if not admits_every_critic(divergence):
        return False
    one = np.ones(1)
    fine, coarse = (float(curvature(divergence, one, step)[0]) for step in (1e-5, 1e-4))
    return abs(fine - coarse) < 1e-3 * abs(coarse)


def total_variation(p: Array, first: Array, second: Array) -> Array:
    """Half the sum of |q1 - q2| for each trial."""
    return np.asarray((p * np.abs(first - second)).sum(-1) / 2)
