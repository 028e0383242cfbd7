"""Which arm is best, and how sure that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ganstudy.analysis.arms import most_agree, scores_of
from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.blocks import equals_best, order_effects
from ganstudy.analysis.bounded import gaffke_interval
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import WhichSettings, arm_dim, testable
from ganstudy.analysis.grades import detectable, graded, in_direction
from ganstudy.analysis.intervals import t_interval


@of_arms
def compare_arms(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: WhichSettings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """Paired comparisons of all pairs of arms.

    Arms share the random streams of their seeds, so differences are taken within a seed and
    setting, over those that both arms have a score for; they are averaged over settings within each
    seed, and a paired t test is made on the seed means. P-values are adjusted by Holm over all
    pairs. Arms that were searched once each are not tested, and their differences have no limits.
    Where a trial is worse than any number (`attrs["basis"]` is then `wins`), the test is of
    which arm is better, trial against trial, and not of scores.

    Returns  variables (arm, other): `difference` = score(arm) - score(other) where both have one,
             with limits `low` and `high` that hold for all pairs at once (Bonferroni): Student's,
             within what bounds allow, or Gaffke's where most seeds agree; `p`
             (adjusted; NaN where fewer than two seeds can be paired and on the diagonal); `grade`
             (`clear`, `leaning`, `open`; empty where nothing was tested); `won`, the share of seeds
             in which the arm is better, ties counting half; `detectable`, the difference that would
             have been clear with a chance of 80 %, were its spread that seen (infinite where so few
             seeds can make nothing clear; NaN for `wins`); `seeds` (that both arms have), `trials`
             (of each arm that are compared, or searches).
    """
    compared, arm = Compared.of(ds, metric, settings), arm_dim(ds)
    arms = compared.score.sizes[arm]
    upper = np.triu_indices(arms, 1)
    lower, dims = upper[::-1], (arm, "other")
    found = _pairs(compared, confidence, testable(ds))
    found["seeds"] = np.isfinite(compared.pairs.differences[upper]).sum(axis=-1)
    # What holds for the second of a pair, where it is not what holds for the first.
    mirrored = {
        "difference": -found["difference"],
        "low": -found["high"],
        "high": -found["low"],
        "won": 1 - found["won"],
    }
    about = {
        "difference": f"difference in {compared.fact.long_name}",
        "p": "Holm-adjusted p-value",
        "won": "share of seeds won",
        "detectable": "difference that would have been clear in four studies of five",
    }
    variables: dict[str, Any] = {}
    for name, values in found.items():
        diagonal = {"difference": 0.0, "grade": "", "seeds": 0}.get(name, np.nan)
        whole = np.full((arms, arms), diagonal, dtype=values.dtype)
        whole[upper], whole[lower] = values, mirrored.get(name, values)
        attrs = {"long_name": about[name]} if name in about else {}
        variables[name] = (dims, whole, attrs)
    return xr.Dataset(
        {**variables, "trials": (dims, compared.pairs.trials)},
        coords={arm: compared.score[arm], "other": compared.score[arm].values},
        attrs={
            "metric": compared.fact.name,
            "confidence": confidence,
            "settings": settings,
            "basis": compared.basis,
        },
    )


def _pairs(compared: Compared, confidence: float, tested: bool) -> dict[str, Any]:
    """What `compare_arms` returns of each pair, the first against the second, as plain arrays."""
    upper = np.triu_indices(compared.score.shape[0], 1)
    apart = compared.pairs.differences[upper]
    nothing, settings = np.full(len(apart), np.nan), compared.pairs.settings[upper]
    p, grade = graded(apart, settings, wins=compared.basis == "wins")
    tests = max(int(np.isfinite(p).sum()), 1)
    scored = compared.fact.sign * compared.scored.differences[upper]
    mean, low, high, _ = t_interval(scored, 1 - (1 - confidence) / tests)
    # Scores within bounds differ by no more than lies between them.
    widest = compared.fact.bounds[1] - compared.fact.bounds[0]
    low, high = np.clip(low, -widest, widest), np.clip(high, -widest, widest)
    agree = most_agree(scored) & np.isfinite(low)
    if agree.any() and np.isfinite(widest):
        # Student's would have next to no width, as for a single arm.
        own = gaffke_interval(scored[agree], (-widest, widest), 1 - (1 - confidence) / tests)
        low[agree], high[agree] = own.low, own.high
    known = np.isfinite(apart)
    wins = np.where(known, 0.5 * (1 + np.sign(apart)), 0.0).sum(axis=-1)
    won = np.divide(wins, known.sum(axis=-1), out=nothing.copy(), where=known.any(axis=-1))
    least = nothing
    if compared.basis == "means":
        least = detectable(apart, tests, settings)
    if not tested:
        low = high = p = least = nothing
    return {
        "difference": mean,
        "low": low,
        "high": high,
        "p": p,
        "grade": np.where(np.isfinite(p), grade, ""),
        "won": won,
        "detectable": least,
    }


@of_arms
def rank_arms(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: WhichSettings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """The arms from best to worst, and how sure the best one's lead over each of them is.

    Order, differences and grades are taken from the same trials, those that arms have in common:
    where all have run, arms are in the order of their means; where some are missing, in that of
    least squares over all paired differences (a mean that these put beyond a bound of the metric is
    told as the bound, and keeps its place); where some are worse than any number, in that of
    their wins, trial against trial. A difference is graded only in the direction of the order.

    The best arm is chosen by looking at the data, so that its comparisons with the others are the
    extremes among all pairs. Holm's correction is therefore taken over all pairs; over the
    comparisons with the best alone, four equal arms would be told apart 7 times in 100 at a level
    of 5 (tests/statistical/test_analysis_intervals.py).

    Returns  `arm_scores` sorted (arms without a score last, ties in study order), with
             `difference`, `difference_low`, `difference_high` (arm minus best, paired), `p`,
             `grade`, `won` and `detectable` of `compare_arms`, arm against best; `equals_best`,
             whether it is the best arm, or does as well by what puts them in order.
    """
    compared = Compared.of(ds, metric, settings)
    fact, arm = compared.fact, arm_dim(ds)
    scores = scores_of(compared, confidence)
    mean = fact.sign * compared.means.values
    # Arms that win as often differ by rounding, and stay in study order.
    worth = mean if compared.basis == "means" else order_effects(compared.pairs).round(12)
    paired_at_all = compared.pairs.trials.any(axis=1) | (scores.sizes[arm] == 1)
    worth = np.where(paired_at_all | (compared.basis == "means"), worth, np.nan)
    order = np.argsort(-worth, kind="stable")
    pairs = compare_arms(ds, metric, settings=settings, confidence=confidence)
    best = int(order[0])
    with_best = pairs.isel(other=best, drop=True)
    scores["difference"] = with_best["difference"]
    scores["difference_low"], scores["difference_high"] = with_best["low"], with_best["high"]
    for name in ("p", "grade", "won", "detectable"):
        scores[name] = with_best[name]
    scores["grade"] = (arm, in_direction(scores["grade"].values, compared.pairs.mean[:, best], -1))
    size = 1.0 if compared.basis == "wins" else abs(worth[best])
    scores["equals_best"] = (arm, equals_best(worth, best, size))
    return scores.isel({arm: order}).assign_attrs(
        metric=fact.name, confidence=confidence, settings=settings, basis=compared.basis
    )
