"""Exact gradient descent of an objective, with step sizes by Armijo's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.kinds.fit.line import Model, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["both", "descend"]

HALVINGS = 40
"""Halvings after which a step is given up."""


def descend(
    goal: Objective, start: Array, steps: int, rate: float
) -> tuple[list[Array], Array, Array]:
    """Parameters, values and norms of the gradient at every step; `rate` is the first step size."""
    path, lr = [start], rate
    value, slope = both(goal, start)
    values, norms = [value], [_norm(slope)]
    for _ in range(steps):
        here, norm = path[-1], norms[-1]
        # A step is at most as long as lr: some objectives start at 10^60 and as steep.
        direction = slope / max(1.0, norm)
        for _ in range(HALVINGS):
            tried = here - lr * direction
            reached, next_slope = both(goal, tried)
            if reached <= value - 1e-4 * lr * norm * _norm(direction):
                here, value, slope, lr = tried, reached, next_slope, 1.5 * lr
                break
            lr /= 2
        else:
            lr = rate
        path.append(here)
        values.append(value)
        norms.append(_norm(slope))
    return path, np.array(values), np.array(norms)


def both(goal: Objective, parameters: Array) -> tuple[float, Array]:
    """The objective and its gradient in the parameters."""
    model = Model(parameters)
    q = model.density(goal.x)
    return goal.value(q), model.gradient(goal.x, goal.variation(q), goal.dx)


def _norm(slope: Array) -> float:
    return float(np.sqrt((slope**2).sum()))
