"""Samples in the units in which the data came."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.handling import of_run
from ganstudy.targets import RowsTarget, target_of
from ganstudy.variable import FEATURES

__all__ = ["original_units"]


@of_run
def original_units(ds: xr.Dataset) -> xr.DataArray:
    """The final samples of every trial in the units of the data: times scale, plus mean.

    Where a run has several targets and one was selected, its data say what its columns are.

    Shapes  those of `ds.samples`, with the features of this target.
    Errors  `ValueError` for a dataset whose target is no table, or not the same for all trials.
    """
    if "samples" in ds and "feature_mean" not in ds:
        ds = _with_units(ds)
    if "samples" not in ds or "feature_mean" not in ds:
        several = "of several targets select one, as by `sel`"
        raise ValueError(f"only samples of one `file` have other units than their own; {several}")
    original: xr.DataArray = ds["samples"] * ds["feature_scale"] + ds["feature_mean"]
    return original.rename("samples").assign_attrs(
        {**ds["samples"].attrs, "long_name": "final samples, in the units of the data"}
    )


def _with_units(ds: xr.Dataset) -> xr.Dataset:
    """With those of the one target that is left, if it has some."""
    known = ds.get("target_settings", xr.DataArray(""))
    texts = [str(text) for text in np.unique(known.values) if text]
    target = target_of(texts[0]) if len(texts) == 1 else None
    features = target.features if isinstance(target, RowsTarget) else None
    if features is None:
        return ds
    # Another target of the run may have more.
    own = ds.isel(feature=slice(len(features.names))).assign_coords(feature=list(features.names))
    mean, scale = (each.name for each in FEATURES)
    return own.assign({mean: ("feature", features.mean), scale: ("feature", features.scale)})
