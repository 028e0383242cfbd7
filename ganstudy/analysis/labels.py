"""Conditional generators label by label, from the samples that a run keeps."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from ganstudy.targets import from_config

RADIUS = 3.0
"""High quality, in standard deviations of a mode in the plane, as for the metrics."""


def label_scores(ds: xr.Dataset, radius: float = RADIUS) -> xr.Dataset | None:
    """How well each label is served; None for a study without conditional trials.

    Returns  variables (axes…, seed, label): `quality`, the share of the samples generated under a
             label that are of high quality; `accuracy`, those that are also of the mode that the
             label names. NaN where a trial is not conditional or generated none under the label.
             None as well where trials differ in target, or labels name no modes.
    """
    if "labels" not in ds or ds["target_settings"].ndim:
        return None
    target = from_config(json.loads(str(ds["target_settings"].item())))
    modes = target.known_modes()
    if modes is None or target.labels != len(modes.weights):
        return None
    labels = ds["labels"]
    samples = ds["samples"].transpose(*labels.dims, "feature").values
    mode, high = modes.assign(samples[..., : target.dimension].astype(np.float64), radius)
    asked = labels.values[..., None] == np.arange(target.labels)
    count = asked.sum(axis=-2)
    dims = (*(dim for dim in labels.dims if dim != "sample"), "label")

    def share(right: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> xr.Variable:
        kept = (asked & right[..., None]).sum(axis=-2)
        return xr.Variable(dims, np.where(count > 0, kept / np.maximum(count, 1), np.nan))

    variables = {"quality": share(high), "accuracy": share(high & (mode == labels.values))}
    coordinates = {dim: ds[dim] for dim in dims if dim in ds.coords}
    return xr.Dataset(variables, coords={**coordinates, "label": np.arange(target.labels)})
