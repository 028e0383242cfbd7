"""Everything the report states, computed once from the dataset."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis import (
    Metric,
    arm_dim,
    best_setting_scores,
    claim_verdicts,
    equilibrium,
    factor_effects,
    in_comparison,
    perfect_sampler,
    planned,
    rank_arms,
    setting_dims,
    setting_scores,
    stability,
    status_counts,
    with_arms,
)
from ganstudy.analysis.design import Settings
from ganstudy.report import prose


@dataclass(frozen=True)
class Findings:
    """The dataset with arms, its headline metric, and the statistics of `ganstudy.analysis`.

    `arms` and `settings` are labels in study order, a setting being one label per axis of `axes`.
    `settings_used` says which settings the comparison of arms averages over: `shared`, or `own`
    where no setting is planned for every arm.
    """

    ds: xr.Dataset
    metric: Metric
    arm: str
    axes: list[str]
    arms: list[str]
    settings: list[tuple[str, ...]]
    settings_used: Settings
    ranked: xr.Dataset
    best: xr.Dataset
    cells: xr.Dataset
    stability: xr.Dataset
    equilibrium: xr.Dataset
    counts: xr.DataArray
    effects: xr.Dataset
    scale: xr.Dataset
    claims: xr.Dataset

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Findings:
        """Compute the findings of a gathered grid study."""
        ds = with_arms(dataset.compute())
        arm, axes = arm_dim(ds), setting_dims(ds)
        overlap = bool(planned(ds).all(arm).any())
        used: Settings = "shared" if overlap else "own"
        return cls(
            ds=ds,
            metric=Metric.of(ds),
            arm=arm,
            axes=axes,
            arms=arm_labels(ds[arm]),
            settings=list(
                product(*([prose.label(v) for v in ds[axis].values.tolist()] for axis in axes))
            ),
            settings_used=used,
            ranked=rank_arms(ds, settings=used),
            best=best_setting_scores(ds),
            cells=setting_scores(ds),
            stability=stability(ds),
            equilibrium=equilibrium(ds),
            counts=status_counts(ds),
            effects=factor_effects(ds),
            scale=perfect_sampler(ds),
            claims=claim_verdicts(ds),
        )

    @property
    def where(self) -> str:
        """Which trials are meant, where not all of the study: those of tuned arms."""
        return " at the best points" if "sampler" in self.ds.attrs else ""

    @property
    def theory(self) -> bool:
        """Whether trials check claims, rather than train a generator."""
        return bool(self.claims.sizes["claim"])

    @property
    def seeds(self) -> int:
        """Number of seeds of the study."""
        return self.ds.sizes["seed"]

    @property
    def ranked_arms(self) -> list[str]:
        """Labels of the arms, best first."""
        return arm_labels(self.ranked[self.arm])

    @property
    def excluded_points(self) -> NDArray[np.bool_]:
        """Grid points that the study leaves out, shape `(arms, settings)`."""
        return ~self.flat(planned(self.ds))

    def with_status(self, name: str) -> dict[str, int]:
        """Number of trials with a status by arm, for the arms that have any."""
        counts = self.counts.sel(status=name).values.tolist()
        return {arm: count for arm, count in zip(self.arms, counts, strict=True) if count}

    @property
    def compared_settings(self) -> int:
        """Number of settings that the comparison of arms averages over."""
        return int(self.flat(in_comparison(self.ds, self.settings_used)).any(axis=0).sum())

    @property
    def decimals(self) -> int:
        """Decimals that suit values of the headline metric."""
        return decimals_of(self.ds, self.metric)

    def show(self, value: float) -> str:
        """A value of the headline metric."""
        return prose.number(value, self.decimals)

    def flat(self, array: xr.DataArray) -> NDArray[Any]:
        """Values with all settings on one axis: shape `(arms, settings, *rest)`."""
        ordered = array.transpose(self.arm, *self.axes, ...)
        rest = ordered.shape[1 + len(self.axes) :]
        return np.asarray(ordered.values.reshape(len(self.arms), len(self.settings), *rest))

    def setting_label(self, setting: tuple[str, ...], separator: str = " · ") -> str:
        """`lr slow · critic_steps 1`; `all seeds` where the arms are the only axis."""
        named = (f"{axis} {value}" for axis, value in zip(self.axes, setting, strict=True))
        return separator.join(named)


def decimals_of(ds: xr.Dataset, metric: Metric) -> int:
    """Decimals that suit a metric: by its range, or by its largest finite value if unbounded."""
    if metric.bounded:
        return prose.decimals_for(metric.bounds[1] - metric.bounds[0])
    values = np.abs(ds[metric.name].values)
    finite = values[np.isfinite(values)]
    return prose.decimals_for(float(finite.max()) if finite.size else 1.0)


def arm_labels(values: xr.DataArray) -> list[str]:
    """Labels of arms: text stands for itself, a number after the name of its axis."""
    if values.dtype.kind in "OUST":
        return [str(value) for value in values.values.tolist()]
    return [f"{values.name} {prose.label(value)}" for value in values.values.tolist()]
