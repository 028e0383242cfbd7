"""`ds.gan`: the statistics as verbs of a dataset."""

from __future__ import annotations

from typing import Any

import xarray as xr

from ganstudy import analysis
from ganstudy.analysis.design import whole
from ganstudy.metrics import Metric


@xr.register_dataset_accessor("gan")  # type: ignore[no-untyped-call]  # xarray has not typed it
class Gan:
    """Each verb is the function of that name in `ganstudy.analysis`, with this dataset."""

    def __init__(self, ds: xr.Dataset) -> None:
        self._whole = ds

    @property
    def _ds(self) -> xr.Dataset:
        """The dataset with seeds and steps as dimensions, though one may have been selected."""
        return whole(self._whole)

    def __repr__(self) -> str:
        verbs = {n: v for n, v in vars(type(self)).items() if n[0] != "_" and callable(v)}
        lines = [f"  {n:24}{(v.__doc__ or '').splitlines()[0]}" for n, v in verbs.items()]
        return "\n".join(["ds.gan: statistics of this dataset", *lines])

    def measured(self, metric: Metric, name: str | None = None) -> xr.Dataset:
        """This dataset with one more metric, of the final samples of every trial."""
        return analysis.measured(self._ds, metric, name)

    def original_units(self) -> xr.DataArray:
        """The final samples in the units of the data, where these are a table."""
        return analysis.original_units(self._ds)

    def trial_scores(self, metric: str | None = None) -> xr.Dataset:
        """Score, last and best value of every trial."""
        return analysis.trial_scores(self._ds, metric)

    def arm_scores(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Score of every arm averaged over settings, with an interval over seeds."""
        return analysis.arm_scores(self._ds, metric, **options)

    def setting_scores(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Score of every arm at every setting."""
        return analysis.setting_scores(self._ds, metric, **options)

    def best_setting_scores(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Score of every arm at its own best setting."""
        return analysis.best_setting_scores(self._ds, metric, **options)

    def rank_arms(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """The arms from best to worst, and which can be told apart from the best."""
        return analysis.rank_arms(self._ds, metric, **options)

    def compare_arms(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Paired comparisons of all pairs of arms."""
        return analysis.compare_arms(self._ds, metric, **options)

    def compare_by_resampling(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """The same by bootstrap and sign flips, with chances to be better."""
        return analysis.compare_by_resampling(self._ds, metric, **options)

    def rank_table(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Mean ranks with Friedman's test and a critical difference."""
        return analysis.rank_table(self._ds, metric, **options)

    def performance_profile(self, metric: str | None = None, **options: Any) -> xr.DataArray:
        """Share of each arm's trials that are as good as a level."""
        return analysis.performance_profile(self._ds, metric, **options)

    def interquartile_mean(self, metric: str | None = None, **options: Any) -> xr.DataArray:
        """Mean of the middle half of each arm's trials."""
        return analysis.interquartile_mean(self._ds, metric, **options)

    def factor_effects(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Share of the variance of scores that each axis explains."""
        return analysis.factor_effects(self._ds, metric, **options)

    def compare_effects(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Which axis explains more of it."""
        return analysis.compare_effects(self._ds, metric, **options)

    def marginal_means(self, axis: str, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Score at each value of an axis."""
        return analysis.marginal_means(self._ds, axis, metric, **options)

    def stability(self, metric: str | None = None, **options: Any) -> xr.Dataset:
        """Divergence, drops, drawdown, and perfection reached and kept."""
        return analysis.stability(self._ds, metric, **options)

    def equilibrium(self) -> xr.Dataset:
        """Cycles of the losses, and the critic's distance from equilibrium."""
        return analysis.equilibrium(self._ds)

    def perfect_sampler(self) -> xr.Dataset:
        """What a perfect generator scores."""
        return analysis.perfect_sampler(self._ds)
