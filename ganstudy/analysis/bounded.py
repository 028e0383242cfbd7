"""Intervals of the mean of numbers that have bounds, on plain arrays; they assume no other law."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv

from ganstudy.analysis.intervals import Interval, known_mean, moments, t_interval

Array = NDArray[np.float64]

DRAWS = (13, 15)
"""Binary logarithms of the points of the simplex that quantiles are taken over, fewest and most."""

MEMORY = 22
"""Binary logarithm of the numbers that more than the fewest points may take: 32 MiB."""

BEYOND = 25
"""Points that are to lie beyond a quantile, as far as the most of them allow."""


def gaffke_interval(
    values: Array, bounds: tuple[float, float], confidence: float = 0.95
) -> Interval:
    r"""Interval of a mean that no law within the bounds fools, along the last axis; NaN is missing.

    Maths   upper limit: the $(1 + c)/2$ quantile of $\sum_i w_i x_i + w_{n+1} b$ with the upper
            bound b as one more value and w uniform on the simplex (a Bayesian bootstrap); lower
            limit likewise. Of zeros and ones it is the interval of Clopper and Pearson. That it
            covers is proven for two values and a conjecture beyond that no simulation has broken.
            No such limit exists on the side of an infinite bound: it is Student's there. Quantiles
            are over 8,192 quasi-random points, far out over up to 32,768. One value has an
            interval, none has not.
    Shapes  `(*, n) -> (*)`.
    Source  Gaffke 2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean
            of a nonnegative variable"; Learned-Miller and Thomas 2020, "A new confidence interval
            for the mean of a bounded random variable".
    """
    mean, low, high, count = t_interval(values, confidence)
    flat = values.reshape(-1, values.shape[-1])
    ends = [np.ravel(low).copy(), np.ravel(high).copy()]
    counts = np.ravel(count)
    for number in np.unique(counts[counts > 0]):
        weights = _simplex(int(number) + 1, _draws(int(number) + 1, 1 - confidence))
        rows = np.flatnonzero(counts == number)
        known = flat[rows][np.isfinite(flat[rows])].reshape(len(rows), number)
        for end, bound, level in zip(
            ends, bounds, ((1 - confidence) / 2, (1 + confidence) / 2), strict=True
        ):
            if math.isfinite(bound):
                with_bound = np.append(known, np.full((len(rows), 1), bound), axis=1)
                end[rows] = _quantiles(weights, with_bound, level)
    return Interval(mean, ends[0].reshape(mean.shape), ends[1].reshape(mean.shape), count)


def _quantiles(weights: Array, rows: Array, level: float) -> Array:
    """Of each row's weighted sums; `np.quantile` of them all puts four in their place, not one."""
    place = level * (len(weights) - 1)
    below = min(int(place), len(weights) - 2)
    around = np.empty((len(rows), 2))
    for row, two in zip(rows, around, strict=True):
        parted = np.partition(weights @ row, below)
        two[:] = parted[below], parted[below + 1 :].min()
    return np.asarray(np.quantile(around, place - below, axis=1))


def _draws(corners: int, outside: float) -> int:
    """Binary logarithm of the points that a quantile this far out needs and memory allows."""
    most = min(DRAWS[1], MEMORY - math.ceil(math.log2(corners)))
    return max(DRAWS[0], min(most, math.ceil(math.log2(2 * BEYOND / outside))))


@lru_cache(maxsize=64)
def _simplex(corners: int, draws: int) -> Array:
    """Points that fill the simplex evenly, `(2 ** draws, corners)`."""
    from scipy.stats.qmc import Sobol

    cube = Sobol(corners, rng=np.random.default_rng(0)).random_base2(draws)
    waits = -np.log1p(-cube)
    return np.asarray(waits / waits.sum(axis=1, keepdims=True))


def share_interval(hits: Array, confidence: float = 0.95) -> Interval:
    r"""Interval of a share of trials, where the trials of a seed are not independent.

    Maths   Clopper and Pearson's interval at the effective number of trials $n / d$. The design
            effect $d = \sum_a s_a^2 / \sum_a p_a (1 - p_a) / m_a$ compares the variance of the
            shares of seeds, $s_a^2$, with that of $m_a$ independent trials a seed, over all arms;
            it is no less than 1 and no more than m. Where every share is 0 or 1 there is nothing to
            estimate it from and seeds are counted, not trials.
    Shapes  `(arms, trials of a seed, seeds) -> (arms,)`, 1 or 0, NaN for a trial that did not run;
            `number` is of trials.
    Source  Clopper and Pearson 1934; Korn and Graubard 1998, "Confidence intervals for proportions
            with small expected number of positive counts estimated from survey data".
    """
    share, count = known_mean(hits, axis=(1, 2))
    _, spread, seeds = moments(known_mean(hits, axis=1)[0])
    size = np.divide(count, seeds, out=np.ones(len(count)), where=seeds > 0)
    binomial = share * (1 - share) / size
    usable = (seeds > 1) & (binomial > 0)
    expected = float(binomial[usable].sum())
    effect = float((spread[usable] ** 2).sum()) / expected if expected else math.inf
    trials = count / np.clip(effect, 1.0, size)
    level = (1 - confidence) / 2
    found = share * trials
    with np.errstate(invalid="ignore"):
        low = np.where(found > 0, betaincinv(found, trials - found + 1, level), 0.0)
        high = np.where(found < trials, betainccinv(found + 1, trials - found, level), 1.0)
    none = count == 0
    return Interval(share, np.where(none, np.nan, low), np.where(none, np.nan, high), count)
