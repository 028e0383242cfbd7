"""Arms by the whole distribution of their trials: profiles and the interquartile mean."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import WhichSettings, arm_dim
from ganstudy.analysis.intervals import ROUNDING, Array

LEVELS = 1000
"""Scores at which a profile is evaluated, at most."""


@of_arms
def performance_profile(
    ds: xr.Dataset, metric: str | None = None, *, settings: WhichSettings = "shared"
) -> xr.DataArray:
    """Share of each arm's trials whose score is at least as good as a level; dims (arm, level).

    Levels are the scores seen, and of more than a thousand an even choice. A diverged trial counts
    with the worst bound, or as worse than every level where the metric has none: it ran, and it did
    not get there. So does one whose score is infinitely bad. Failed and missing trials are left
    out.

    Source  Dolan and Moré 2002, "Benchmarking optimization software with performance profiles"; as
            distributions of scores, Agarwal et al. 2021, section 4.2.
    """
    compared, arm = Compared.of(ds, metric, settings, fresh=True), arm_dim(ds)
    fact, values = compared.fact, _by_arm(compared)
    finite = values[np.isfinite(values)]
    seen = np.unique(finite) if finite.size else np.zeros(1)
    levels = seen[np.linspace(0, len(seen) - 1, min(len(seen), LEVELS)).round().astype(int)]
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    # The slack keeps scores that differ from a level by rounding on its good side.
    reached = values[..., None] >= levels - ROUNDING * np.abs(levels)
    share = (reached & known[..., None]).sum(axis=1) / np.where(count, count, np.nan)[:, None]
    order = np.argsort(fact.sign * levels, kind="stable")
    profile = xr.DataArray(
        share[:, order],
        dims=(arm, "level"),
        coords={arm: compared.score[arm], "level": (fact.sign * levels)[order]},
        name="profile",
    )
    better = "more" if fact.higher_is_better else "less"
    profile["level"].attrs = {"long_name": fact.long_name, "units": fact.units}
    return profile.assign_attrs(long_name=f"share of trials with {fact.long_name} this or {better}")


@of_arms
def interquartile_mean(
    ds: xr.Dataset, metric: str | None = None, *, settings: WhichSettings = "shared"
) -> xr.DataArray:
    """Mean of the middle half of each arm's trials; dims (arm,), NaN for an arm without a score.

    It is moved by no single trial, and less wasteful than a median. Of n trials n/4 at either end
    are left out, the last of them in part. A trial that is worse than any number is worse than
    all others: it is among those left out at the bad end while they are no more than a quarter, and
    makes the mean infinite beyond.

    Source  Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
            precipice", section 4.3.
    """
    compared, arm = Compared.of(ds, metric, settings, fresh=True), arm_dim(ds)
    fact = compared.fact
    means = [fact.sign * _middle_mean(row[~np.isnan(row)]) for row in _by_arm(compared)]
    result = xr.DataArray(means, dims=(arm,), coords={arm: compared.score[arm]}, name="iqm")
    return result.assign_attrs(long_name=f"{fact.long_name}, interquartile mean", units=fact.units)


def _by_arm(compared: Compared) -> Array:
    """The oriented scores of each arm's trials, `(arms, trials)`."""
    return compared.oriented.reshape(len(compared.oriented), -1)


def _middle_mean(values: Array) -> float:
    count = len(values)
    if not count:
        return np.nan
    edges = np.arange(count + 1)
    inside = np.minimum(edges[1:], 0.75 * count) - np.maximum(edges[:-1], 0.25 * count)
    weight = np.clip(inside, 0.0, None)
    ordered = np.sort(values)
    return float((weight[weight > 0] * ordered[weight > 0]).sum() / weight.sum())
