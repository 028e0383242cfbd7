"""All pairs of arms, compared without a normal law: beside the t tests of `compare_arms`."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr

from ganstudy.analysis.design import Settings, arm_dim, in_comparison, setting_dims, testable
from ganstudy.analysis.intervals import holm
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.resampling import bca_interval, sign_flip_p
from ganstudy.analysis.scores import trial_scores


def compare_by_resampling(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: Settings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """Paired differences with bootstrap intervals, permutation tests and chances to be better.

    The unit is the seed, as in `compare_arms`: differences are taken within a seed and setting and
    averaged over settings. The interval is BCa, of one pair; it covers less than it says (see
    docs/statistics.md), and that of `compare_arms` is the one to quote. The test flips the signs of
    the differences of seeds, and is adjusted by Holm over all pairs; with n seeds and m pairs it
    cannot be below $m 2^{1-n}$, and where that is 0.05 or more it has nothing to say: p is NaN.

    The probability of improvement is the share of (setting, seed) pairs in which the arm is better,
    ties counting half; Agarwal et al. 2021 take it over all pairs of runs, whose streams differ. A
    trial that is worse than any number is worse than every other one there, and is in no
    difference. A trial that failed or is missing is in no pair.

    Returns  variables (arm, other): `difference` = score(arm) - score(other), `low`, `high`, `p`
             (adjusted), `improvement` (0.5 on the diagonal), `pairs` (of trials, that it is over).
    """
    fact = Metric.of(ds, metric)
    arm = arm_dim(ds)
    used, scores = in_comparison(ds, settings), trial_scores(ds, metric)
    score = scores["score"].where(used)
    oriented = (fact.sign * score).where(~scores["unbounded"], -np.inf).where(used)
    arms = score.sizes[arm]
    difference, low, high, p, improvement = (np.full((arms, arms), np.nan) for _ in range(5))
    pairs = np.zeros((arms, arms), np.int64)
    np.fill_diagonal(difference, 0.0)
    np.fill_diagonal(improvement, 0.5)
    for i, j in combinations(range(arms), 2):
        apart = score.isel({arm: i}, drop=True) - score.isel({arm: j}, drop=True)
        of_seed = apart.mean(setting_dims(ds)).values
        first, second = oriented.isel({arm: i}).values, oriented.isel({arm: j}).values
        both = ~np.isnan(first) & ~np.isnan(second)
        pairs[i, j] = pairs[j, i] = both.sum()
        if not both.any():
            continue
        improvement[i, j] = np.mean((first > second)[both]) + np.mean((first == second)[both]) / 2
        improvement[j, i] = 1 - improvement[i, j]
        if not np.isfinite(of_seed).any():
            continue
        difference[i, j] = np.nanmean(of_seed)
        difference[j, i] = -difference[i, j]
        if not testable(ds):
            continue
        low[i, j], high[i, j] = bca_interval(of_seed, confidence)
        low[j, i], high[j, i] = -high[i, j], -low[i, j]
        p[i, j] = sign_flip_p(of_seed)
    upper = np.triu_indices(arms, 1)
    tests = int(np.isfinite(p[upper]).sum())
    attainable = tests * 2.0 ** (1 - score.sizes["seed"]) < 1 - confidence
    p[upper] = holm(p[upper]) if attainable else np.nan
    p[upper[::-1]] = p[upper]
    dims = (arm, "other")
    table = {"difference": difference, "low": low, "high": high, "p": p}
    return xr.Dataset(
        {
            **{name: (dims, values) for name, values in table.items()},
            "improvement": (dims, improvement, {"long_name": "probability of improvement"}),
            "pairs": (dims, pairs),
        },
        coords={arm: score[arm], "other": score[arm].values},
        attrs={"metric": fact.name, "confidence": confidence, "settings": settings},
    )
