"""Student's t on plain arrays: intervals of a mean, and paired comparisons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

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
    count = np.isfinite(values).sum(axis=-1)
    total = np.where(np.isfinite(values), values, 0.0).sum(axis=-1)
    mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    centred = np.where(np.isfinite(values), values - mean[..., None], 0.0)
    freedom = np.maximum(count - 1, 1)
    error = np.sqrt((centred**2).sum(axis=-1) / freedom / np.maximum(count, 1))
    half = np.where(count > 1, stats.t.ppf((1 + confidence) / 2, freedom) * error, np.nan)
    return Interval(mean, mean - half, mean + half, count.astype(np.int64))


def paired_t(first: Array, second: Array) -> Array:
    r"""Two-sided p-value of the paired t test along the last axis; pairs with NaN are left out.

    Maths   $t = \bar d \sqrt n / s_d$ on $n - 1$ degrees of freedom, $d$ the differences.
            Differences that are all equal (to rounding) have no variance, and few seeds of a score
            that counts modes are often so by chance: p is 1 if they are zero and $2 \cdot 4^{-n}$
            if they are not. Two equal arms that are independent within a seed differ by a given
            amount with a chance of at most 1/4, whatever the law of their scores (a graph without
            triangles has no larger value of the quadratic form). Fewer than two pairs cannot be
            tested: p is NaN.
    Shapes  `(*, n), (*, n) -> (*)`.
    Source  Student 1908; the bound is that of Motzkin and Straus 1965, "Maxima for graphs and a new
            proof of a theorem of Turán".
    """
    differences = first - second
    mean, _, high, count = t_interval(differences, confidence=0.95)
    freedom = np.maximum(count - 1, 1)
    error = (high - mean) / stats.t.ppf(0.975, freedom)
    size = np.where(np.isfinite(differences), np.maximum(np.abs(first), np.abs(second)), 0.0)
    rounding = ROUNDING * size.max(axis=-1, initial=0.0)
    constant = error <= rounding
    safe = np.where(constant | (count < 2), 1.0, error)
    p = 2 * stats.t.sf(np.abs(mean) / safe, freedom)
    p = np.where(constant, np.where(np.abs(mean) <= rounding, 1.0, 2 * 0.25**count), p)
    return np.where(count < 2, np.nan, p)


def pairs_needed(differences: Array, level: float, power: float) -> Array:
    r"""Number of pairs with which a paired t test would probably find such a difference.

    Maths   $\lceil (z_{\alpha/2} + z_{1-\beta})^2 s_d^2 / \bar d^2 + z_{\alpha/2}^2 / 2 \rceil$,
            were mean and spread of all differences those seen: within one of the number by the
            noncentral t law. No fewer than `paired_t` needs where all differences are equal;
            infinite for a mean of zero. NaN for fewer than two pairs.
    Shapes  `(*, n) -> (*)`.
    Source  Guenther 1981, "Sample size formulas for normal theory t tests".
    """
    mean, _, high, count = t_interval(differences, confidence=0.95)
    freedom = np.maximum(count - 1, 1)
    spread = (high - mean) / stats.t.ppf(0.975, freedom) * np.sqrt(count)
    error = stats.norm.isf(level / 2)
    size = np.where(mean == 0, np.nan, np.abs(mean))
    pairs = ((error + stats.norm.ppf(power)) * spread / size) ** 2 + error**2 / 2
    fewest = np.log(2 / level) / np.log(4)
    needed = np.where(mean == 0, np.inf, np.ceil(np.maximum(pairs, fewest)))
    return np.where(count < 2, np.nan, needed)


def holm(p: Array) -> Array:
    r"""Holm's step-down adjusted p-values; NaN is a test that was not made and is not counted.

    Maths   $\tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1) p_{(j)})$. Controls the chance of
            any false rejection whatever the dependence between tests.
    Shapes  `(m,) -> (m,)`.
    Source  Holm 1979, "A simple sequentially rejective multiple test procedure"; the adjusted form
            is that of Wright 1992, "Adjusted p-values for simultaneous inference".
    """
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    multiplied = (len(order) - np.arange(len(order))) * p[order]
    adjusted[order] = np.maximum.accumulate(np.minimum(multiplied, 1.0))
    return adjusted
