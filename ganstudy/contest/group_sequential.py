"""Looks at fixed numbers of seeds up to a number that is fixed for good, with a t test at each."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from ganstudy.contest.evidence import magnitudes

__all__ = ["POWER_OF_SPENDING", "critical_values", "looks", "running_t"]

Array = NDArray[np.float64]

POWER_OF_SPENDING = 1.5
"""Of the level, the share (n / most) to this power is spent by the look at n seeds."""

_GRID = np.linspace(-8.0, 8.0, 801)
"""Where the density of the statistic is kept; the normal law has 1e-15 beyond."""


def looks(start: int, most: int) -> tuple[int, ...]:
    """Numbers of seeds at which one looks: each about the root of two times the last.

    5, 7, 10, 14, 20, 28, 40 for 5 and 40.
    """
    found, number = [], 0
    while (seeds := round(start * 2 ** (number / 2))) < most:
        found.append(seeds)
        number += 1
    return (*dict.fromkeys(found), most)


@functools.cache
def critical_values(at: tuple[int, ...], level: float) -> tuple[float, ...]:
    r"""Two-sided critical values of a standard normal statistic at each look.

    Maths   At the look at n of N seeds, $\alpha (n/N)^{1.5}$ is spent in all. The score process
            $\sqrt{n} Z_n$ has independent increments, so that the density of those that have
            crossed no boundary yet goes from look to look by a convolution; the next boundary is
            where as much of it lies outside as is to be spent.
    Source  Lan and DeMets 1983, "Discrete sequential boundaries for clinical trials"; Kim and
            DeMets 1987 for the powers; Armitage, McPherson and Rowe 1969 for the integration.
    """
    spent = [level * (n / at[-1]) ** POWER_OF_SPENDING for n in at]
    step = _GRID[1] - _GRID[0]
    from scipy import stats

    found = [float(stats.norm.isf(spent[0] / 2))]
    density = np.where(np.abs(_GRID) < found[0], stats.norm.pdf(_GRID), 0.0)
    for before, now, gone, due in zip(at, at[1:], spent, spent[1:], strict=False):
        # z at `now` given z at `before` is normal.
        mean, spread = math.sqrt(before / now), math.sqrt(1 - before / now)
        kernel = stats.norm.pdf(_GRID[:, None], mean * _GRID[None, :], spread)
        density = kernel @ density * step
        outside = 2 * np.cumsum(density[::-1])[: len(_GRID) // 2] * step
        bound = float(np.interp(due - gone, outside, _GRID[::-1][: len(outside)] - step / 2))
        found.append(bound)
        density = np.where(np.abs(_GRID) < bound, density, 0.0)
    return tuple(found)


def running_t(differences: Array) -> Array:
    r"""The paired t statistic after each pair, as the normal quantile of the same tail.

    An infinite difference counts as the largest finite one so far. With differences that are all
    equal, p is $2 \cdot 4^{-n}$, as in the comparisons of the report; 0 for fewer than two pairs.

    Shapes  `(*, n) -> (*, n)`.
    """
    signed = magnitudes(differences) * np.sign(differences)
    known = np.isfinite(signed)
    values = np.where(known, signed, 0.0)
    count = np.cumsum(known, axis=-1)
    safe = np.maximum(count, 1)
    mean = np.cumsum(values, axis=-1) / safe
    # Equal values leave rounding only.
    spread = np.cumsum(values**2, axis=-1) - safe * mean**2
    spread = np.where(spread > 1e-12 * np.cumsum(values**2, axis=-1), spread, 0.0)
    error = np.sqrt(spread / np.maximum(count - 1, 1) / safe)
    t = np.divide(np.abs(mean), error, out=np.full(mean.shape, np.inf), where=error > 0)
    from scipy.special import ndtri, stdtr

    tail = np.maximum(stdtr(np.maximum(count - 1, 1), -t), 0.25**safe)
    z = np.where((count < 2) | (mean == 0), 0.0, -ndtri(tail))
    return np.asarray(np.maximum(z, 0.0) * np.sign(mean))
