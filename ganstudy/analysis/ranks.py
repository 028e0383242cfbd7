"""Arms by their ranks within each setting and seed, with a critical difference."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import fdtrc

from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import WhichSettings, arm_dim, testable
from ganstudy.analysis.intervals import ROUNDING, Array


@of_arms
def rank_table(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: WhichSettings = "shared",
    level: float = 0.05,
) -> xr.Dataset:
    r"""Mean rank of each arm over seeds, Friedman's test, and Nemenyi's critical difference.

    Maths   a block is a seed: arms are ranked by their means over settings, 1 the best, ties by
            their mean rank. Only settings at which every arm has a score in that seed are averaged;
            seeds without any are left out and counted. Friedman:
            $\chi^2 = \frac{(k-1) \sum_j (R_j - \bar R)^2}{\sum_{ij} (r_{ij} - \bar R)^2 / n}$
            with n blocks and k arms, which is right for ties too, and with Iman and Davenport
            $F = (n-1) \chi^2 / (n(k-1) - \chi^2)$ on $k - 1$ and $(k-1)(n-1)$ degrees of freedom,
            since $\chi^2$ finds too little with few blocks; p is no less than the chance that
            equal arms agree as far as they can, $\max_i a_i / \prod_i a_i$ with $a_i$ the orders
            that the ties of block i leave, $k!$ without ties. Two arms differ if their mean
            ranks are $CD = q_{\alpha,k} \sqrt{k(k+1)/6n}$ apart, q the studentised range over
            $\sqrt 2$. Settings within a seed are no blocks of their own: they share its streams.
    Source  Friedman 1937; Iman and Davenport 1980, "Approximations of the critical region of the
            Friedman statistic"; Nemenyi 1963; Demšar 2006, "Statistical comparisons of classifiers
            over multiple data sets", section 3.2.

    A trial that is worse than any number makes its arm the last of its block.

    Returns  variables (arm,): `rank`; scalars `statistic`, `p`, `critical_difference`, `blocks`,
             `left_out` (seeds), `trials` (of each arm that are ranked, or searches); NaN
             statistics with fewer than two blocks or arms, and where nothing is tested.
    """
    compared, arm = Compared.of(ds, metric, settings), arm_dim(ds)
    oriented = compared.score.copy(data=compared.oriented.reshape(compared.score.shape))
    axes = oriented.dims[1:-1]
    everywhere = oriented.notnull().all(arm)
    means = oriented.where(everywhere).mean(axes)
    table = means.transpose("seed", arm).values
    complete = ~np.isnan(table).any(axis=1)
    known = oriented.where(everywhere & np.isfinite(oriented), 0.0)
    sizes = abs(known).max(axes).transpose("seed", arm).values[complete]
    whole = table[complete]
    blocks, arms = whole.shape
    ranks = ranked(-_levels(whole, sizes)) if blocks else np.full((1, arms), np.nan)
    statistic = p = critical = np.nan
    if blocks > 1 and arms > 1 and testable(ds):
        statistic, p = friedman(ranks)
        critical = _quantile(level, arms) * math.sqrt(arms * (arms + 1) / (6 * blocks))
    return xr.Dataset(
        {
            "rank": (arm, ranks.mean(axis=0), {"long_name": "mean rank, 1 is best"}),
            "statistic": statistic,
            "p": p,
            "critical_difference": critical,
            "blocks": blocks,
            "left_out": len(table) - blocks,
            "trials": int(everywhere.sum()),
        },
        coords={arm: means[arm]},
        attrs={"metric": compared.fact.name, "level": level, "settings": settings},
    )


def friedman(ranks: Array) -> tuple[float, float]:
    """Friedman's statistic and its p, as `rank_table` has them, of ranks `(blocks, arms)`."""
    blocks, arms = ranks.shape
    spread = ((ranks - (arms + 1) / 2) ** 2).sum() / blocks
    between = ((ranks.mean(axis=0) - (arms + 1) / 2) ** 2).sum()
    statistic = (arms - 1) * blocks * between / spread if spread else 0.0
    left = blocks * (arms - 1) - statistic
    ratio = (blocks - 1) * statistic / left if left > 1e-9 * blocks else math.inf
    p = float(fdtrc(arms - 1, (arms - 1) * (blocks - 1), ratio))
    return statistic, max(p, _chance_of_agreement(ranks))


def ranked(rows: Array) -> Array:
    """Ranks within each row from the least, 1, on; equal values share their mean rank."""
    return np.asarray(pd.DataFrame(rows).rank(axis=1), np.float64)


def _chance_of_agreement(ranks: Array) -> float:
    """Least chance of a table of ranks whose blocks are permuted, each with its ties."""
    orders = []
    for block in ranks:
        ties = np.unique(block, return_counts=True)[1]
        orders.append(math.lgamma(len(block) + 1) - sum(math.lgamma(tie + 1) for tie in ties))
    return math.exp(max(orders) - sum(orders))


@lru_cache
def _quantile(level: float, arms: int) -> float:
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - level, arms, np.inf)) / math.sqrt(2)


def _levels(rows: Array, sizes: Array) -> Array:
    """The order of values within each row: equal scores, whose sums differ by rounding, tie.

    sizes  of the largest score in each sum; one that is huge ties no two others
    """
    order = np.argsort(rows, axis=1)
    ordered, own = (np.take_along_axis(each, order, axis=1) for each in (rows, sizes))
    # Minus infinity is as far from itself as no number.
    with np.errstate(invalid="ignore"):
        apart = np.diff(ordered, axis=1) > ROUNDING * np.maximum(own[:, 1:], own[:, :-1])
    levels = np.zeros(rows.shape)
    np.put_along_axis(levels, order[:, 1:], apart.cumsum(axis=1), axis=1)
    return levels
