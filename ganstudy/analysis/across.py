"""Arms ranked on every target of joined studies, over all of them, and what the first try costs.

An arm is a point of the grid of the searches, such as a divergence with a constraint. Targets have
scores of their own, so that nothing is averaged over targets but which of two arms is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.blocks import (
    Paired,
    equals_best,
    has_gaps,
    interval_with_gaps,
    least_squares,
    paired,
    per_seed,
)
from ganstudy.analysis.budget import tuned
from ganstudy.analysis.budget_curve import values_by_budget
from ganstudy.analysis.design import FRESH, label_text, testable
from ganstudy.analysis.grades import graded, in_direction
from ganstudy.analysis.handling import STUDY, is_search, of_studies
from ganstudy.analysis.intervals import ROUNDING, Array, known_mean
from ganstudy.analysis.metric import RecordedMetric, metric_names
from ganstudy.analysis.scores import trial_scores
from ganstudy.analysis.studies import by_study, grid_axes, of_study, tested

__all__ = ["rank_over_studies", "rank_studies", "study_scores", "wins_by_budget"]

QUALITY = "high_quality"


@of_studies
def study_scores(ds: xr.Dataset, budget: int | None = None) -> xr.Dataset:
    """What every search of every arm found on every target.

    budget  of so many points of a search: the expected value of the best of them, scored on seeds
            that did not choose it where the search has several, else as the search was told it,
            which is optimistic, for all arms alike (`attrs["scored"]` is `held_out` or `told`). By
            default of all points: the mean over fresh seeds where there are some (`fresh`).

    Returns  `score` (study, arm, repeat) in the units of each study's own score, NaN without one;
             `oriented`, where more is better and minus infinity is worse than any number;
             `metric` (study).

    Errors  `ValueError` for a budget of which no search has tried as many, or of studies that are
            no searches.
    """
    found = {name: _of_one(of_study(ds, name), budget) for name in ds[STUDY].values.tolist()}
    joined = by_study(found)
    return joined.transpose(STUDY, "arm", "repeat")


def _of_one(one: xr.Dataset, budget: int | None, metric: str | None = None) -> xr.Dataset:
    """The scores of one study, (arm, repeat); another metric is that of the same points."""
    fact = RecordedMetric.of(one, metric)
    if budget is not None:
        if not is_search(one):
            raise ValueError(f"{one.attrs['study']} is a grid: it has no budget of points")
        if not 1 <= budget <= one.sizes["trial"]:
            most = one.sizes["trial"]
            raise ValueError(f"budget should be from 1 to {most} points (got {budget})")
        values = values_by_budget(one)
        scored = "held_out" if values["held_out"].notnull().any() else "told"
        score = values[scored].isel(trial=budget - 1, drop=True)
        worse = values["unbounded"].isel(trial=budget - 1, drop=True)
        oriented = (fact.sign * score).where(~worse, -np.inf)
    else:
        scored = "fresh" if "fresh" in one else "told" if is_search(one) else "seeds"
        arms = tuned(one) if is_search(one) else one
        trials = trial_scores(arms, metric)
        repeated = FRESH in arms.dims
        over = [FRESH] if repeated else ["seed"] if is_search(one) else []
        score, worse = trials["score"].mean(over), trials["unbounded"].any(over)
        score = score.rename(seed="repeat") if "seed" in score.dims else score.expand_dims("repeat")
        worse = worse.rename(seed="repeat") if "seed" in worse.dims else worse.expand_dims("repeat")
        oriented = (fact.sign * score).where(~worse, -np.inf)
        score = score.where(~worse)
    axes = [str(dim) for dim in score.dims if dim != "repeat"]
    flat = xr.Dataset({"score": flat_arms(score, axes), "oriented": flat_arms(oriented, axes)})
    flat["metric"] = ((), fact.name)
    flat["repeat"] = np.arange(flat.sizes["repeat"])
    return flat.assign_attrs(scored=scored)


def flat_arms(array: xr.DataArray, axes: Sequence[str]) -> xr.DataArray:
    """Values with all axes of the grid on one dimension `arm`, whose labels name them all."""
    ordered = array.transpose(*axes, ...)
    labels = [[label_text(x) for x in array[axis].values.tolist()] for axis in axes]
    names = [", ".join(labels_of) for labels_of in product(*labels)]
    rest = ordered.dims[len(axes) :]
    values = ordered.values.reshape(len(names), *ordered.shape[len(axes) :])
    return xr.DataArray(values, dims=("arm", *rest), coords={"arm": names})


@of_studies
def rank_studies(
    ds: xr.Dataset, budget: int | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Every arm on every target: its score, its place, and how sure the best one's lead is.

    The unit is the search: differences are taken within its number, whose seeds arms share. Grades
    are those of `rank_arms`, by Holm over all pairs of arms of one target and budget; where a trial
    is worse than any number, of which arm is better. They are empty, and limits NaN, of studies in
    which `rank_arms` tests nothing: of computations, and where seeds were added by results.

    Returns  variables (study, arm): `mean`, `low`, `high` over searches, in units of the study's
             score; `place`, 1 the best, shared by equals; `behind`, by how much the best one is
             better, over the searches in which both have a score, `grade` of it, empty for the best
             and where only one search has both; `quality`, the share of high-quality samples on the
             same seeds, NaN where it is not recorded or where a budget is given; `diverged`, the
             share of all trials that did. `best` (study), the label of the best, and `equals_best`
             (study, arm), whether an arm is that one, or has the same mean or wins as often;
             `leads` (study, lead), over how many arms its lead is clear, leaning and open; `metric`
             (study).
    """
    return _ranked_studies(ds, study_scores(ds, budget), budget, confidence)


def _ranked_studies(
    ds: xr.Dataset, scores: xr.Dataset, budget: int | None, confidence: float
) -> xr.Dataset:
    """`rank_studies` by the scores of this budget, which its callers have."""
    names = scores[STUDY].values.tolist()
    found = by_study(
        {n: _ranked(of_study(ds, n), scores.sel({STUDY: n}), budget, confidence) for n in names}
    )
    attrs = {"confidence": confidence, "scored": scores.attrs.get("scored", "")}
    return found.assign(metric=scores["metric"]).assign_attrs(attrs)


def _ranked(
    one: xr.Dataset, scores: xr.Dataset, budget: int | None, confidence: float
) -> xr.Dataset:
    fact = RecordedMetric.of(one)
    score = scores["score"].transpose("arm", "repeat").rename(repeat="seed")
    oriented = scores["oriented"].values[:, None, :]
    student = interval_with_gaps(fact.sign * oriented, confidence)
    found = interval_over_seeds(score, fact, confidence, student=student)
    known = testable(one)
    found = found.assign({end: found[end].where(xr.DataArray(known)) for end in ("low", "high")})
    wins = bool(np.isneginf(oriented).any())
    pairs = paired(oriented, "wins" if wins else "means")
    worth = center_of(oriented[:, 0])
    place = places_of(worth, float(wins))
    best = int(np.argmin(place))
    found["place"] = ("arm", place)
    found["equals_best"] = ("arm", equals_best(worth, best, 1.0 if wins else abs(worth[best])))
    found["behind"] = ("arm", paired(oriented, "means").mean[best])
    found["grade"] = ("arm", _grades_behind(pairs, best, known, wins=wins))
    found["best"] = ((), str(found["arm"].values[best]))
    found["leads"] = leads(found["grade"])
    quality = xr.full_like(found["mean"], np.nan)
    if budget is None and QUALITY in metric_names(one):
        quality = _of_one(one, None, QUALITY)["score"].mean("repeat")
    found["quality"] = quality
    axes = grid_axes(one)
    over = [d for d in one["status"].dims if d not in axes]
    ran = one["status"].isin(["complete", "diverged"]).sum(over)
    gone = (one["status"] == "diverged").sum(over)
    found["diverged"] = flat_arms(gone / ran.where(ran > 0), axes)
    return found.drop_vars([STUDY, "metric"], errors="ignore")


def worth_of(differences: Array) -> Array:
    """Mean share of wins less losses against the other arms, over the seeds of both."""
    with_itself = np.eye(len(differences), dtype=bool)[..., None]
    return known_mean(np.where(with_itself, np.nan, differences), axis=(1, 2))[0]


def places_of(worth: Array, size: float = 0.0) -> NDArray[np.int64]:
    """Places from the best, 1; those share one that are equal, but for rounding of numbers of their
    size or this one. Those without worth are last."""
    known, sizes = np.isfinite(worth)[:, None], np.fmax(abs(worth), size)
    behind = worth - worth[:, None] > ROUNDING * np.fmax(sizes, sizes[:, None])
    return np.asarray(1 + np.where(known, behind, known.T).sum(axis=1))


def _grades_behind(pairs: Paired, best: int, known: bool, *, wins: bool) -> NDArray[np.str_]:
    """Grades of the best arm's lead over each other one; empty for itself and untested."""
    differences, arms = pairs.differences, len(pairs.differences)
    upper = np.triu_indices(arms, 1)
    p, grades = graded(differences[upper], pairs.settings[upper], wins=wins, own_luck=True)
    whole = np.full((arms, arms), "", dtype="<U7")
    whole[upper] = whole[upper[::-1]] = np.where(np.isfinite(p) & known, grades, "")
    return in_direction(whole[best], known_mean(differences)[0][best], 1.0)


def leads(grades: xr.DataArray) -> xr.DataArray:
    """Over how many arms a lead has each grade, along `lead`."""
    names = ["clear", "leaning", "open"]
    counts = [int((grades == name).sum()) for name in names]
    return xr.DataArray(counts, dims="lead", coords={"lead": names})


@of_studies
def rank_over_studies(
    ds: xr.Dataset, budget: int | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """The arms over all targets, by how often one is better than another on the same target.

    An arm's `wins` is the share of comparisons with other arms, of one target and one number of
    search, in which it is better, ties counting half: units of scores play no part. It is averaged
    over targets within each number of search, and the interval is over these. Nothing has limits or
    a grade where there is a target on which nothing is tested.

    Returns  variables (arm,), best first: `wins`, `low`, `high`; `worst_place`, `mean_place` over
             targets; `grade` of the best one's lead, by Holm over all pairs, and `leads`, how
             many of each; `diverged`, the share of trials that did, averaged over targets, and
             `diverged_of_all`; `equals_best`, whether an arm is the best one or wins as often;
             `places`, `study_equals_best` (study, arm), `study_leads` (study, lead) and
             `study_best` (study), as in `rank_studies`.
    """
    scores = study_scores(ds, budget).transpose("arm", STUDY, "repeat")
    oriented = scores["oriented"].values
    pairs = paired(oriented, "wins")
    shares = xr.DataArray(wins(pairs), dims=("arm", "seed"), coords={"arm": scores["arm"]})
    fact = RecordedMetric("wins", "share of comparisons won", "", True, (0.0, 1.0), np.nan)
    settings = per_seed((~np.isnan(oriented)).sum(axis=1))
    found = interval_over_seeds(shares, fact, confidence, settings=settings)
    found = found.rename(mean="wins").drop_vars("seeds")
    place = places_of(found["wins"].values, 1.0)
    best = int(place.argmin())
    found["equals_best"] = ("arm", equals_best(found["wins"].values, best, 1.0))
    known = tested(ds).all()
    found = found.assign({end: found[end].where(known) for end in ("low", "high")})
    found["grade"] = ("arm", _grades_behind(pairs, best, bool(known), wins=True))
    found["leads"] = leads(found["grade"])
    ranked = _ranked_studies(ds, scores, budget, confidence)
    found["diverged"] = ranked["diverged"].mean(STUDY)
    found["diverged_of_all"] = found["diverged"].mean()
    found["places"] = places = ranked["place"]
    for name in ("leads", "equals_best", "best"):
        found[f"study_{name}"] = ranked[name]
    found["worst_place"], found["mean_place"] = places.max(STUDY), places.mean(STUDY)
    attrs = {"confidence": confidence, "scored": ranked.attrs["scored"]}
    return found.isel(arm=place.argsort(kind="stable")).assign_attrs(attrs)


def wins(pairs: Paired) -> Array:
    """Share of its comparisons that each arm wins in each number of search, ties counting half.

    Shapes  `(arms, searches)`, NaN where it has met no other.
    """
    arms = len(pairs.differences)
    met = np.isfinite(pairs.differences).sum(axis=1) - 1
    met = np.where((met > 0) | (arms == 1), np.maximum(met, 1), np.nan)
    return np.asarray((np.nansum(pairs.differences, axis=1) / met + 1) / 2)


@of_studies
def wins_by_budget(ds: xr.Dataset, budgets: Sequence[int]) -> xr.Dataset:
    """`rank_over_studies` at every budget.

    Returns  variables `wins`, `low`, `high`, `equals_best` (budget, arm), `best` (budget), the arm
             with most wins; `study_equals_best` (budget, study, arm); `first` (budget, study), the
             first of each target, and `ahead`, the number of `others` (scalar) over which its lead
             is clear or leaning.
    """
    found = [rank_over_studies(ds, k) for k in budgets]
    best = [str(own["arm"].values[0]) for own in found]
    kept = [
        own[["wins", "low", "high", "equals_best", "study_equals_best"]]
        .sortby("arm")
        .expand_dims(budget=[k])
        for own, k in zip(found, budgets, strict=True)
    ]
    joined: xr.Dataset = xr.concat(
        kept, "budget", coords="minimal", data_vars="all", compat="override", join="exact"
    )
    firsts = [own["study_best"].values for own in found]
    ahead = [own["study_leads"].sel(lead=["clear", "leaning"]).sum("lead").values for own in found]
    return joined.assign(
        best=("budget", best),
        first=(("budget", STUDY), np.array(firsts)),
        ahead=(("budget", STUDY), np.array(ahead)),
        others=joined.sizes["arm"] - 1,
    ).assign_coords({STUDY: ds[STUDY].values})


def center_of(oriented: Array) -> Array:
    """What puts arms in order on one target, `(arms, repeats) -> (arms,)`: means, or wins.

    Means are those of least squares, so that no arm gains by missing a hard search.
    """
    scores = oriented[:, None, :]
    if np.isneginf(oriented).any():
        return worth_of(paired(scores, "wins").differences)
    if has_gaps(scores):
        return least_squares(scores, paired(scores, "means"))
    return known_mean(oriented)[0]
