"""All pairs of arms, compared without a normal law: beside the t tests of `compare_arms`."""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import xarray as xr

from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import WhichSettings, arm_dim, setting_dims, testable
from ganstudy.analysis.intervals import Array, holm
from ganstudy.analysis.resampling import bca_interval, sign_flip_p


@of_arms
def compare_by_resampling(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: WhichSettings = "shared",
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
    compared, arm = Compared.of(ds, metric, settings, fresh=True), arm_dim(ds)
    score = compared.score
    arms, level = score.sizes[arm], confidence if testable(ds) else None
    pairs = [[_SAME] * arms for _ in range(arms)]
    for i, j in combinations(range(arms), 2):
        apart = score.isel({arm: i}, drop=True) - score.isel({arm: j}, drop=True)
        of_seed = apart.mean(setting_dims(ds)).values
        pairs[i][j] = _pair(compared.oriented[i], compared.oriented[j], of_seed, level)
        pairs[j][i] = pairs[i][j].turned
    table = {
        name: np.array([[getattr(pair, name) for pair in row] for row in pairs])
        for name in Pair._fields
    }
    table["p"] = _adjusted(table["p"], score.sizes["seed"], confidence)
    found = xr.Dataset(
        {name: ((arm, "other"), values) for name, values in table.items()},
        coords={arm: score[arm], "other": score[arm].values},
        attrs={"metric": compared.fact.name, "confidence": confidence, "settings": settings},
    )
    found["improvement"].attrs["long_name"] = "probability of improvement"
    return found


class Pair(NamedTuple):
    """What the table of `compare_by_resampling` says of two arms; `p` is not adjusted yet."""

    difference: float
    low: float
    high: float
    p: float
    improvement: float
    pairs: int

    @property
    def turned(self) -> Pair:
        """The same of the other arm against this one."""
        return Pair(
            -self.difference, -self.high, -self.low, self.p, 1 - self.improvement, self.pairs
        )


_SAME = Pair(0.0, math.nan, math.nan, math.nan, 0.5, 0)


def _pair(first: Array, second: Array, of_seed: Array, confidence: float | None) -> Pair:
    """Two arms by their oriented scores and their differences of seeds; None: without a test."""
    low = high = p = difference = improvement = math.nan
    both = ~np.isnan(first) & ~np.isnan(second)
    if both.any():
        tied = float(np.mean((first == second)[both]))
        improvement = float(np.mean((first > second)[both])) + tied / 2
        if np.isfinite(of_seed).any():
            difference = float(np.nanmean(of_seed))
            if confidence is not None:
                low, high = bca_interval(of_seed, confidence)
                p = sign_flip_p(of_seed)
    return Pair(difference, low, high, p, improvement, int(both.sum()))


def _adjusted(p: Array, seeds: int, confidence: float) -> Array:
    """By Holm over all pairs; NaN where the least p that so few seeds can give decides nothing."""
    adjusted, upper = p.copy(), np.triu_indices(len(p), 1)
    tests = int(np.isfinite(p[upper]).sum())
    attainable = tests * 2.0 ** (1 - seeds) < 1 - confidence
    adjusted[upper] = holm(p[upper]) if attainable else np.nan
    adjusted[upper[::-1]] = adjusted[upper]
    return adjusted
