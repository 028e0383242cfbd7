"""What a search found: the best point of every arm as a function of the budget, and why."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis._intervals import Array
from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.design import with_arms
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores
from ganstudy.search.bayes.samplers import Known, to_study
from ganstudy.study.space import AnyParameter, Choice, Range

FEWEST = 8
"""Points with a value below which importances are not computed."""
BEST = 0.25
"""Share of points that importances compare with all of them; of 40 points, ten."""


def is_search(ds: xr.Dataset) -> bool:
    """Whether the dataset is of a search by results, with a dimension `trial` of points."""
    return "search" in ds.attrs and "trial" in ds.dims


def point_scores(ds: xr.Dataset, metric: str | None = None) -> xr.DataArray:
    """What the search was told of every point: the study's statistic over the scores of its seeds.

    NaN for a point of which a seed has no score: it is missing, failed, pruned, or worse than any
    number.

    Returns  dims (arm, axes..., trial).
    """
    score = trial_scores(ds, metric)["score"].transpose(..., "seed")
    # Only these four can be written in a study; with skipna, half a point would count as one.
    reduced = {
        "mean": score.mean("seed", skipna=False),
        "median": score.median("seed", skipna=False),
        "min": score.min("seed", skipna=False),
        "max": score.max("seed", skipna=False),
    }[str(ds.attrs["statistic"])]
    return reduced.assign_attrs(score.attrs)


def best_by_budget(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """The best point among the first n of every arm: its score as a function of the budget n.

    The incumbent at n is the point with the best `point_scores` among the first n that keep the
    constraints of the search, in the order in which it learned of them; on a tie the first.
    `mean`, `low`, `high` are its mean over seeds with a Student-t interval over seeds: how sure the
    score of that point is, not how another search would have fared. The seeds that are averaged
    have chosen the point, which is optimistic; `held_out` is not: each seed is scored at the point
    that the other seeds choose by their mean, and these scores are averaged (NaN with one seed).

    Returns  variables (arm, axes..., trial): `mean`, `low`, `high`, `seeds`, `held_out`,
             `incumbent` (index of the point; -1 while there is none); NaN there.
    """
    fact = Metric.of(ds, metric)
    score = trial_scores(ds, metric)["score"].transpose(..., "trial", "seed")
    told = point_scores(ds, metric).where(feasible(ds)).transpose(*score.dims[:-1])
    score = score.where(feasible(ds)).transpose(*score.dims)
    shape = score.shape[:-2]
    chosen = np.full((*shape, score.sizes["trial"]), -1, dtype=np.int64)
    held_out = np.full(chosen.shape, np.nan)
    at_best = np.full(score.shape, np.nan)
    for arm in np.ndindex(*shape):
        values = score.values[arm]
        chosen[arm] = _incumbents(fact.sign * told.values[arm])
        held = _held_out(fact.sign, values)
        found = chosen[arm] >= 0
        at_best[arm][found] = values[chosen[arm][found]]
        held_out[arm][found] = held[found]
    result = interval_over_seeds(score.copy(data=at_best), fact, confidence)
    dims = score.dims[:-1]
    result["held_out"] = (dims, held_out, {"long_name": f"{fact.long_name}, held out"})
    result["incumbent"] = (dims, chosen, {"long_name": "best point so far"})
    return result.assign_attrs(metric=fact.name, confidence=confidence)


def tuned(ds: xr.Dataset) -> xr.Dataset:
    """Every arm at the best of its points: a grid study without settings, for all other analyses.

    The parameters become coordinates of the arms. An arm none of whose points keeps the constraints
    stands at the one that breaks them least; an arm without any value, at its first. Scores at the
    best point are optimistic; see `best_by_budget` for what they are worth.
    """
    ds = with_arms(ds)
    best = best_by_budget(ds)["incumbent"].isel(trial=-1)
    if "violation" in ds:
        broken = ds["violation"].where(point_scores(ds).notnull(), np.inf)
        best = best.where(best >= 0, broken.argmin("trial"))
    best = best.clip(min=0)
    found = ("trial", "pareto", "violation")
    chosen = ds.isel(trial=best).drop_vars(found, errors="ignore")
    attrs = {k: v for k, v in ds.attrs.items() if k != "search"}
    return chosen.assign_attrs({**attrs, "axes": list(best.dims)})


def feasible(ds: xr.Dataset) -> xr.DataArray:
    """Whether each point keeps the constraints of the search; all do where it has none.

    Returns  dims (arm, axes..., trial).
    """
    return ds["violation"] == 0 if "violation" in ds else xr.ones_like(ds["pareto"])


def importances(ds: xr.Dataset, metric: str | None = None) -> xr.DataArray:
    """How much each parameter decides whether a point is among the best quarter of its arm.

    Shares that sum to one; NaN for an arm with fewer than `FEWEST` points with a value, or whose
    values are all equal. Points that break a constraint have none. A sampler visits good regions
    more often, which blurs importances: compare those of one arm with each other, and do not read
    small differences.

    Returns  dims (arm, axes..., parameter).
    Source   Watanabe et al. 2023, "PED-ANOVA", as in `optuna.importance`.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    ds, fact = with_arms(ds), Metric.of(ds, metric)
    told = point_scores(ds, metric).where(feasible(ds)).transpose(..., "trial")
    space = parameters_of(ds)
    columns = {p.name: ds[p.dimension].broadcast_like(told).transpose(*told.dims) for p in space}
    shares = np.full((*told.shape[:-1], len(space)), np.nan)
    for arm in np.ndindex(*told.shape[:-1]):
        known = []
        for number in np.flatnonzero(np.isfinite(told.values[arm])):
            point = {p.name: _plain(p, columns[p.name].values[arm][number]) for p in space}
            here = {name: value for name, value in point.items() if value is not None}
            known.append(Known(here, (float(told.values[arm][number]),)))
        if len(known) < FEWEST or len({k.values for k in known}) == 1:
            continue
        direction = "maximize" if fact.higher_is_better else "minimize"
        varied = [p.name for p in space if len({str(k.point.get(p.name)) for k in known}) > 1]
        evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST)
        study = to_study(space, [direction], known)
        found = get_param_importances(study, evaluator=evaluator, params=varied)
        shares[arm] = [found.get(p.name, 0.0) for p in space]
    dims = (*told.dims[:-1], "parameter")
    coords = {d: told[d] for d in told.dims[:-1]} | {"parameter": [p.dimension for p in space]}
    about = {"long_name": "importance", "metric": fact.name}
    return xr.DataArray(shares, coords, dims, name="importance", attrs=about)


def parameters_of(ds: xr.Dataset) -> list[AnyParameter]:
    """The parameters of a search, from the attributes of their coordinates; without conditions."""
    found: list[AnyParameter] = []
    # A netCDF file has no lists of one.
    for name in np.atleast_1d(ds.attrs["parameters"]):
        about = ds[name].attrs
        if "choices" in about:
            labels = tuple(about["choices"])
            found.append(Choice(str(about["long_name"]), (), labels=labels))
            continue
        number = int if about["whole"] else float
        low, high = number(about["low"]), number(about["high"])
        step = number(about["step"]) if about["step"] else None
        own = Range(str(about["long_name"]), (), {}, low, high, bool(about["log"]), step)
        found.append(own)
    return found


def _plain(parameter: AnyParameter, value: object) -> object:
    """A stored value as the parameter has it; None where it took no part."""
    if isinstance(parameter, Choice):
        return next((label for label in parameter.labels if str(label) == _text(value)), None)
    number = float(str(value))
    if np.isnan(number):
        return None
    return int(number) if parameter.whole else number


def _text(value: object) -> str:
    """Text of a label that may have been stored as a float."""
    number = value if isinstance(value, float | np.floating) else None
    return str(int(number)) if number is not None and number == int(number) else str(value)


def _incumbents(oriented: Array) -> NDArray[np.int64]:
    """Index of the best value so far at each place, -1 before the first; `(points,)`."""
    found = np.full(len(oriented), -1, dtype=np.int64)
    best = -1
    for number, value in enumerate(oriented):
        if np.isfinite(value) and (best < 0 or value > oriented[best]):
            best = number
        found[number] = best
    return found


def _held_out(sign: float, values: Array) -> Array:
    """Mean over seeds of the score at the point that the other seeds choose; `(points,)`."""
    points, seeds = values.shape
    kept = np.full((points, seeds), np.nan)
    whole = np.isfinite(values).all(axis=1)
    for seed in range(seeds if seeds > 1 else 0):
        others = np.delete(values, seed, axis=1).mean(axis=1)
        chosen = _incumbents(np.where(whole, sign * others, np.nan))
        found = chosen >= 0
        kept[found, seed] = values[chosen[found], seed]
    return np.asarray(kept.mean(axis=1))
