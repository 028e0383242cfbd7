"""What a search by results found, beside the arms at their best points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis import (
    Metric,
    best_by_budget,
    feasible,
    importances,
    parameters_of,
    point_scores,
    with_arms,
)
from ganstudy.report import prose
from ganstudy.report.prose import arm_labels, decimals_of


@dataclass(frozen=True)
class Searched:
    """The dataset of a search and what it found; `rows` are the searches, one of each arm.

    With several axes in the grid a row is one point of it; `arms[i]` is the arm it belongs to.
    """

    ds: xr.Dataset
    metric: Metric
    rows: list[str]
    arms: list[int]
    best: xr.Dataset
    told: xr.DataArray
    feasible: xr.DataArray
    importances: xr.DataArray

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Searched:
        """Compute what a search found."""
        ds = with_arms(dataset.compute())
        compare = str(ds.attrs["compare"])
        told = point_scores(ds)
        axes = [compare, *(d for d in told.dims if d not in (compare, "trial"))]
        labels = [arm_labels(ds[axis]) for axis in axes]
        places = list(np.ndindex(*(len(own) for own in labels)))
        keep = [*axes, "trial"]
        return cls(
            ds=ds,
            metric=Metric.of(ds),
            rows=[", ".join(own[i] for own, i in zip(labels, at, strict=True)) for at in places],
            arms=[at[0] for at in places],
            best=best_by_budget(ds).transpose(*keep),
            told=told.transpose(*keep),
            feasible=feasible(ds).broadcast_like(told).transpose(*keep),
            importances=importances(ds).transpose(*axes, "parameter"),
        )

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

    def show(self, value: float) -> str:
        """A value of the metric."""
        return prose.number(value, decimals_of(self.ds, self.metric))

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
