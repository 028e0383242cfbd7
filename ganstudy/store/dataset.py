"""The dataset: all records of a run as one labelled xarray, an axis a dimension."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ganstudy.store.run_directory import RunDirectory, RunError
from ganstudy.trial import SCHEMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.search.grid import Grid
    from ganstudy.study import Study

    Places = dict[str, list[tuple[int, ...]]]

__all__ = ["gather", "open_run"]

_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "what became of the trial",
        "values": "complete, diverged, failed, missing, or excluded by the study",
    },
    "diverged_at": {"long_name": "M-step at which a loss or gradient was not finite"},
    "seconds": {"long_name": "training time, an equal share of the pack's", "units": "s"},
    "trial": {"long_name": "trial id"},
    "target": {"long_name": "target distribution, as JSON"},
    "samples": {"long_name": "final samples of the generator"},
    "step": {"long_name": "M-steps"},
}


def open_run(path: str | Path) -> xr.Dataset:
    """The dataset of a finished or interrupted run.

    Dimensions: one for each axis, then `seed`, and `step` for curves. `status` tells complete,
    diverged, failed, missing and excluded trials apart; a gap in numbers is NaN.

    Errors  `RunError` if the path is no run directory or nothing has been gathered there.
    """
    run = RunDirectory.existing(Path(path))
    if not run.results.is_dir():
        raise RunError(f"{run.path}: no results yet; `ganstudy report` gathers the records")
    # Without chunks: what one gets does not depend on whether dask is installed.
    dataset: xr.Dataset = xr.open_zarr(run.results, chunks=None)
    return dataset


def gather(run: RunDirectory, study: Study, plan: Grid) -> xr.Dataset:
    """Build the dataset from the records and replace results.zarr with it."""
    dataset = _assemble(run, study, plan)
    fresh = run.results.with_suffix(".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    # Strings have no stable form in version 3 of the zarr format yet.
    dataset.to_zarr(fresh, mode="w", zarr_format=2)
    shutil.rmtree(run.results, ignore_errors=True)
    fresh.rename(run.results)
    return dataset


def _assemble(run: RunDirectory, study: Study, plan: Grid) -> xr.Dataset:
    places: Places = {}
    for index, trial in plan.trials.items():
        places.setdefault(trial.id, []).append(index)
    found = {record.id: record for record in run.read() if record.id in places}
    shape = plan.shape
    status = np.full(shape, "excluded", "<U8")
    ids = np.full(shape, "", "<U16")
    diverged_at, seconds = np.full(shape, np.nan), np.full(shape, np.nan)
    steps = np.unique(np.concatenate([[], *(r.steps for r in found.values())])).astype(np.int64)
    curves: dict[str, NDArray[np.float32]] = {}
    largest = [r.samples.shape for r in found.values() if r.samples is not None]
    sample_shape = tuple(np.max(largest, axis=0)) if largest else (0, 0)
    samples = np.full((*shape, *sample_shape), np.nan, np.float32)
    for trial_id, indices in places.items():
        record = found.get(trial_id)
        for index in indices:
            ids[index] = trial_id
            status[index] = record.status if record else "missing"
            if record is None:
                continue
            diverged_at[index], seconds[index] = record.diverged_at, record.seconds
            at = np.searchsorted(steps, record.steps)
            for name, values in record.curves.items():
                whole = curves.setdefault(name, np.full((*shape, len(steps)), np.nan, np.float32))
                whole[index][at] = values
            if record.samples is not None:
                count, dimension = record.samples.shape
                samples[index][:count, :dimension] = record.samples
    axes = tuple(axis.dimension for axis in study.axes)
    dims = (*axes, "seed")
    dataset = xr.Dataset(
        {
            "status": (dims, status),
            "diverged_at": (dims, diverged_at),
            "seconds": (dims, seconds),
            "trial": (dims, ids),
            "target": _targets(study, plan),
            **{name: ((*dims, "step"), values) for name, values in curves.items()},
            "samples": ((*dims, "sample", "feature"), samples),
        },
        coords={
            **{axis.dimension: np.array(axis.labels) for axis in study.axes},
            "seed": np.array(study.seeds),
            "step": steps,
        },
        attrs={
            "question": study.file.question,
            "study": study.name,
            "compare": study.compare,
            "score": study.score,
            "axes": list(axes),
            "schema": SCHEMA,
        },
    )
    for axis in study.axes:
        dataset[axis.dimension].attrs["long_name"] = axis.name
    for name, attributes in {**_ATTRIBUTES, **_readings(plan)}.items():
        if name in dataset:
            dataset[name].attrs.update(attributes)
    return dataset


def _targets(study: Study, plan: Grid) -> xr.Variable:
    """The target of each point, without the axes along which it never changes."""
    axes = [axis.dimension for axis in study.axes]
    texts = np.full(plan.shape[:-1], "", dtype=object)
    for index, trial in plan.trials.items():
        texts[index[:-1]] = json.dumps(trial.configuration.model_dump()["target"])
    known = set(texts.ravel()) - {""}
    if len(known) == 1:
        return xr.Variable((), known.pop())
    return xr.Variable(axes, texts.astype(str))


def _readings(plan: Grid) -> dict[str, dict[str, Any]]:
    """Attributes of the recorded variables; bounds are widened to hold those of every trial."""
    readings: dict[str, dict[str, Any]] = {}
    for configuration in {
        id(t.configuration): t.configuration for t in plan.trials.values()
    }.values():
        for name, attributes in configuration.variables().items():
            known = readings.setdefault(name, dict(attributes))
            if "bounds" in known:
                low, high = attributes["bounds"]
                known["bounds"] = [min(known["bounds"][0], low), max(known["bounds"][1], high)]
    return readings
