"""Which arm is best, and how sure that is."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis._blocks import order_effects
from ganstudy.analysis._grades import detectable, graded
from ganstudy.analysis._intervals import Array, t_interval
from ganstudy.analysis.arms import scores_of
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import Settings, arm_dim


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
    pairs. Where a trial is worse than any number (`attrs["basis"]` is then `wins`), the test is of
    which arm is better, trial against trial, and not of scores.

    Returns  variables (arm, other): `difference` = score(arm) - score(other) where both have one,
             with limits `low` and `high` that hold for all pairs at once (Bonferroni); `p`
             (adjusted; NaN where fewer than two seeds can be paired and on the diagonal); `grade`
             (`clear`, `leaning`, `open`; empty where nothing was tested); `won`, the share of seeds
             in which the arm is better, ties counting half; `detectable`, the difference that would
             have been clear with a chance of 80 %, were its spread that seen (infinite where so few
             seeds can make nothing clear; NaN for `wins`); `seeds` (that both arms have), `trials`
             (of each arm that are compared).
    """
    compared = Compared.of(ds, metric, settings)
    fact, arm = compared.fact, arm_dim(ds)
    arms = compared.score.sizes[arm]
    upper = np.triu_indices(arms, 1)
    apart = compared.pairs.differences[upper]
    p, grade = graded(apart, compared.settings)
    tests = max(int(np.isfinite(p).sum()), 1)
    won = np.where(np.isfinite(apart), 0.5 * (1 + np.sign(apart)), np.nan)
    scored = compared.scored.differences[upper]
    limits = t_interval(fact.sign * scored, 1 - (1 - confidence) / tests)
    seeds = np.isfinite(apart).sum(axis=-1)
    share = np.where(seeds > 0, np.nansum(won, axis=-1) / np.maximum(seeds, 1), np.nan)
    least = (
        detectable(apart, tests, compared.settings)
        if compared.basis == "means"
        else np.full(len(p), np.nan)
    )
    dims, long_name = (arm, "other"), fact.long_name

    def table(above: Array, below: Array, diagonal: float = np.nan) -> Array:
        whole = np.full((arms, arms), diagonal)
        whole[upper], whole[upper[::-1]] = above, below
        return whole

    grades = np.full((arms, arms), "", dtype="<U7")
    grades[upper] = grades[upper[::-1]] = np.where(np.isfinite(p), grade, "")
    mean = limits.mean
    about = {"long_name": "difference that would have been clear in four studies of five"}
    return xr.Dataset(
        {
            "difference": (
                dims,
                table(mean, -mean, 0.0),
                {"long_name": f"difference in {long_name}"},
            ),
            "low": (dims, table(limits.low, -limits.high)),
            "high": (dims, table(limits.high, -limits.low)),
            "p": (dims, table(p, p), {"long_name": "Holm-adjusted p-value"}),
            "grade": (dims, grades),
            "won": (dims, table(share, 1 - share), {"long_name": "share of seeds won"}),
            "detectable": (dims, table(least, least), about),
            "seeds": (dims, table(seeds, seeds, 0).astype(np.int64)),
            "trials": (dims, compared.pairs.trials),
        },
        coords={arm: compared.score[arm], "other": compared.score[arm].values},
        attrs={
            "metric": fact.name,
            "confidence": confidence,
            "settings": settings,
            "basis": compared.basis,
        },
    )


def rank_arms(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: Settings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """The arms from best to worst, and how sure the best one's lead over each of them is.

    Order, differences and grades are taken from the same trials, those that arms have in common:
    where all have run, arms are in the order of their means; where some are missing, in that of
    least squares over all paired differences; where some are worse than any number, in that of
    their wins, trial against trial. A difference is graded only in the direction of the order.

    The best arm is chosen by looking at the data, so that its comparisons with the others are the
    extremes among all pairs. Holm's correction is therefore taken over all pairs; over the
    comparisons with the best alone, four equal arms would be told apart 7 times in 100 at a level
    of 5 (tests/statistical/test_analysis_intervals.py).

    Returns  `arm_scores` sorted (arms without a score last, ties in study order), with
             `difference`, `difference_low`, `difference_high` (arm minus best, paired), `p`,
             `grade`, `won` and `detectable` of `compare_arms`, arm against best.
    """
    compared = Compared.of(ds, metric, settings)
    fact, arm = compared.fact, arm_dim(ds)
    scores = scores_of(compared, confidence)
    mean = fact.sign * scores["mean"].values
    worth = mean if compared.basis == "means" else order_effects(compared.pairs)
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
    against = compared.pairs.mean[:, best] > 0
    scores["grade"] = scores["grade"].where(~(against & (scores["grade"] != "")), "open")
    return scores.isel({arm: order}).assign_attrs(
        metric=fact.name, confidence=confidence, settings=settings, basis=compared.basis
    )
