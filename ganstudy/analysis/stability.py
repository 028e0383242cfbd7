"""How steadily arms train: divergence, and falls of the score after it had been reached."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from ganstudy.analysis import _paths
from ganstudy.analysis.design import arm_dim, setting_dims, with_arms
from ganstudy.analysis.metric import Metric

DROP = 0.1
"""A drop is a fall between recorded steps by more than this share of the metric's range."""


def drop_threshold(ds: xr.Dataset, metric: str | None = None) -> float:
    """The least fall that counts as a drop: a tenth of the metric's range.

    The range is that of the bounds or, where one of them is infinite, of the recorded values.
    """
    fact = Metric.of(ds, metric)
    if fact.bounded:
        return DROP * (fact.bounds[1] - fact.bounds[0])
    values = ds[fact.name].to_numpy()
    finite = values[np.isfinite(values)]
    return DROP * float(np.ptp(finite)) if finite.size else math.nan


def stability(
    ds: xr.Dataset, metric: str | None = None, *, threshold: float | None = None
) -> xr.Dataset:
    """Divergences, drops and drawdown of every arm, over trials that ran.

    A drop is a fall of the metric from one recorded step to the next by more than `threshold`
    (default `drop_threshold`); the drawdown is the largest fall from the running best. Falls are
    towards worse values, whatever the metric's direction, and are counted up to divergence: the
    divergence itself is no drop.

    Returns  variables (arm,): `trials` (complete or diverged), `diverged`, `share_diverged`,
             `drops` (mean number per trial), `share_dropped` (trials with a drop), `drawdown`
             (mean), `largest_drawdown`; and (arm, settings…, seed): `trial_drops`,
             `trial_drawdown`, NaN where no trial ran.
    """
    ds = with_arms(ds)
    fact = Metric.of(ds, metric)
    threshold = drop_threshold(ds, metric) if threshold is None else threshold
    status = ds["status"]
    ran = (status == "complete") | (status == "diverged")
    oriented = fact.sign * ds[fact.name].astype(np.float64).compute()
    oriented = oriented.where(np.isfinite(oriented))
    steps = [["step"]]
    drops = xr.apply_ufunc(
        _paths.falls, oriented, input_core_dims=steps, kwargs={"threshold": threshold}
    ).where(ran & oriented.notnull().any("step"))
    drawdown = xr.apply_ufunc(_paths.drawdown, oriented, input_core_dims=steps).where(ran)
    over = [*setting_dims(ds), "seed"]
    trials = ran.sum(over)
    diverged = (status == "diverged").sum(over)
    summary = xr.Dataset(
        {
            "trials": trials,
            "diverged": diverged,
            "share_diverged": diverged / trials.where(trials > 0),
            "drops": drops.mean(over),
            "share_dropped": (drops > 0).where(drops.notnull()).mean(over),
            "drawdown": drawdown.mean(over),
            "largest_drawdown": drawdown.max(over),
            "trial_drops": drops.transpose(arm_dim(ds), ...),
            "trial_drawdown": drawdown.transpose(arm_dim(ds), ...),
        }
    )
    return summary.assign_attrs(metric=fact.name, threshold=threshold)
