"""The score of a trial: one number from the curve of a metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import xarray as xr

from ganstudy.analysis import paths
from ganstudy.analysis.design import FRESH, for_tables
from ganstudy.analysis.handling import of_run
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.score import tail_mean

Curves = TypeVar("Curves", xr.DataArray, xr.Variable)


@of_run
def trial_scores(ds: xr.Dataset, metric: str | None = None) -> xr.Dataset:
    """Score of every trial by one metric (default: the headline metric).

    A complete trial scores the mean over the last fifth of its recorded steps: adversarial training
    circles rather than settles, and the value at one step depends on when it stops. A diverged
    trial scores the worst end of the metric's bounds on its target, since a generator that blew up
    generates nothing; if that end is infinite its score is NaN. So is that of a complete trial that
    is infinitely bad, or has recorded nothing. Failed, pruned and missing trials have NaN. None
    scores worse than that end, as rounding would have it of curves in single precision.

    Returns  variables (arm, settings…, seed): `score`; `last`, the last recorded value, by the same
             rules; `best`, the best recorded value before any divergence; `charged`, whether the
             score is the worst bound by the rule for diverged trials; `unbounded`, whether it
             is NaN because it is worse than any number: that of a diverged trial without such
             a bound, or infinite. Where ranks and not values count, it is the worst of all.
    """
    ds = for_tables(ds)
    fact = RecordedMetric.of(ds, metric)
    of_trials = ds[[fact.name, "status"]].drop_dims("step").coords
    # Variables, of which nothing has to be aligned: pages ask for scores a hundred times.
    curves, status = ds.variables[fact.name], ds.variables["status"]
    complete, diverged = status == "complete", status == "diverged"
    worst, _ = fact.ends(ds)

    def score(values: xr.Variable) -> xr.Variable:
        valid = _where(complete & np.isfinite(values), values, np.nan)
        beyond = fact.sign * valid < fact.sign * worst
        return _where(diverged | beyond, worst, valid)

    tail = along_steps(tail_mean, curves)
    best = _where(complete | diverged, (fact.sign * curves).max("step"), np.nan) * fact.sign
    scores = xr.Dataset(
        {
            "score": score(tail),
            "last": score(along_steps(paths.last, curves)),
            "best": best,
            "charged": diverged & np.isfinite(worst),
            "unbounded": (diverged & ~np.isfinite(worst))
            | (complete & (fact.sign * tail == -np.inf)),
        },
        of_trials,
        attrs={"metric": fact.name},
    )
    for name in ("score", "last", "best"):
        scores[name].attrs = {**curves.attrs, "long_name": f"{fact.long_name}, {name}"}
    scores["unbounded"].attrs = {"long_name": "worse than any number"}
    scores["charged"].attrs = {"long_name": "diverged and given the worst bound"}
    return scores


def over_fresh(scores: xr.Dataset) -> xr.DataArray:
    """Scores of trials, and of searches in place of their fresh seeds: there is nothing to choose
    among these. A search of which one is worse than any number has no score."""
    if FRESH not in scores["score"].dims:
        return scores["score"]
    return scores["score"].mean(FRESH).where(~lost(scores))


def lost(scores: xr.Dataset) -> xr.DataArray:
    """Which trials, or searches in place of their fresh seeds, are worse than any number."""
    return scores["unbounded"].any([dim for dim in scores["unbounded"].dims if dim == FRESH])


def _where(holds: xr.Variable, then: object, otherwise: object) -> xr.Variable:
    chosen: xr.Variable = xr.where(holds, then, otherwise)  # type: ignore[no-untyped-call]  # xarray has not typed it
    return chosen


@of_run
def charged_curves(ds: xr.Dataset, metric: str | None = None) -> xr.DataArray:
    """Curves of a metric in which a diverged trial has the worst bound from divergence on.

    Without this the mean over seeds would rise when a bad seed leaves it, as it does where the
    bound is infinite: the values are then NaN. The dims are those of the curves; values of failed,
    pruned and missing trials are NaN.
    """
    ds = for_tables(ds)
    fact = RecordedMetric.of(ds, metric)
    curves, status = ds[fact.name], ds["status"]
    gone = (status == "diverged") & (ds["step"] >= ds["diverged_at"])
    kept = curves.where((status == "complete") | (status == "diverged"))
    worst, _ = fact.ends(ds)
    return kept.where(~gone, xr.DataArray(worst)).transpose(*curves.dims).assign_attrs(curves.attrs)


def along_steps(summary: Callable[[paths.Array], paths.Array], curves: Curves) -> Curves:
    """A summary of each curve, in double precision."""
    # Curves are stored in single precision; sums of equal scores are to be equal in double.
    values = curves.astype(np.float64).compute()
    reduced: Curves = xr.apply_ufunc(summary, values, input_core_dims=[["step"]])
    return reduced
