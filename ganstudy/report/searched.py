"""What a search by results found, beside the arms at their best points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis import (
    RecordedMetric,
    best_by_budget,
    budget_curve,
    chosen_points,
    feasible,
    importances,
    parameters_of,
    point_scores,
    with_arms,
)
from ganstudy.analysis.handling import in_memory
from ganstudy.report import prose
from ganstudy.report.colours import arm_colours, arm_lines, arm_markers
from ganstudy.report.prose import arm_labels, decimals_of


@dataclass(frozen=True)
class Searched:
    """The dataset of a search and what it found; `rows` are the searches, `groups` those of an arm.

    With several axes in the grid a group is one point of it; `arms[i]` and `group_arms[i]` are the
    arms that they belong to. Without repeats, each group is one search.
    """

    ds: xr.Dataset
    metric: RecordedMetric
    rows: list[str]
    arms: list[int]
    groups: list[str]
    group_arms: list[int]
    best: xr.Dataset
    chosen: xr.DataArray
    curve: xr.Dataset
    told: xr.DataArray
    feasible: xr.DataArray

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Searched:
        """Compute what a search found."""
        ds = with_arms(in_memory(dataset))
        compare = str(ds.attrs["compare"])
        told = point_scores(ds)
        own = ("repeat", "trial")
        axes = [compare, *(str(d) for d in told.dims if d not in (compare, *own))]
        labels = [arm_labels(ds[axis]) for axis in axes]
        places = list(np.ndindex(*(len(names) for names in labels)))
        groups = [", ".join(n[i] for n, i in zip(labels, at, strict=True)) for at in places]
        repeats = [""] * (1 if "repeat" not in ds.dims else 0)
        repeats += [f", search {number + 1}" for number in range(ds.sizes.get("repeat", 0))]
        keep = [*axes, *(dim for dim in own if dim in told.dims)]
        return cls(
            ds=ds,
            metric=RecordedMetric.of(ds),
            rows=[group + repeat for group in groups for repeat in repeats],
            arms=[at[0] for at in places for _ in repeats],
            groups=groups,
            group_arms=[at[0] for at in places],
            best=best_by_budget(ds).transpose(*keep),
            chosen=chosen_points(ds).transpose(*keep[:-1]),
            curve=budget_curve(ds).transpose(*axes, "trial"),
            told=told.transpose(*keep),
            feasible=feasible(ds).broadcast_like(told).transpose(*keep),
        )

    @cached_property
    def importances(self) -> xr.Dataset:
        """How much each parameter decides, and what chance gives."""
        return importances(self.ds)

    @property
    def repeats(self) -> int:
        """Searches of each arm."""
        return self.ds.sizes.get("repeat", 1)

    @property
    def fresh(self) -> int:
        """Seeds that no search has seen, for each point that is chosen."""
        return int(self.ds["fresh"].sum()) if "fresh" in self.ds else 0

    @property
    def points(self) -> int:
        """Points that each search may have."""
        return self.ds.sizes["trial"]

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return [parameter.name for parameter in parameters_of(self.ds)]

    @property
    def objectives(self) -> list[str]:
        """Names of the metrics that the search sought."""
        # A netCDF file has no lists of one.
        return [str(name) for name in np.atleast_1d(self.ds.attrs["objectives"])]

    @property
    def arm_names(self) -> list[str]:
        """Labels of the arms, in study order."""
        return arm_labels(self.ds[str(self.ds.attrs["compare"])])

    @cached_property
    def colours(self) -> list[str]:
        """The colour of each arm."""
        return arm_colours(len(self.arm_names))

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """How each arm's line is drawn."""
        return arm_lines(len(self.arm_names))

    @cached_property
    def markers(self) -> list[str]:
        """The marker of each arm's points."""
        return arm_markers(len(self.arm_names))

    def show(self, value: float) -> str:
        """A value of the metric."""
        return prose.number(value, decimals_of(self.ds, self.metric))

    def together(self, values: Sequence[float]) -> list[str]:
        """Values of the metric that stand together, such as the ends of an interval."""
        return prose.numbers(values, decimals_of(self.ds, self.metric))

    @property
    def constraints(self) -> list[str]:
        """What a point must keep to, in words; none without constraints."""
        return [str(text) for text in np.atleast_1d(self.ds.attrs.get("constraints", []))]

    def on_rows(self, array: xr.DataArray) -> NDArray[np.generic]:
        """The same for what has a value for each point, though not along every axis of the grid."""
        return self.by_row(array.broadcast_like(self.told).transpose(*self.told.dims))

    def by_row(self, array: xr.DataArray) -> NDArray[np.generic]:
        """Values with the searches on one axis: shape `(rows, *rest)`."""
        rest = array.shape[len(self.told.dims) - 1 :]
        return np.asarray(array.values.reshape(len(self.rows), *rest))

    def by_group(self, array: xr.DataArray) -> NDArray[np.float64]:
        """Values with the arms, and further axes, on one axis: shape `(groups, rest)`."""
        return np.asarray(array.values.reshape(len(self.groups), -1), dtype=np.float64)
