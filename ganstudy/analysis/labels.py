"""Conditional generators label by label, from the samples that a run keeps."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.metrics import trueness
from ganstudy.targets import target_of

RADIUS = 3.0
"""High quality, in standard deviations of a mode in the plane, as for the metrics."""


def label_scores(ds: xr.Dataset) -> xr.Dataset | None:
    """How well each label is served; None for a study without conditional trials.

    Returns  variables (axes…, seed, label): `quality`, the share of the samples generated under a
             label that are of high quality; `accuracy`, those that are also of the mode that the
             label names. NaN where a trial is not conditional or generated none under the label.
             Coordinate `label_name` is what the user calls a label, where it has a name.
             None as well where trials differ in target, labels name no modes, or data are gone.
    """
    if "labels" not in ds or ds["target_settings"].ndim:
        return None
    target = target_of(str(ds["target_settings"].item()))
    modes = None if target.gone else target.known_modes()
    if modes is None or target.labels != len(modes.weights):
        return None
    *trials, _ = places = ds["labels"].transpose(..., "sample").dims
    labels = ds["labels"].transpose(*places).values
    shape = (*labels.shape[:-1], target.labels)
    quality, accuracy = np.full(shape, np.nan), np.full(shape, np.nan)
    # One trial at a time: images of all may be larger than memory.
    for place in np.ndindex(labels.shape[:-1]):
        one = ds["samples"].isel(dict(zip(trials, place, strict=True)))
        samples = one.transpose("sample", "feature").values[:, : target.dimension]
        mode, high = modes.assign(samples.astype(np.float64), RADIUS)
        asked = labels[place][:, None] == np.arange(target.labels)
        count = asked.sum(axis=0)
        own = high, high * trueness(mode, labels[place], modes)
        for found, right in zip((quality, accuracy), own, strict=True):
            kept = np.clip(right.astype(np.float64) @ asked, 0, count)
            found[place] = np.where(count > 0, kept / np.maximum(count, 1), np.nan)
    dims = (*trials, "label")
    variables = {"quality": (dims, quality), "accuracy": (dims, accuracy)}
    coordinates = {dim: ds[dim] for dim in dims if dim in ds.coords}
    scores = xr.Dataset(variables, coords={**coordinates, "label": np.arange(target.labels)})
    if not target.mode_names:
        return scores
    return scores.assign_coords(label_name=("label", list(target.mode_names)))
