"""What a search found: the points of every arm, and the best of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.design import with_arms
from ganstudy.analysis.handling import of_run, of_search
from ganstudy.analysis.intervals import Array
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import trial_scores
from ganstudy.score import of_seeds
from ganstudy.study.space import AnyParameter, Choice, Range


@of_search
def point_scores(ds: xr.Dataset, metric: str | None = None) -> xr.DataArray:
    """What the search was told of every point: the study's statistic over the scores of its seeds.

    NaN for a point of which a seed has no score: it is missing, failed, pruned, or worse than any
    number. Fresh seeds, which no search has seen, are left out.

    Returns  dims (axes..., trial), with `repeat` before `trial` where searches are repeated.
    """
    score = trial_scores(seen(ds), metric)["score"].transpose(..., "seed")
    reduced = score.reduce(partial(_of_seeds, str(ds.attrs["statistic"])), "seed")
    return reduced.assign_attrs(score.attrs)


@of_search
def best_by_budget(ds: xr.Dataset, metric: str | None = None) -> xr.Dataset:
    """The best point among the first n of every arm: its score as a function of the budget n.

    The incumbent at n is the point with the best `point_scores` among the first n that keep the
    constraints of the search, and of which all that is sought could be measured, in the order in
    which it learned of them; on a tie the first.
    `mean` is its mean over seeds. They have chosen the point, which is optimistic, and so they have
    no interval: Student's held the mean of the best of 40 equal points in half of all simulations
    with ten seeds. `held_out` is not optimistic: each seed is scored at the point that the other
    seeds choose by their mean, and these scores are averaged (NaN with one seed); nor has it an
    interval, since these scores share seeds. `fresh_scores` has one. It is one ordering of one
    search; `budget_curve` says what to expect of such a search.

    Returns  variables (axes..., trial), of each repeat: `mean`, `seeds`, `held_out`,
             `incumbent` (index of the point; -1 while there is none); NaN there.
    """
    fact, ds = RecordedMetric.of(ds, metric), seen(ds)
    score = trial_scores(ds, metric)["score"].transpose(..., "trial", "seed")
    may = eligible(ds)
    told = point_scores(ds, metric).where(may).transpose(*score.dims[:-1])
    score = score.where(may).transpose(*score.dims)
    shape = score.shape[:-2]
    chosen = np.full((*shape, score.sizes["trial"]), -1, dtype=np.int64)
    held_out = np.full(chosen.shape, np.nan)
    at_best = np.full(score.shape, np.nan)
    for arm in np.ndindex(*shape):
        values = score.values[arm]
        chosen[arm] = incumbents(fact.sign * told.values[arm])
        every = np.ones(len(values), dtype=bool)
        held = fact.sign * held_out_by(best_so_far, fact.sign * values, every)
        found = chosen[arm] >= 0
        at_best[arm][found] = values[chosen[arm][found]]
        held_out[arm][found] = held[found]
    dims, scored = score.dims[:-1], score.copy(data=at_best)
    result = xr.Dataset(
        {
            "mean": scored.mean("seed").assign_attrs(long_name=f"{fact.long_name}, mean"),
            "seeds": scored.notnull().sum("seed"),
            "held_out": (dims, held_out, {"long_name": f"{fact.long_name}, held out"}),
            "incumbent": (dims, chosen, {"long_name": "best point so far"}),
        }
    )
    return result.assign_attrs(metric=fact.name)


@of_search
def tuned(ds: xr.Dataset) -> xr.Dataset:
    """Every arm at the best of its points: a grid study without settings, for all other analyses.

    The parameters become coordinates of the arms. An arm none of whose points keeps the constraints
    stands at the one that breaks them least; an arm without any value, at its first. Scores at the
    best point are optimistic; see `best_by_budget` for what they are worth. `attrs["searches"]` is
    the number of searches of an arm: with one, its luck cannot be told from the arm's worth.
    `attrs["chosen_on_seeds"]` is 1 where the seeds that score a point have chosen it.

    Where searches are repeated, their points stand for themselves on fresh seeds, which chose
    nothing. What is drawn anew is then the search: `seed` numbers the searches of an arm, those of
    one number on shared streams, and a dimension `fresh_seed` is averaged over within each.
    """
    ds = with_arms(ds)
    best = chosen_points(ds)
    chosen = ds.isel(trial=best).drop_vars(("trial", "pareto", "violation"), errors="ignore")
    axes = [str(dim) for dim in best.dims if dim != "repeat"]
    searches = ds.sizes.get("repeat", 1)
    if "fresh" in ds:
        chosen = chosen.isel(seed=np.flatnonzero(ds["fresh"].values)).drop_vars("fresh")
    if searches > 1:
        numbers = {"seed": np.arange(1, searches + 1)}
        chosen = chosen.rename(seed="fresh_seed").rename(repeat="seed").assign_coords(numbers)
        chosen = chosen.assign_coords(fresh_seed=np.arange(1, chosen.sizes["fresh_seed"] + 1))
        axes = [*axes, "fresh_seed"]
        chosen = chosen.transpose(*axes, "seed", ...)
    elif "repeat" in ds.dims:
        chosen = chosen.isel(repeat=0, drop=True)
    on_seeds = int("fresh" not in ds and searches == 1)
    return chosen.assign_attrs(axes=axes, searches=searches, chosen_on_seeds=on_seeds)


@of_run
def seen(ds: xr.Dataset) -> xr.Dataset:
    """The dataset without the fresh seeds, which no search has seen."""
    return ds.isel(seed=np.flatnonzero(~ds["fresh"].values)) if "fresh" in ds else ds


@of_search
def chosen_points(ds: xr.Dataset) -> xr.DataArray:
    """Index of the point at which each search stands: its best, or that with fresh seeds.

    Without a point that keeps the constraints it is the one that breaks them least; without one of
    which all could be measured, the first.

    Errors  `ValueError` where there is no point.
    """
    if not ds.sizes["trial"]:
        raise ValueError("there is no point to choose from along 'trial'")
    best = best_by_budget(ds)["incumbent"].isel(trial=-1)
    if "violation" in ds:
        told = point_scores(ds)
        told = told.where(all_measured(ds))
        broken = ds["violation"].where(told.notnull(), np.inf)
        least = RecordedMetric.of(ds).sign * told.where(broken == broken.min("trial"))
        best = best.where(best >= 0, least.fillna(-np.inf).argmax("trial"))
    best = best.clip(min=0)
    if "fresh" in ds:
        on_fresh = ((ds["status"] != "excluded") & ds["fresh"]).any("seed")
        best = best.where(~on_fresh.any("trial"), on_fresh.argmax("trial"))
    return best.compute()  # of a dataset in chunks no index can be followed that is not there yet


@of_search
def feasible(ds: xr.Dataset) -> xr.DataArray:
    """Whether each point keeps the constraints of the search; all do where it has none.

    Returns  dims (axes..., trial).
    """
    return ds["violation"] == 0 if "violation" in ds else xr.ones_like(ds["pareto"])


@of_search
def eligible(ds: xr.Dataset) -> xr.DataArray:
    """Whether each point may be chosen: it keeps the constraints where its training ends.

    Returns  dims (axes..., trial).
    """
    return feasible(ds) & all_measured(ds)


@of_search
def all_measured(ds: xr.Dataset) -> xr.DataArray:
    """Whether all that the search seeks could be measured of every trial of a point.

    Of those that failed, were pruned or are missing nothing could; of one that diverged all could.

    Returns  dims (axes..., trial).
    """
    ds = seen(ds)
    bounded = (str(text).split()[0] for text in np.atleast_1d(ds.attrs.get("constraints", [])))
    found = xr.ones_like(ds["pareto"], dtype=bool)
    for name in dict.fromkeys([*map(str, np.atleast_1d(ds.attrs["objectives"])), *bounded]):
        scores = trial_scores(ds, name)
        found = found & (scores["score"].notnull() | scores["unbounded"]).all("seed")
    return found


@of_search
def parameters_of(ds: xr.Dataset) -> list[AnyParameter]:
    """The parameters of a search, from the attributes of their coordinates; without conditions."""
    found: list[AnyParameter] = []
    # A netCDF file has no lists of one, and those of numbers are arrays.
    for name in np.atleast_1d(ds.attrs["parameters"]):
        about = ds[name].attrs
        if "choices" in about:
            labels = tuple(np.atleast_1d(about["choices"]).tolist())
            found.append(Choice(str(about["long_name"]), (), labels=labels))
            continue
        number = int if about["whole"] else float
        low, high = number(about["low"]), number(about["high"])
        step = number(about["step"]) if about["step"] else None
        own = Range(str(about["long_name"]), (), {}, low, high, bool(about["log"]), step)
        found.append(own)
    return found


def incumbents(oriented: Array) -> NDArray[np.int64]:
    """Index of the best value so far at each place, -1 before the first; `(points,)`."""
    found = np.full(len(oriented), -1, dtype=np.int64)
    best = -1
    for number, value in enumerate(oriented):
        if np.isfinite(value) and (best < 0 or value > oriented[best]):
            best = number
        found[number] = best
    return found


def best_so_far(oriented: Array, tried: NDArray[np.bool_], scored: Array) -> Array:
    """What is scored at the best value among the first k tried, for each k; `(points,)`."""
    chosen = incumbents(oriented)
    found = np.where(chosen >= 0, scored[chosen], np.nan)
    return np.where(np.arange(len(found)) < tried.sum(), found, np.nan)


def held_out_by(
    summary: Callable[[Array, NDArray[np.bool_], Array], Array],
    oriented: Array,
    tried: NDArray[np.bool_],
) -> Array:
    """A summary in which each seed is scored where the others choose, averaged; `(points,)`."""
    seeds = oriented.shape[1]
    whole = np.isfinite(oriented).all(axis=1)
    kept = [
        summary(
            np.where(whole, _of_seeds("mean", np.delete(oriented, seed, axis=1), 1), np.nan),
            tried,
            oriented[:, seed],
        )
        for seed in range(seeds if seeds > 1 else 0)
    ]
    return np.mean(kept, axis=0) if kept else np.full(len(oriented), np.nan)


def _of_seeds(statistic: str, scores: Array, axis: int) -> Array:
    """The statistic of the search along an axis, as the search itself computes it."""
    # Of a dataset in chunks they are not there yet.
    rows = np.moveaxis(np.asarray(scores), axis, -1)
    found = [of_seeds(statistic, row) for row in rows.reshape(-1, rows.shape[-1]).tolist()]
    return np.array(found).reshape(rows.shape[:-1])
