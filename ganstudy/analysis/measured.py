"""A metric after the fact, from the samples that a run keeps."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.handling import of_run
from ganstudy.analysis.metric import ends_at, metric_names
from ganstudy.metrics import Metric, family, measured_by, perfect_sampler
from ganstudy.score import differing, ends, spanning
from ganstudy.targets import target_of
from ganstudy.variable import Variable


@of_run
def measured(ds: xr.Dataset, metric: Metric | str, name: str | None = None) -> xr.Dataset:
    """The dataset with one more metric, of the final samples of every complete trial.

    Statistics and figures take it by its name, as they take those that were recorded: it is a curve
    with a value at each trial's last recorded step, and `<name>_perfect` is the same of samples of
    p, as many as the dataset keeps of a trial.

    metric  or the name of one, which is then as it is by default
    name    that of the variable; by default the metric's own, with its feature space if it has one

    Errors  `ValueError` if no samples are kept, a target cannot be measured, or the name is taken;
            `KeyError` for a name that no metric has, `TypeError` for what is neither.
    """
    metric = family[metric]() if isinstance(metric, str) else metric
    if not isinstance(metric, Metric):
        own = f"; write {metric.__name__}()" if isinstance(metric, type) else ""
        raise TypeError(f"a metric is asked for, or the name of one, and not {metric!r}{own}")
    name = metric.recorded_as if name is None else name
    if "samples" not in ds or "target_settings" not in ds:
        raise ValueError(f"{name}: the dataset keeps no samples, or has no target")
    if name in ds.variables:
        raise ValueError(f"the dataset has a variable {name!r} already")
    status = ds["status"].transpose(..., "seed")
    labels = ds["labels"].transpose(*status.dims, "sample").values if "labels" in ds else None
    configs = ds["target_settings"].broadcast_like(status).transpose(*status.dims).values
    targets = {str(text): target_of(str(text)) for text in np.unique(configs) if text}
    for target in targets.values():
        problem = metric.unfit(target, ds.sizes["sample"])
        if problem is not None:
            raise ValueError(f"{name}: {problem}")
    last = _last_recorded(ds)
    curves = np.full((*status.shape, ds.sizes["step"]), np.nan)
    for place in np.argwhere(status.values == "complete"):
        at = tuple(place)
        target = targets[str(configs[at])]
        # One at a time: those of all trials may be larger than memory.
        one = ds["samples"].isel(dict(zip(status.dims, place.tolist(), strict=True)))
        cloud = one.transpose("sample", "feature").values[:, : target.dimension]
        # Trials that store fewer samples than others are padded with NaN.
        kept = ~np.isnan(cloud).any(axis=-1)
        own = None if labels is None else labels[at][kept]
        told = None if own is None or (own < 0).any() else own[None]
        value = measured_by(metric, cloud[kept][None], told, target)
        curves[(*at, last[at])] = value[0]
    readings = {text: metric.variable(target).attributes for text, target in targets.items()}
    attributes = spanning([*readings.values()])
    known = differing({text: ends(reading) for text, reading in readings.items()})
    perfect = {
        text: perfect_sampler(metric, target, ds.sizes["sample"])
        for text, target in targets.items()
    }
    unknown = np.full_like(next(iter(perfect.values())), np.nan)
    own = ds["target_settings"]
    draws = np.array([perfect.get(str(text), unknown) for text in own.values.ravel()])
    of_p = Variable(name).perfect
    return ds.assign(
        {
            **(ends_at(name, own.variable, known) if known else {}),
            name: ((*status.dims, "step"), curves, attributes),
            of_p.name: ((*own.dims, "draw"), draws.reshape(*own.shape, -1), of_p.attributes),
        }
    )


def _last_recorded(ds: xr.Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """Index of the last step at which a trial recorded any metric; shape of the trials."""
    recorded = np.zeros((*ds["status"].transpose(..., "seed").shape, ds.sizes["step"]), dtype=bool)
    for name in metric_names(ds):
        recorded |= ds[name].notnull().transpose(..., "seed", "step").values
    return np.asarray(recorded.shape[-1] - 1 - recorded[..., ::-1].argmax(axis=-1))
