"""Samples in the units in which the data came."""

from __future__ import annotations

import xarray as xr

from ganstudy.analysis.handling import of_run

__all__ = ["original_units"]


@of_run
def original_units(ds: xr.Dataset) -> xr.DataArray:
    """The final samples of every trial in the units of the data: times scale, plus mean.

    Shapes  those of `ds.samples`.
    Errors  `ValueError` for a dataset whose target is no table, or not the same for all trials.
    """
    if "samples" not in ds or "feature_mean" not in ds:
        raise ValueError("only samples of one target `file` have other units than their own")
    original: xr.DataArray = ds["samples"] * ds["feature_scale"] + ds["feature_mean"]
    return original.rename("samples").assign_attrs(
        {**ds["samples"].attrs, "long_name": "final samples, in the units of the data"}
    )
