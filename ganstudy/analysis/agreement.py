"""How far the ranking on one target is that on another, and which metrics say the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.across import study_scores
from ganstudy.analysis.budget import seen
from ganstudy.analysis.handling import STUDY, is_search, of_studies
from ganstudy.analysis.intervals import ROUNDING, Array, jackknife, known_mean, t_interval
from ganstudy.analysis.metric import RecordedMetric, metric_names
from ganstudy.analysis.ranks import ranked
from ganstudy.analysis.scores import trial_scores
from ganstudy.analysis.studies import of_study, tested

__all__ = ["metric_agreement", "rank_agreement"]


@of_studies
def rank_agreement(
    ds: xr.Dataset, budget: int | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    r"""How well the ranking of arms by one search on a target predicts that on another target.

    Maths   Kendall's $\tau_a$ between the scores of all arms in search r on one target and search
            $r' \ne r$ on the other, averaged over all $r \ne r'$: with $S_r$ the signs of the
            differences of all P pairs of arms, 0 for a tie,
            $\tau_a = \sum_{r \ne r'} S_r \cdot S'_{r'} / R(R-1)P$.
            On the diagonal it is between two searches of the same target: no ranking can be
            predicted better than it repeats itself. The estimand is that of single searches, noise
            included, so that no attenuation has to be set right, and it is unbiased. The unit that
            is left out is the search, on both targets; limits are the jackknife's with Student's t,
            for each pair of targets alone. Arms and targets are as they are: intervals do not say
            what other arms or targets would give.
    Source  Kendall 1938, "A new measure of rank correlation"; Tukey 1958 for the jackknife.

    Returns  variables (study, other): `correlation`, `low`, `high`; `same_way`, $(1 + \tau_a) / 2$,
             the share of pairs of arms that both rank alike, ties counting half, `same_low`,
             `same_high`; `same_way_across` and `same_way_within`, its means over pairs of targets
             and over targets with themselves; `of_means`, $\tau_a$ between the means over all
             searches. NaN limits with fewer than three searches, of targets that are not tested,
             and where all searches say the same: the jackknife then knows of no chance at all.
    """
    scores = study_scores(ds, budget)
    oriented = scores["oriented"].transpose(STUDY, "repeat", "arm")
    signs = pair_signs(oriented.values)
    whole = kendall(signs)
    repeats = signs.shape[1]
    without = np.array([kendall(np.delete(signs, r, axis=1)) for r in range(repeats)])
    own = tested(ds).values
    limits = jackknife(whole, without, confidence)
    low, high = _limits(limits.low, limits.high, np.outer(own, own))
    # Where an arm is worse than any number in one search, it is so on average.
    means = oriented.mean("repeat").values
    # Twice the same, so that there are two different searches.
    of_means = kendall(np.repeat(pair_signs(means)[:, None], 2, axis=1))
    names = scores[STUDY].values
    dims = (STUDY, "other")
    alike, apart = (1 + whole) / 2, ~np.eye(len(whole), dtype=bool) & ~np.isnan(whole)
    return xr.Dataset(
        {
            "correlation": (dims, whole, {"long_name": "rank correlation"}),
            "low": (dims, low),
            "high": (dims, high),
            "same_way": (dims, alike),
            "same_low": (dims, (1 + low) / 2),
            "same_high": (dims, (1 + high) / 2),
            "of_means": (dims, of_means),
            "same_way_across": np.mean(alike[apart]) if apart.any() else np.nan,
            "same_way_within": known_mean(np.diag(alike))[0],
        },
        coords={STUDY: names, "other": names},
        attrs={"confidence": confidence, "repeats": repeats, "arms": scores.sizes["arm"]},
    )


def _limits(low: Array, high: Array, known: NDArray[np.bool_] | np.bool_) -> Iterator[Array]:
    """Limits of correlations, where they are known and what they are over varies."""
    varied = known & (high - low > ROUNDING)
    return (np.where(varied, np.clip(end, -1, 1), np.nan) for end in (low, high))


def pair_signs(oriented: Array) -> Array:
    """Signs of the differences of all pairs of arms, `(*, arms) -> (*, pairs)`; NaN for a gap."""
    first, second = np.triu_indices(oriented.shape[-1], 1)
    one, other = oriented[..., first], oriented[..., second]
    return np.where(np.isnan(one) | np.isnan(other), np.nan, 1.0 * (one > other) - (one < other))


def kendall(signs: Array) -> Array:
    """Between all pairs of targets, of different searches; `(studies, searches, pairs)`.

    A pair of arms with a gap in one of the two searches says nothing of them.
    """
    known = ~np.isnan(signs)
    together, number = (_of_different(own) for own in (np.where(known, signs, 0.0), 1.0 * known))
    return np.divide(together, number, out=np.full_like(together, np.nan), where=number > 0)


def _of_different(values: Array) -> Array:
    """Products of the values of two targets in different searches, summed over all pairs."""
    total = values.sum(axis=1)
    return np.asarray(total @ total.T - np.einsum("srp,trp->st", values, values), np.float64)


@of_studies
def metric_agreement(ds: xr.Dataset, *, confidence: float = 0.95) -> xr.Dataset:
    """Which metrics order the trials of a target alike.

    Spearman's correlation of the scores of all trials of one number of search on a target, over all
    arms and points, better values of both counting as high; averaged over these numbers, with
    Student's interval over them, where they are not all the same. Trials that diverged or failed
    are left out: they are the worst by every metric alike, and say nothing of any. Fresh seeds are
    left out too, since a metric chose their points.

    Returns  variables (study, metric, other): `correlation`, `low`, `high`; NaN where a study does
             not record both. `mean`, `mean_low`, `mean_high` (metric, other): over the studies that
             do, within each number of search; `studies` (metric, other), how many.
    """
    names = ds[STUDY].values.tolist()
    metrics = metric_names(ds)
    each = [_of_one(of_study(ds, name), metrics) for name in names]
    repeats = max(len(own) for own in each)
    table = np.full((len(names), len(metrics), len(metrics), repeats), np.nan)
    for s, own in enumerate(each):
        table[s, ..., : len(own)] = np.moveaxis(own, 0, -1)
    mean, _ = known_mean(table, axis=0)
    known = tested(ds).values
    dims = ("metric", "other")
    found = {}
    for prefix, values, own_dims, sure in (
        ("", table, (STUDY, *dims), known[:, None, None]),
        ("mean_", mean, dims, known.all()),
    ):
        interval = t_interval(values, confidence)
        found[prefix[:-1] or "correlation"] = (own_dims, interval.mean)
        for end, own in zip(("low", "high"), _limits(*interval[1:3], sure), strict=True):
            found[f"{prefix}{end}"] = (own_dims, own)
    found["studies"] = (dims, np.isfinite(table).any(axis=-1).sum(axis=0))
    return xr.Dataset(
        found,
        coords={STUDY: names, "metric": metrics, "other": metrics},
        attrs={"confidence": confidence, "repeats": repeats},
    )


def _of_one(one: xr.Dataset, metrics: list[str]) -> Array:
    """Correlations of a study's metrics in each of its searches, `(searches, metrics, metrics)`."""
    one = seen(one) if is_search(one) else one
    unit = "repeat" if "repeat" in one.dims else "seed"
    own = metric_names(one)
    complete = (one["status"] == "complete").transpose(unit, ...)
    columns = np.full((len(metrics), *complete.shape), np.nan)
    for place, name in enumerate(metrics):
        if name in own:
            score = trial_scores(one, name)["score"].transpose(*complete.dims)
            columns[place] = RecordedMetric.of(one, name).sign * score
    columns = columns.reshape(len(metrics), complete.sizes[unit], -1)
    ran = complete.values.reshape(complete.sizes[unit], -1)
    return np.array([_spearman(columns[:, r, ran[r]]) for r in range(len(ran))])


def _spearman(columns: Array) -> Array:
    """Spearman's correlations of rows, `(metrics, trials) -> (metrics, metrics)`.

    Over the trials that have every metric that is recorded; NaN for one that is not, or is
    constant.
    """
    recorded = np.isfinite(columns).any(axis=1)
    whole = np.isfinite(columns[recorded]).all(axis=0)
    found = np.full((len(columns), len(columns)), np.nan)
    if whole.sum() < 3:
        return found
    ranks = ranked(columns[recorded][:, whole])
    varied = np.ptp(ranks, axis=1) > 0
    places = np.flatnonzero(recorded)[varied]
    if len(places):
        found[np.ix_(places, places)] = np.atleast_2d(np.corrcoef(ranks[varied]))
    return found
