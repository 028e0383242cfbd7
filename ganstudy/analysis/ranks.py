"""Arms by their ranks within each setting and seed, with a critical difference."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.design import Settings, arm_dim, in_comparison, setting_dims
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores

Array = NDArray[np.float64]


def rank_table(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: Settings = "shared",
    level: float = 0.05,
) -> xr.Dataset:
    r"""Mean rank of each arm over seeds, Friedman's test, and Nemenyi's critical difference.

    Maths   a block is a seed: arms are ranked by their means over settings, 1 the best, ties by
            their mean rank. Only settings at which every arm has a score in that seed are averaged;
            seeds without any are left out and counted. Friedman:
            $\chi^2 = \frac{(k-1) \sum_j (R_j - \bar R)^2}{\sum_{ij} (r_{ij} - \bar R)^2 / n}$
            with n blocks and k arms, which is right for ties too. Two arms differ if their mean
            ranks are $CD = q_{\alpha,k} \sqrt{k(k+1)/6n}$ apart, q the studentised range over
            $\sqrt 2$. Settings within a seed are no blocks of their own: they share its streams.
    Source  Friedman 1937; Nemenyi 1963; Demšar 2006, "Statistical comparisons of classifiers over
            multiple data sets", section 3.2.

    A trial that is worse than any number makes its arm the last of its block.

    Returns  variables (arm,): `rank`; scalars `statistic`, `p`, `critical_difference`, `blocks`,
             `left_out` (seeds), `trials` (of each arm that are ranked); NaN statistics with fewer
             than two blocks or arms.
    """
    from scipy.stats import chi2, rankdata, studentized_range

    fact, arm = Metric.of(ds, metric), arm_dim(ds)
    scores = trial_scores(ds, metric)
    used = in_comparison(ds, settings)
    oriented = (fact.sign * scores["score"]).where(~scores["unbounded"], -np.inf)
    everywhere = (oriented.notnull() & used).all(arm)
    means = oriented.where(everywhere).mean(setting_dims(ds))
    table = means.transpose("seed", arm).values
    whole = table[~np.isnan(table).any(axis=1)]
    blocks, arms = whole.shape
    # Sums of equal scores differ by rounding; to twelve digits they tie.
    ranks = rankdata(-_rounded(whole), axis=1) if blocks else np.full((1, arms), np.nan)
    mean_rank = ranks.mean(axis=0)
    statistic = p = critical = np.nan
    if blocks > 1 and arms > 1:
        spread = ((ranks - (arms + 1) / 2) ** 2).sum() / blocks
        between = ((mean_rank - (arms + 1) / 2) ** 2).sum()
        statistic = (arms - 1) * blocks * between / spread if spread else 0.0
        p = float(chi2.sf(statistic, arms - 1))
        quantile = studentized_range.ppf(1 - level, arms, np.inf) / np.sqrt(2)
        critical = float(quantile * np.sqrt(arms * (arms + 1) / (6 * blocks)))
    return xr.Dataset(
        {
            "rank": (arm, mean_rank, {"long_name": "mean rank, 1 is best"}),
            "statistic": statistic,
            "p": p,
            "critical_difference": critical,
            "blocks": blocks,
            "left_out": len(table) - blocks,
            "trials": int(everywhere.sum()),
        },
        coords={arm: means[arm]},
        attrs={"metric": fact.name, "level": level, "settings": settings},
    )


def _rounded(values: Array) -> Array:
    scale = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    return np.asarray(np.round(values / scale, 12), np.float64)
