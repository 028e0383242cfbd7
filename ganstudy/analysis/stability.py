"""How steadily arms train: divergence, and falls of the score after it had been reached."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from ganstudy.analysis import paths
from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.bounded import share_interval
from ganstudy.analysis.design import arm_dim, for_tables, setting_dims
from ganstudy.analysis.intervals import t_interval
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import trial_scores

DROP = 0.1
"""A drop is a fall between recorded steps by more than this share of the metric's range."""


@of_arms
def drop_threshold(ds: xr.Dataset, metric: str | None = None) -> float:
    """The least fall that counts as a drop: a tenth of the metric's range.

    The range is that of the bounds or, where one of them is infinite, of the recorded values.
    """
    fact = RecordedMetric.of(ds, metric)
    if fact.bounded:
        return DROP * (fact.bounds[1] - fact.bounds[0])
    values = ds[fact.name].to_numpy()
    finite = values[np.isfinite(values)]
    return DROP * float(np.ptp(finite)) if finite.size else math.nan


@of_arms
def stability(
    ds: xr.Dataset, metric: str | None = None, *, threshold: float | None = None
) -> xr.Dataset:
    """Divergences, drops and drawdown of every arm, over trials that ran.

    A drop is a fall of the metric from one recorded step to the next by more than `threshold`
    (default `drop_threshold`); the drawdown is the largest fall from the running best. Falls are
    towards worse values, whatever the metric's direction, and are counted up to divergence: the
    divergence itself is no drop. Of a metric that is recorded once, both are NaN.

    A trial is perfect at a record if its metric is as good as that of the worst of the clouds of
    its own p in the dataset (`<metric>_perfect`), or as the stated value at p = q without them.
    `attrs["perfect"]` is that level, NaN where the trials have several. A perfect generator is
    below the worst of twenty clouds at one record in 21: where values do not tie, few keep it.

    A trial has collapsed if it diverged, or if its score is nearer to the worst bound of the metric
    on its target than to the value at p = q there, NaN where these are not both finite: means of
    two arms may agree while one of them does well on most seeds and collapses on some.

    Returns  variables (arm,): `trials` (complete or diverged), `diverged`, `share_diverged`,
             `diverged_at` (median M-step), `drops` (mean number per trial), `share_dropped`
             (trials with a drop), `drawdown` (mean), `largest_drawdown`, `share_perfect` (trials
             that were perfect at a record), `steps_to_perfect` (median over these), `share_kept`
             (trials perfect at all records from the first on), `share_collapsed`, `seed_spread`
             (standard deviation of the score over seeds, root mean square over settings); and
             (arm, settings…, seed): `trial_diverged`, `trial_drops`, `trial_drawdown`,
             `trial_perfect`, `trial_kept`, `trial_collapsed`, NaN where no trial ran.
    """
    ds = for_tables(ds)
    fact = RecordedMetric.of(ds, metric)
    threshold = drop_threshold(ds, metric) if threshold is None else threshold
    status, level = ds["status"], _perfect_level(ds, fact)
    ran = (status == "complete") | (status == "diverged")
    of_trials = _of_trials(ds, fact, ran, threshold, level)
    over = [*setting_dims(ds), "seed"]
    mean = of_trials.mean(over)
    trials, drops = ran.sum(over), of_trials["trial_drops"]
    diverged = (status == "diverged").sum(over)
    score = trial_scores(ds, metric)["score"]
    variance = score.var("seed", ddof=1).where(score.notnull().sum("seed") > 1)
    summary = xr.Dataset(
        {
            "trials": trials,
            "diverged": diverged,
            "share_diverged": diverged / trials.where(trials > 0),
            "drops": mean["trial_drops"],
            "share_dropped": (drops > 0).where(drops.notnull()).mean(over),
            "drawdown": mean["trial_drawdown"],
            "largest_drawdown": of_trials["trial_drawdown"].max(over),
            "diverged_at": median(ds["diverged_at"], over),
            "share_perfect": mean["trial_perfect"],
            "steps_to_perfect": median(of_trials["steps_to_perfect"], over),
            "share_kept": mean["trial_kept"],
            "share_collapsed": mean["trial_collapsed"],
            "seed_spread": np.sqrt(variance.mean(setting_dims(ds))),
        }
    )
    for name in of_trials:
        if name not in summary:
            summary[name] = of_trials[name].transpose(arm_dim(ds), ...)
    levels = np.unique(level.values[np.isfinite(level.values)])
    perfect = fact.sign * float(levels[0]) if len(levels) == 1 else math.nan
    return summary.assign_attrs(metric=fact.name, threshold=threshold, perfect=perfect)


def _of_trials(
    ds: xr.Dataset, fact: RecordedMetric, ran: xr.DataArray, threshold: float, level: xr.DataArray
) -> xr.Dataset:
    """What each trial that ran did, NaN for the others: what `stability` returns."""
    oriented = fact.sign * ds[fact.name].astype(np.float64).compute()
    oriented = oriented.where(np.isfinite(oriented))
    steps = [["step"]]
    drops = xr.apply_ufunc(
        paths.falls, oriented, input_core_dims=steps, kwargs={"threshold": threshold}
    )
    drawdown = xr.apply_ufunc(paths.drawdown, oriented, input_core_dims=steps)
    # A costly metric has its last step alone, from which nothing can fall.
    curve = int(oriented.notnull().any([dim for dim in oriented.dims if dim != "step"]).sum()) > 1
    place = xr.apply_ufunc(paths.first_reach, oriented, level, input_core_dims=[["step"], []])
    reached = ((place >= 0) & ran).where(ran)
    at = ds["step"].isel(step=place.clip(min=0)).drop_vars("step")
    kept = xr.apply_ufunc(paths.stays, oriented, level, input_core_dims=[["step"], []])
    diverged = ds["status"] == "diverged"
    worst, perfect = map(xr.DataArray, fact.ends(ds))
    score = trial_scores(ds, fact.name)["score"]
    nearer = fact.sign * score < fact.sign * (worst + perfect) / 2
    judged = score.notnull() & np.isfinite(worst + perfect)
    return xr.Dataset(
        {
            "trial_diverged": diverged.where(ran),
            "trial_drops": drops.where(ran & oriented.notnull().any("step") & curve),
            "trial_drawdown": drawdown.where(ran & curve),
            "trial_perfect": reached,
            "steps_to_perfect": at.where(reached == 1),
            "trial_kept": (kept & (ds["status"] == "complete")).where(ran),
            "trial_collapsed": (nearer | diverged).where(ran & judged),
        }
    )


def over_seeds(
    values: xr.DataArray,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    confidence: float = 0.95,
) -> xr.Dataset:
    """Mean of a number of trials, with a Student-t interval over seeds; shares have their own.

    Values are averaged over settings within each seed, since trials of a seed share its random
    streams. Limits are clipped to `bounds`. A trial without a number is left out.

    Shapes  (arm, settings…, seed) -> (arm,)

    Returns  variables (arm,): `mean`, `low`, `high`, `seeds`.
    """
    arm = values.dims[0]
    seed_mean = values.mean([dim for dim in values.dims if dim not in (arm, "seed")])
    interval = t_interval(seed_mean.transpose(arm, "seed").values.astype(np.float64), confidence)
    return xr.Dataset(
        {
            "mean": (arm, interval.mean),
            "low": (arm, np.clip(interval.low, *bounds)),
            "high": (arm, np.clip(interval.high, *bounds)),
            "seeds": (arm, interval.number),
        },
        coords={arm: values[arm]},
    )


def share_over_seeds(hits: xr.DataArray, *, confidence: float = 0.95) -> xr.Dataset:
    """A share of trials with an interval that knows that trials of a seed are not independent.

    Clopper and Pearson's, at the number of independent trials that the trials are worth; it does
    not vanish at 0 and 1.

    Shapes  (arm, settings…, seed), 1 or 0, NaN for a trial that is left out -> (arm,)

    Returns  variables (arm,): `mean`, `low`, `high`, `trials`.
    """
    arm = hits.dims[0]
    ordered = hits.transpose(arm, ..., "seed").values.astype(np.float64)
    flat = ordered.reshape(ordered.shape[0], -1, ordered.shape[-1])
    found = share_interval(flat, confidence)
    names = ("mean", "low", "high", "trials")
    return xr.Dataset(
        {name: (arm, values) for name, values in zip(names, found, strict=True)},
        coords={arm: hits[arm]},
    )


def median(values: xr.DataArray, over: list[str]) -> xr.DataArray:
    """The median, NaN of nothing."""
    loaded = values.compute()
    # Arms without a value are ordinary, and NumPy would warn of each.
    empty = loaded.isnull().all(over)
    return loaded.where(~empty, 0.0).median(over).where(~empty)


def _perfect_level(ds: xr.Dataset, fact: RecordedMetric) -> xr.DataArray:
    """The least oriented value that counts as perfect, along the axes that change the target."""
    stored, perfect = f"{fact.name}_perfect", xr.DataArray(fact.ends(ds)[1])
    clouds = ds[stored] if stored in ds else perfect.expand_dims("draw")
    # In the precision of the curves: a trial can be exactly as good as a cloud.
    rounded = clouds.astype(ds[fact.name].dtype).astype(np.float64).compute()
    return (fact.sign * rounded).min("draw").fillna(fact.sign * perfect)
