"""Which arm is best, and which arms cannot be told apart from it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr

from ganstudy.analysis._intervals import holm, paired_t, t_interval
from ganstudy.analysis.arms import arm_scores
from ganstudy.analysis.design import Settings, arm_dim, in_comparison, setting_dims
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores


def compare_arms(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: Settings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """Paired comparisons of all pairs of arms.

    Arms share the random streams of their seeds, so differences are taken within a seed and
    setting, over those that both arms have a score for; they are averaged over settings within each
    seed, and a paired t test is made on the seed means. P-values are adjusted by Holm over all
    pairs.

    Returns  variables (arm, other): `difference` = score(arm) - score(other) with the limits `low`
             and `high` of a single comparison, `p` (adjusted; NaN where fewer than two seeds can be
             paired and on the diagonal), `seeds` (pairs).
    """
    fact = Metric.of(ds, metric)
    arm = arm_dim(ds)
    score = trial_scores(ds, metric)["score"].where(in_comparison(ds, settings))
    arms = score.sizes[arm]
    difference, low, high, p = (np.full((arms, arms), np.nan) for _ in range(4))
    seeds = np.zeros((arms, arms), dtype=np.int64)
    for i, j in combinations(range(arms), 2):
        first, second = score.isel({arm: i}, drop=True), score.isel({arm: j}, drop=True)
        both = first.notnull() & second.notnull()
        first = first.where(both).mean(setting_dims(ds))
        second = second.where(both).mean(setting_dims(ds))
        limits = t_interval((first - second).values, confidence)
        difference[i, j], low[i, j], high[i, j], seeds[i, j] = limits
        p[i, j] = paired_t(first.values, second.values)
    upper = np.triu_indices(arms, 1)
    p[upper] = holm(p[upper])
    lower = upper[::-1]
    difference[lower], p[lower], seeds[lower] = (
        -difference[upper],
        p[upper],
        seeds[upper],
    )
    low[lower], high[lower] = -high[upper], -low[upper]
    np.fill_diagonal(difference, 0.0)
    dims = (arm, "other")
    return xr.Dataset(
        {
            "difference": (
                dims,
                difference,
                {"long_name": f"difference in {fact.long_name}"},
            ),
            "low": (dims, low),
            "high": (dims, high),
            "p": (dims, p, {"long_name": "Holm-adjusted p-value"}),
            "seeds": (dims, seeds),
        },
        coords={arm: score[arm], "other": score[arm].values},
        attrs={"metric": fact.name, "confidence": confidence, "settings": settings},
    )


def rank_arms(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: Settings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """The arms from best to worst, and which of them can be told apart from the best.

    The best arm is chosen by looking at the data, so that its comparisons with the others are the
    extremes among all pairs. Holm's correction is therefore taken over all pairs; over the
    comparisons with the best alone, four equal arms would be told apart 7 times in 100 at a level
    of 5 (tests/statistical/test_analysis_ranking.py).

    Returns  `arm_scores` sorted by mean (arms without a score last, ties in study order), with
             `difference`, `difference_low`, `difference_high` (arm minus best, paired), `p`
             (adjusted) and `apart` (p < 1 - confidence; false for the best itself).
    """
    fact = Metric.of(ds, metric)
    arm = arm_dim(ds)
    scores = arm_scores(ds, metric, settings=settings, confidence=confidence)
    order = np.argsort(-fact.sign * scores["mean"].values, kind="stable")
    pairs = compare_arms(ds, metric, settings=settings, confidence=confidence)
    with_best = pairs.isel(other=int(order[0]), drop=True)
    scores["difference"] = with_best["difference"]
    scores["difference_low"], scores["difference_high"] = (
        with_best["low"],
        with_best["high"],
    )
    scores["p"] = with_best["p"]
    scores["apart"] = with_best["p"] < 1 - confidence
    return scores.isel({arm: order})
