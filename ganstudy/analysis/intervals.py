"""Student's t on plain arrays: intervals of a mean, and paired comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

ROUNDING = 1e-12
"""Relative spread below which values count as equal: sums of equal scores differ by rounding."""


class Interval(NamedTuple):
    """A mean with its confidence limits, all of shape `(*)`, and the number of values used."""

    mean: Array
    low: Array
    high: Array
    number: NDArray[np.int64]


def t_interval(values: Array, confidence: float = 0.95) -> Interval:
    r"""Student-t interval of the mean along the last axis; NaN is a missing value.

    Maths   $\bar x \pm t_{n-1,(1+c)/2} \, s / \sqrt n$. With one value the limits are NaN, with
            none the mean is too; equal values give an interval of zero width.
            A bootstrap is no alternative at the sizes in use: the percentile interval of a mean of
            five covers about 84 % where 95 % is asked for, because it divides by n and not by
            n - 1 and has normal rather than t quantiles
            (tests/statistical/test_analysis_intervals.py).
    Shapes  `(*, n) -> (*)`.
    Source  Student 1908, "The probable error of a mean"; Hesterberg 2015, "What teachers should
            know about the bootstrap", on intervals that are too narrow at small n.
    """
    mean, spread, count = moments(values)
    freedom = np.maximum(count - 1, 1)
    half = special.stdtrit(freedom, (1 + confidence) / 2) * spread / np.sqrt(np.maximum(count, 1))
    return Interval(mean, mean - half, mean + half, count)


def jackknife(
    whole: Array, without: Array, confidence: float, freedom: Array | None = None
) -> Interval:
    r"""Limits of statistics from their values without the first unit, without the second, ...

    Maths   $\hat\theta \pm t_{\nu,(1+c)/2} \, s / \sqrt n$ with s the standard deviation of the n
            pseudo-values $n \hat\theta - (n - 1) \hat\theta_{-i}$ and $\nu = n - 1$, or `freedom`.
            Of a mean it is Student's interval. Below one degree of freedom the limits are NaN.
    Shapes  `(*), (n, *) -> (*)`.
    Source  Tukey 1958, "Bias and confidence in not quite large samples".
    """
    units = len(without)
    pseudo = units * whole - (units - 1) * np.reshape(without, (units, *whole.shape))
    _, spread, count = moments(np.moveaxis(pseudo, 0, -1))
    known = count - 1.0 if freedom is None else freedom
    quantile = special.stdtrit(np.where(known < 1, np.nan, known), (1 + confidence) / 2)
    half = quantile * spread / np.sqrt(np.maximum(count, 1))
    return Interval(whole, whole - half, whole + half, count)


def moments(values: Array) -> tuple[Array, Array, NDArray[np.int64]]:
    """Mean, standard deviation (of n - 1) and number along the last axis; NaN is missing.

    The mean of nothing is NaN, and so is the deviation of fewer than two.
    """
    mean, count = known_mean(values)
    centred = np.where(np.isfinite(values), values - mean[..., None], 0.0)
    spread = np.sqrt((centred**2).sum(axis=-1) / np.maximum(count - 1, 1))
    return mean, np.where(count > 1, spread, np.nan), count


def known_mean(
    values: Array,
    axis: int | tuple[int, ...] = -1,
    *,
    known: Callable[[Array], NDArray[np.bool_]] = np.isfinite,
) -> tuple[Array, NDArray[np.int64]]:
    """Mean of the finite values along axes, or of those `known` otherwise, NaN where there is none,
    and how many they are.
    """
    counted = known(values)
    count = np.asarray(counted.sum(axis=axis), np.int64)
    total = np.where(counted, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0), count


def paired_t(differences: Array) -> Array:
    r"""Two-sided p-value of the paired t test along the last axis; NaN is a pair that is missing.

    Maths   $p = \max(p_t, 2 \cdot 4^{-n})$ with $t = \bar d \sqrt n / s_d$ on $n - 1$ degrees of
            freedom, and 1 where all differences are zero (to rounding). Few seeds of a score that
            counts modes, or that either collapses or does not, often differ by almost the same
            amount in all by chance, and their spread says nothing. Two equal arms that are
            independent within a seed differ by a given amount with a chance of at most 1/4,
            whatever the law of their scores (a graph without triangles has no larger value of the
            quadratic form): all n do, one way or the other, with $2 \cdot 4^{-n}$. Fewer than two
            pairs cannot be tested: p is NaN.
    Shapes  `(*, n) -> (*)`.
    Source  Student 1908; the bound is that of Motzkin and Straus 1965, "Maxima for graphs and a new
            proof of a theorem of Turán".
    """
    mean, spread, count = moments(differences)
    known = np.where(np.isfinite(differences), np.abs(differences), 0.0)
    rounding = ROUNDING * known.max(axis=-1, initial=0.0)
    constant = spread <= rounding
    t = np.abs(mean) * np.sqrt(count) / np.where(constant | (count < 2), 1.0, spread)
    p = np.where(constant, 0.0, 2 * special.stdtr(np.maximum(count - 1, 1), -t))
    p = np.where(np.abs(mean) <= rounding, 1.0, np.maximum(p, smallest_p(count)))
    return np.where(count < 2, np.nan, p)


def sign_test(differences: Array) -> Array:
    r"""Two-sided p-value of the sign test along the last axis; NaN is missing, zeros say nothing.

    Maths   $p = \min(1, 2 P(X \le \min(n_+, n_-)))$ with X binomial of $n_+ + n_-$ fair tosses. It
            is exact where arms are exchangeable within a seed, whatever the law of their scores:
            no less than $2^{1-n}$. Fewer than two pairs cannot be tested: p is NaN.
    Shapes  `(*, n) -> (*)`.
    Source  Arbuthnot 1710, "An argument for Divine Providence"; Dixon and Mood 1946.
    """
    ahead, behind = (differences > 0).sum(axis=-1), (differences < 0).sum(axis=-1)
    fewer = 2 * special.bdtr(np.minimum(ahead, behind), ahead + behind, 0.5)
    return np.where(np.isfinite(differences).sum(axis=-1) < 2, np.nan, np.minimum(fewer, 1.0))


def smallest_p(pairs: Array | NDArray[np.int64] | int, chance: float = 0.25) -> Array:
    """The least that `paired_t` can be with so many pairs: 0.002 with five.

    chance  that two equal arms differ by a given amount: of scores 1/4 at most, of wins 1/2
    """
    return np.asarray(2.0 * chance ** np.asarray(pairs, np.float64))


def holm(p: Array) -> Array:
    r"""Holm's step-down adjusted p-values; NaN is a test that was not made and is not counted.

    Maths   $\tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1) p_{(j)})$. Controls the chance of
            any false rejection whatever the dependence between tests.
    Shapes  `(*, m) -> (*, m)`.
    Source  Holm 1979, "A simple sequentially rejective multiple test procedure"; the adjusted form
            is that of Wright 1992, "Adjusted p-values for simultaneous inference".
    """
    order = np.argsort(p, axis=-1, kind="stable")
    tests = np.isfinite(p).sum(axis=-1, keepdims=True)
    multiplied = (tests - np.arange(p.shape[-1])) * np.take_along_axis(p, order, axis=-1)
    # NaN is sorted to the end, where it stays.
    stepped = np.maximum.accumulate(np.minimum(multiplied, 1.0), axis=-1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, stepped, axis=-1)
    return adjusted
