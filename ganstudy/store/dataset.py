"""The dataset: all records of a run as one labelled xarray, an axis a dimension."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import xarray as xr

from ganstudy.cause import telling
from ganstudy.score import spanning
from ganstudy.search import search_of
from ganstudy.store import digests
from ganstudy.store.digests import Digests
from ganstudy.store.features import with_features
from ganstudy.store.films import ATTRIBUTES as FILM_ATTRIBUTES
from ganstudy.store.films import films
from ganstudy.store.place import RunError
from ganstudy.store.run_directory import RunDirectory
from ganstudy.study.document import StudyError
from ganstudy.trial import SCHEMA, Status
from ganstudy.whole_file import Damaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.search import Search

    Places = dict[str, list[tuple[int, ...]]]

__all__ = ["check_nothing_lost", "gather", "open_run"]

_log = logging.getLogger("ganstudy")

_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "what became of the trial",
        "values": "complete, diverged, failed, pruned, missing, or excluded by the study",
    },
    "diverged_at": {"long_name": "M-step at which a loss or gradient was not finite"},
    "failure": {"long_name": "why a trial failed or a metric is missing, in a line; else empty"},
    "seconds": {"long_name": "training time, an equal share of the pack's", "units": "s"},
    "trial_id": {"long_name": "trial id"},
    "arithmetic": {"long_name": "what the trial was computed with, in words"},
    "target_settings": {"long_name": "target distribution, as JSON"},
    "divergence_settings": {"long_name": "divergence, as JSON"},
    "samples": {"long_name": "final samples of the generator"},
    "labels": {"long_name": "label that each sample was generated under; -1 without one"},
    "step": {"long_name": "M-steps"},
}


def open_run(path: str | Path) -> xr.Dataset:
    """The dataset of a finished or interrupted run.

    Dimensions: one for each axis, then `seed`, and `step` for curves. `status` tells complete,
    diverged, failed, missing and excluded trials apart; a gap in numbers is NaN.

    A search by results has a dimension `trial` between the axes and `seed`: one point of the search
    with all its seeds. Its parameters are coordinates (axes..., trial), NaN or empty where one took
    no part; `pruned` is a status there, and `pareto` flags the points that no other one of their
    arm betters in every objective. With constraints, `violation` is 0 for points that keep them.

    Where a part of results.zarr is not what was written, all is gathered from the records again.

    Errors  `RunError` if the path is no run directory or nothing has been gathered there, and if
            the dataset is damaged and its records are gone.
    """
    run = RunDirectory.existing(Path(path))
    if not run.results.is_dir():
        raise RunError(f"{run.path}: no results yet; `ganstudy report` gathers the records")
    try:
        digests.check(run.results, known := digests.read(run.results))
        dataset = _opened(run, known)
    except Damaged as error:
        _log.warning("%s/%s; gathered from the records again", run.results, error)
        dataset = _gathered_again(run)
    for variable in dataset.variables.values():
        # As a list, xarray would refuse it in netCDF, where it looks for a variable of that name.
        if "bounds" in variable.attrs:
            variable.attrs["bounds"] = tuple(variable.attrs["bounds"])
    return dataset


def _opened(run: RunDirectory, known: Digests) -> xr.Dataset:
    from ganstudy.store.gathered_store import GatheredStore

    store = GatheredStore(run.results, digests=known)
    # Without chunks: what one gets does not depend on whether dask is installed.
    dataset: xr.Dataset = xr.open_zarr(store, chunks=None)
    return dataset


def _gathered_again(run: RunDirectory) -> xr.Dataset:
    """From the records; kept if nobody else is at the run and it can be written to."""
    try:
        plan = search_of(run.read_study())
    except StudyError as error:  # plug-ins among them, which opening does not run
        raise RunError(f"{run.path}: results.zarr is damaged; {error}") from None
    plan.tell(run.read(samples=False, films=False))
    if not run.recorded():
        raise RunError(f"{run.path}: results.zarr is damaged, and its records are gone")
    try:
        with run.locked():
            return gather(run, plan)
    except RunError as error:
        _log.warning("%s; what was gathered is not kept", error)
        return _assemble(run, plan)


def check_nothing_lost(run: RunDirectory) -> None:
    """Refuse to gather anew where that would lose trials.

    Errors  `RunError` if results.zarr holds trials whose records are gone.
    """
    try:
        gathered = _opened(run, digests.read(run.results))
        trained = gathered["status"].isin(get_args(Status)).to_numpy()
        held = set(gathered["trial_id"].to_numpy()[trained].tolist())
    except (Damaged, RunError):  # nothing there to lose
        return
    if lost := held - run.recorded().keys():
        message = (
            f"the records of {len(lost)} trials, of the {len(held)} that results.zarr holds, are"
            " gone; it and the report stay as they are."
            f" `ganstudy run {run.study}` trains those trials again, and to report on what is"
            " left, remove results.zarr"
        )
        raise RunError(f"{run.path}: {message}")


def gather(run: RunDirectory, plan: Search) -> xr.Dataset:
    """Build the dataset from the records and replace results.zarr with it.

    Errors  `OSError`, such as for a full disk; results.zarr is then what it was.
    """
    dataset = _assemble(run, plan)
    fresh, old = (run.results.with_suffix(suffix) for suffix in (".partial", ".old"))
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        # Strings have no stable form in version 3 of the zarr format yet.
        dataset.to_zarr(fresh, mode="w", zarr_format=2)
        digests.seal(fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    # A folder cannot be replaced at once; for those who look, moving is quicker than removing.
    if run.results.exists():
        run.results.rename(old)
    fresh.rename(run.results)
    shutil.rmtree(old, ignore_errors=True)
    return dataset


def _assemble(run: RunDirectory, plan: Search) -> xr.Dataset:
    study, statuses = plan.study, plan.statuses
    places: Places = {}
    for index, trial in plan.trials.items():
        places.setdefault(trial.id, []).append(index)
    found = {record.id: record for record in run.read(films=False) if record.id in places}
    shape = plan.shape
    status = np.where(plan.planned, "missing", "excluded").astype("<U8")
    ids = np.full(shape, "", "<U16")
    arithmetic = np.full(shape, "", object)
    diverged_at, seconds = np.full(shape, np.nan), np.full(shape, np.nan)
    causes = np.full(shape, "", dtype=object)
    steps = np.unique(np.concatenate([[], *(r.steps for r in found.values())])).astype(np.int64)
    curves: dict[str, NDArray[np.float32]] = {}
    largest = [r.samples.shape for r in found.values() if r.samples is not None]
    sample_shape = tuple(np.max(largest, axis=0)) if largest else (0, 0)
    samples = np.full((*shape, *sample_shape), np.nan, np.float32)
    labelled = any(record.labels is not None for record in found.values())
    labels = np.full((*shape, sample_shape[0]) if labelled else (0,), -1, np.int64)
    for trial_id, indices in places.items():
        record = found.get(trial_id)
        for index in indices:
            ids[index] = trial_id
            status[index] = statuses[index]
            if record is None:
                continue
            causes[index] = telling(record.cause)
            arithmetic[index] = record.arithmetic
            diverged_at[index], seconds[index] = record.diverged_at, record.seconds
            at = np.searchsorted(steps, record.steps)
            for name, values in record.curves.items():
                whole = curves.setdefault(name, np.full((*shape, len(steps)), np.nan, np.float32))
                whole[index][at] = values
            if record.samples is not None:
                count, dimension = record.samples.shape
                samples[index][:count, :dimension] = record.samples
            if record.labels is not None:
                labels[index][: len(record.labels)] = record.labels
    dims = plan.dimensions
    axes = dims[:-1]
    dataset = xr.Dataset(
        {
            "status": (dims, status),
            "diverged_at": (dims, diverged_at),
            "seconds": (dims, seconds),
            "trial_id": (dims, ids),
            "arithmetic": (dims, arithmetic.astype(str)),
            **({"failure": (dims, causes.astype(str))} if (causes != "").any() else {}),
            **_members("target", axes, plan),
            **_members("divergence", axes, plan),
            **_perfect(axes, plan),
            **{name: ((*dims, "step"), values) for name, values in curves.items()},
            **({"samples": ((*dims, "sample", "feature"), samples)} if largest else {}),
            **({"labels": ((*dims, "sample"), labels)} if labelled else {}),
            **plan.variables(),
        },
        coords={**plan.coordinates(), "step": steps},
        attrs={
            "question": study.file.question,
            "study": study.name,
            "kind": _kind(plan),
            "compare": study.compare,
            "score": study.score,
            "answer": study.answer,
            "axes": list(axes),
            "schema": SCHEMA,
            **plan.attributes(),
        },
    )
    del found
    dataset = dataset.merge(films(run.read(samples=False), places, dims, shape, run.path))
    dataset = with_features(dataset, plan)
    for name, attributes in {**_ATTRIBUTES, **FILM_ATTRIBUTES, **_readings(plan)}.items():
        if name in dataset:
            dataset[name].attrs.update(attributes)
    return dataset


def _kind(plan: Search) -> str:
    """The kind of all trials; empty if they are of several."""
    kinds = {trial.configuration.name for trial in plan.trials.values()}
    return str(kinds.pop()) if len(kinds) == 1 else ""


def _members(field: str, axes: Sequence[str], plan: Search) -> dict[str, xr.Variable]:
    """The member in a field of each point, without the axes along which it never changes, if any.

    `field` is `target` or `divergence`, of the kinds that have one.
    """
    texts = np.full(plan.shape[:-1], "", dtype=object)
    for index, trial in plan.trials.items():
        if field in type(trial.configuration).model_fields:
            texts[index[:-1]] = json.dumps(trial.configuration.model_dump(include={field})[field])
    known = set(texts.ravel()) - {""}
    if not known:
        return {}
    if len(known) == 1:
        return {f"{field}_settings": xr.Variable((), known.pop())}
    return {f"{field}_settings": xr.Variable(axes, texts.astype(str))}


def _perfect(axes: Sequence[str], plan: Search) -> dict[str, xr.Variable]:
    """`<metric>_perfect`: the metric of samples of p, without axes along which p is the same."""
    points = {index[:-1]: trial.configuration.perfect() for index, trial in plan.trials.items()}
    variables = {}
    for name in dict.fromkeys(name for values in points.values() for name in values):
        known = {index: values[name] for index, values in points.items() if name in values}
        first = next(iter(known.values()))
        whole = np.full((*plan.shape[:-1], len(first)), np.nan)
        for index, values in known.items():
            whole[index] = values
        same = all(np.array_equal(values, first) for values in known.values())
        attributes = {
            "long_name": f"{name} of samples of p, as many as of a trial",
            "role": "perfect",
        }
        dims, shown = (("draw",), first) if same else ((*axes, "draw"), whole)
        variables[f"{name}_perfect"] = xr.Variable(dims, shown, attributes)
    return variables


def _readings(plan: Search) -> dict[str, dict[str, Any]]:
    """Attributes of the recorded variables, those of metrics spanning the targets of all trials."""
    readings: dict[str, list[dict[str, Any]]] = {}
    points = [*plan.study.points.values(), *(t.configuration for t in plan.trials.values())]
    for configuration in {id(point): point for point in points}.values():
        for name, attributes in configuration.variables().items():
            readings.setdefault(name, []).append(attributes)
    return {name: spanning(own) if "bounds" in own[0] else own[0] for name, own in readings.items()}
