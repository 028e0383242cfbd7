"""What a search of some budget finds: of such searches, not of the one ordering that was seen."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import gammaln

from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.budget import (
    best_so_far,
    eligible,
    feasible,
    held_out_by,
    point_scores,
    seen,
)
from ganstudy.analysis.handling import of_search
from ganstudy.analysis.intervals import Array
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import trial_scores
from ganstudy.search.bayes.samplers import SAMPLERS


def drawn_by(ds: xr.Dataset) -> str:
    """The sampler that drew a search's points: `random` where it never came to learn of them."""
    startup = int(ds.attrs.get("startup", 0))
    return "random" if ds.sizes["trial"] <= startup else str(ds.attrs["sampler"])


def learned(ds: xr.Dataset) -> bool:
    """Whether the sampler that drew a search's points went by those that it knew."""
    sampler = SAMPLERS.get(drawn_by(ds))  # None of one that this version does not know
    return sampler is None or sampler.learns


def in_any_order(ds: xr.Dataset) -> bool:
    """Whether any order of a search's points is as likely as that in which they came.

    Its sampler learned nothing, and no point was pruned: which of them are trained to the end, the
    others decide.
    """
    return not learned(ds) and not bool((ds["status"] == "pruned").any())


@of_search
def budget_curve(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    r"""What a search of k points finds: the score of that which scores best.

    Of the objective, that is the value which the search was told. By another metric the best point
    is another than that with which a search ends.

    Maths   Samplers that learn nothing: the expected best of k of the K points that were tried,
            $\sum_i v_{(i)} \binom{i-1}{k-1} / \binom{K}{k}$ over their values in rising order,
            which is unbiased; averaged over repeats, with the limits of `interval_over_seeds`: the
            estimate is a mean over the $\lfloor K / k \rfloor$ searches of k points that K make,
            in any order. Others, and those beside a pruner: the best of the first k, as median
            over repeats with the range. One ordering of one search says nothing of the next: there
            all is NaN with a single search.

    A point that has no value, breaks a constraint or could not be measured is behind all others;
    averages are over the choices in which some point has one. Values are of the seeds that chose,
    which is optimistic; `held_out` scores each seed at the point that the other seeds choose (NaN
    with one seed).

    Returns  variables (axes..., trial): `best`, `low`, `high`, `held_out`, by the number of
             points less one; NaN where a search has not tried as many.
    Source   Dodge et al. 2019, "Show your work", estimate with replacement; Tang et al. 2020,
             "Showing your work doesn't always work", without; Hoeffding 1963, "Probability
             inequalities for sums of bounded random variables", section 5, on means in any order.
    """
    fact = RecordedMetric.of(ds, metric)
    by_chance = in_any_order(ds)
    values = values_by_budget(ds, metric)
    told, others = (values[name].values for name in ("told", "held_out"))
    shape = (*told.shape[:-2], told.shape[-1])
    best, low, high, held = (np.full(shape, np.nan) for _ in range(4))
    for arm in np.ndindex(*shape[:-1]):
        over = partial(_over_repeats, by_chance=by_chance, fact=fact, confidence=confidence)
        best[arm], low[arm], high[arm] = over(told[arm])
        held[arm], *_ = over(others[arm])
    dims = tuple(dim for dim in values["told"].dims if dim != "repeat")
    found = {"best": best, "low": low, "high": high, "held_out": held}
    return xr.Dataset(
        {name: (dims, np.clip(own, *fact.bounds)) for name, own in found.items()},
        coords={d: values[d] for d in dims if d in values.coords},
        attrs={"metric": fact.name, "confidence": confidence, "by_chance": int(by_chance)},
    )


@of_search
def values_by_budget(ds: xr.Dataset, metric: str | None = None) -> xr.Dataset:
    """What each search finds with k points, as `budget_curve` averages it over repeats.

    Returns  variables (axes..., repeat, trial): `told` and `held_out`, by the number of points
             less one; NaN where a search has not tried as many, or where none of them has a value.
             `unbounded`, whether it has tried as many, none has a value, and some are worse than
             any number, break a constraint or were pruned; of points that failed, or could not be
             measured, nothing is known.
    """
    fact, ds = RecordedMetric.of(ds, metric), seen(ds)
    if "repeat" not in ds.dims:
        ds = ds.expand_dims("repeat")
    order = ("repeat", "trial")
    scores, keeps, point = trial_scores(ds, metric), feasible(ds), point_scores(ds, metric)
    may = eligible(ds)
    score = scores["score"].where(may).transpose(..., *order, "seed")
    told = point.where(may).transpose(..., *order)
    untried = ds["status"].isin(["missing", "excluded"]).any("seed")
    tried = ~untried.transpose(*told.dims).values
    ran = (scores["unbounded"] | (ds["status"] == "pruned")).any("seed") | point.notnull() & ~keeps
    ran = ran.transpose(*told.dims)
    by_chance = in_any_order(ds)
    summary = expected_best if by_chance else best_so_far
    some = ran.any("trial") if by_chance else ran.cumsum("trial") > 0
    as_many = np.arange(told.sizes["trial"]) < tried.sum(axis=-1, keepdims=True)
    whole, others = np.full((2, *told.shape), np.nan)
    for search in np.ndindex(*told.shape[:-1]):
        values = fact.sign * told.values[search]
        whole[search] = summary(values, tried[search], values)
        others[search] = held_out_by(summary, fact.sign * score.values[search], tried[search])
    found = {"told": fact.sign * whole, "held_out": fact.sign * others}
    found["unbounded"] = as_many & np.isnan(whole) & some.broadcast_like(told).values
    return xr.Dataset(
        {name: (told.dims, own) for name, own in found.items()},
        coords={d: told[d] for d in told.dims if d in told.coords},
        attrs={"metric": fact.name},
    )


def expected_best(oriented: Array, tried: NDArray[np.bool_], scored: Array) -> Array:
    """The same, averaged over all choices of k of the points tried; `(points,)`."""
    known = np.flatnonzero(np.isfinite(oriented) & tried)
    order = known[np.argsort(oriented[known], kind="stable")]
    total = int(tried.sum())
    rank = total - len(order) + np.arange(1, len(order) + 1)
    result = np.full(len(oriented), np.nan)
    for k in range(1, total + 1):
        logs = _log_choose(rank - 1, k - 1) - _log_choose(np.array(total), k)
        weights = np.exp(logs)
        if weights.sum() > 0:
            result[k - 1] = weights @ scored[order] / weights.sum()
    return result


def _log_choose(n: NDArray[np.int64], k: int) -> Array:
    """Logarithm of the binomial coefficient, minus infinity for n < k."""
    safe = np.maximum(n, k)
    logs = gammaln(safe + 1) - gammaln(k + 1) - gammaln(safe - k + 1)
    return np.asarray(np.where(n >= k, logs, -np.inf))


def _over_repeats(
    curves: Array, *, by_chance: bool, fact: RecordedMetric, confidence: float
) -> tuple[Array, Array, Array]:
    """Middle and ends over searches: a mean with its interval, or a median with the range."""
    whole = np.isfinite(curves).all(axis=0)
    if by_chance:
        points = np.arange(1, curves.shape[1] + 1)
        made = np.isfinite(curves).sum(axis=1).min() // points
        rows = xr.DataArray(curves.T, dims=("trial", "seed"))
        found = interval_over_seeds(rows, fact, confidence, settings=made)
        ends = tuple(found[name].values for name in ("mean", "low", "high"))
    elif len(curves) > 1:
        ends = np.median(curves, axis=0), curves.min(axis=0), curves.max(axis=0)
    else:
        ends = (np.full(curves.shape[1], np.nan),) * 3
    middle, low, high = (np.where(whole, end, np.nan) for end in ends)
    return middle, low, high
