"""`ds.gan`: the statistics as verbs of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import xarray as xr

from ganstudy import analysis


def _verb(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def of_dataset(self: Gan, *args: Any, **options: Any) -> Any:
        return function(self._ds, *args, **options)

    return of_dataset


@xr.register_dataset_accessor("gan")  # type: ignore[no-untyped-call]  # xarray has not typed it
class Gan:
    """Each verb is the function of that name in `ganstudy.analysis`, with this dataset."""

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds = ds

    def __repr__(self) -> str:
        verbs = {n: v for n, v in vars(type(self)).items() if n[0] != "_"}
        lines = [f"  {n:24}{v.__doc__.splitlines()[0]}" for n, v in verbs.items()]
        return "\n".join(["ds.gan: statistics of this dataset", *lines])

    measured = _verb(analysis.measured)
    original_units = _verb(analysis.original_units)
    trial_scores = _verb(analysis.trial_scores)
    arm_scores = _verb(analysis.arm_scores)
    setting_scores = _verb(analysis.setting_scores)
    best_setting_scores = _verb(analysis.best_setting_scores)
    rank_arms = _verb(analysis.rank_arms)
    compare_arms = _verb(analysis.compare_arms)
    compare_by_resampling = _verb(analysis.compare_by_resampling)
    rank_table = _verb(analysis.rank_table)
    performance_profile = _verb(analysis.performance_profile)
    interquartile_mean = _verb(analysis.interquartile_mean)
    factor_effects = _verb(analysis.factor_effects)
    compare_effects = _verb(analysis.compare_effects)
    marginal_means = _verb(analysis.marginal_means)
    stability = _verb(analysis.stability)
    equilibrium = _verb(analysis.equilibrium)
    perfect_sampler = _verb(analysis.perfect_sampler)
