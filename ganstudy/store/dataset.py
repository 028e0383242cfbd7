"""The dataset: all records of a run as one labelled xarray, an axis a dimension.

xarray is imported where a dataset is made: it takes a third of a second, for which workers would
wait to be started.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ganstudy.cause import telling
from ganstudy.score import spanning
from ganstudy.search import search_of
from ganstudy.store import digests, known_data, resolved
from ganstudy.store.features import with_features
from ganstudy.store.gathering import are_few, chunks, coordinates, gathered, on_disk, shared
from ganstudy.store.opening import ORDER, opened
from ganstudy.store.perfect import drawn_before, perfect
from ganstudy.store.place import RunError
from ganstudy.store.run_directory import RunDirectory
from ganstudy.study.document import StudyError
from ganstudy.trial import SCHEMA, Status
from ganstudy.variable import OF_A_DATASET, SETTINGS_OF, STEP
from ganstudy.whole_file import Damaged

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from ganstudy.kinds import Kind
    from ganstudy.search import Search
    from ganstudy.trial import Record
    from ganstudy.variable import Variable

    Column = tuple[tuple[str, ...], NDArray[Any]]
    Places = dict[str, list[tuple[int, ...]]]

__all__ = ["assemble", "check_nothing_lost", "gather", "open_run"]

_log = logging.getLogger("ganstudy")


def open_run(path: str | Path) -> xr.Dataset:
    """The dataset of a finished or interrupted run.

    Dimensions: one for each axis, then `seed`, and `step` for curves. `status` tells complete,
    diverged, failed, missing and excluded trials apart; a gap in numbers is NaN. Variables are in
    the order in which a trial states them.

    A search by results has a dimension `trial` between the axes and `seed`: one point of the search
    with all its seeds. Its parameters are coordinates (axes..., trial), NaN or empty where one took
    no part; `pruned` is a status there, and `pareto` flags the points that no other one of their
    arm beats in every objective. With constraints, `violation` is 0 for points that keep them.

    Where a part of results.zarr is not what was written, all is gathered from the records again.

    Errors  `RunError` for no run, nothing that is gathered, and damage where no record is left.
    """
    run = RunDirectory.existing(Path(path))
    known_data.know(run.path)
    if not run.results.is_dir():
        who = "its training, as it ends," if run.read_heartbeat() else "`ganstudy report`"
        raise RunError(f"{run.path}: no results yet; {who} gathers the records")
    try:
        digests.check(run.results, known := digests.read(run.results))
        dataset = opened(run.results, known)
    except Damaged as error:
        _log.warning("%s/%s; gathered from the records again", run.results, error)
        dataset = _gathered_again(run)
    for variable in dataset.variables.values():
        # As a list, xarray would refuse it in netCDF, where it looks for a variable of that name.
        if "bounds" in variable.attrs:
            variable.attrs["bounds"] = tuple(variable.attrs["bounds"])
    return dataset


def _gathered_again(run: RunDirectory) -> xr.Dataset:
    """From the records; kept if nobody else is at the run and it can be written to."""
    try:
        plan = search_of(run.read_study())
    except StudyError as error:  # plug-ins among them, which opening does not run
        raise RunError(f"{run.path}: results.zarr is damaged; {error}") from None
    plan.tell(run.read("curves"))
    if not run.recorded():
        raise RunError(f"{run.path}: results.zarr is damaged, and its records are gone")
    try:
        with run.locked():
            return gather(run, plan)
    except RunError as error:
        _log.warning("%s; what was gathered is not kept", error)
        return assemble(run, plan)


def check_nothing_lost(run: RunDirectory) -> None:
    """Refuse to gather anew where that would lose trials.

    Errors  `RunError` if results.zarr holds trials whose records are gone.
    """
    try:
        gathered = opened(run.results, digests.read(run.results))
        trained = gathered["status"].isin(get_args(Status)).to_numpy()
        held = set(gathered["trial_id"].to_numpy()[trained].tolist())
    except (Damaged, RunError):  # nothing there to lose
        return
    if lost := held - run.recorded().keys():
        message = (
            f"the records of {len(lost)} trials, of the {len(held)} that results.zarr holds, are"
            " gone; it and the report stay as they are."
            f" `ganstudy run {quote(str(run.study))}` trains those trials again, and to report on"
            " what is left, remove results.zarr"
        )
        raise RunError(f"{run.path}: {message}")


def gather(run: RunDirectory, plan: Search) -> xr.Dataset:
    """Build the dataset from the records and replace results.zarr with it.

    Errors  `OSError`, such as for a full disk; results.zarr is then what it was.
    """
    from ganstudy.store import gathered_store  # with zarr

    dataset = assemble(run, plan)
    fresh, old = (run.results.with_suffix(suffix) for suffix in (".partial", ".old"))
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        ordered = dataset.assign_attrs({ORDER: list(map(str, dataset.variables))})
        gathered_store.write(ordered, fresh, chunks(dataset, plan.dimensions))
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


def assemble(run: RunDirectory, plan: Search) -> xr.Dataset:
    """The dataset of all records, in memory; nothing is written."""
    import xarray as xr

    stated = _stated(plan)
    columns, along = _recorded(run, plan, stated)
    axes = plan.dimensions[:-1]
    dataset = xr.Dataset(
        {
            **columns,
            **plan.variables(),
            **_perfect(run, plan),
        },
        coords={
            **plan.coordinates(),
            **{name: ((name,), own) for name, own in along.items()},
            # Text that has no seeds: as data it would have no mean over them, nor had the dataset.
            **{name: own for field in SETTINGS_OF for name, own in _members(field, axes, plan)},
        },
        attrs=_attributes(plan),
    )
    sizes = {str(dim): size for dim, size in dataset.sizes.items()}
    common = {name: own for name, (dims, own) in columns.items() if dims == stated[name].dims}
    for kind in {type(own): own for own in _configurations(plan)}.values():
        dataset = dataset.assign_coords(kind.coordinates(sizes, common))
    dataset = with_features(dataset, plan)
    for name, variable in stated.items():
        if name in dataset:
            dataset[name].attrs.update(variable.attributes)
    return dataset


def _perfect(run: RunDirectory, plan: Search) -> dict[str, xr.Variable]:
    """Of samples of p; where data are gone, of those that were drawn before."""
    if not known_data.gone(plan):
        return perfect(plan)
    try:
        return drawn_before(opened(run.results, digests.read(run.results)), plan)
    except (Damaged, RunError):
        return {}


def _recorded(
    run: RunDirectory, plan: Search, stated: Mapping[str, Variable]
) -> tuple[dict[str, Column], dict[str, NDArray[Any]]]:
    """What the records say, in the order in which it is stated; and its coordinates.

    What nobody states any more is left out: nothing would say what it is.
    """
    places: Places = {}
    for index, trial in plan.trials.items():
        places.setdefault(trial.id, []).append(index)
    at_once = are_few(run.records)
    read = run.read("all" if at_once else "light")
    found = {record.id: record for record in read if record.id in places}
    along = {STEP.name: np.empty(0, np.int64), **coordinates(found.values())}
    values = gathered(found.values(), places, plan.shape, along)
    columns = _of_trials(plan, found)
    del found
    # Bulky ones may have been left out so far: a second look at the files, not all in memory.
    if not at_once:
        near = on_disk(run.path)
        values = gathered(run.read("bulky"), places, plan.shape, along, near, values)
    for name in (name for name in stated if name in values):
        dims, whole = values[name]
        alike = shared(whole, len(plan.shape)) if stated[name].once else None
        whole, dims = (whole, (*plan.dimensions, *dims)) if alike is None else (alike, dims)
        columns[name] = dims, whole
    return columns, along


def _of_trials(plan: Search, found: Mapping[str, Record]) -> dict[str, Column]:
    """What the dataset says of each trial, recorded or not."""
    shape, statuses = plan.shape, plan.statuses
    status = np.where(plan.planned, "missing", "excluded").astype("<U8")
    ids = np.full(shape, "", "<U16")
    arithmetic = np.full(shape, "", object)
    diverged_at, seconds = np.full(shape, np.nan), np.full(shape, np.nan)
    causes = np.full(shape, "", dtype=object)
    for index, trial in plan.trials.items():
        ids[index], status[index] = trial.id, statuses[index]
        if record := found.get(trial.id):
            causes[index] = telling(record.cause)
            arithmetic[index] = record.arithmetic
            diverged_at[index], seconds[index] = record.diverged_at, record.seconds
    values = {"status": status, "diverged_at": diverged_at, "seconds": seconds, "trial_id": ids}
    values["arithmetic"] = arithmetic.astype(str)
    if (causes != "").any():
        values["failure"] = causes.astype(str)
    return {name: (plan.dimensions, own) for name, own in values.items()}


def _attributes(plan: Search) -> dict[str, Any]:
    """What the dataset says of the study as a whole."""
    return {
        "question": plan.study.file.question,
        "study": plan.study.name,
        "kind": _kind(plan),
        "deterministic": int(all(point.deterministic for point in plan.study.points.values())),
        "compare": plan.study.compare,
        "score": plan.study.score,
        "answer": plan.study.answer,
        "axes": list(plan.dimensions[:-1]),
        "given": plan.study.given,
        "schema": SCHEMA,
        "shared": json.dumps(resolved.shared(plan.study)),
        **plan.attributes(),
    }


def _kind(plan: Search) -> str:
    """The kind of all trials; empty if they are of several."""
    kinds = {trial.configuration.name for trial in plan.trials.values()}
    return str(kinds.pop()) if len(kinds) == 1 else ""


def _members(field: str, axes: Sequence[str], plan: Search) -> Iterator[tuple[str, Column]]:
    """The member in a field of each point, without the axes along which it never changes, if any.

    Of the kinds that have such a field.
    """
    texts = np.full(plan.shape[:-1], "", dtype=object)
    for index, trial in plan.trials.items():
        if field in type(trial.configuration).model_fields:
            texts[index[:-1]] = json.dumps(trial.configuration.model_dump(include={field})[field])
    known = set(texts.ravel()) - {""}
    if len(known) == 1:
        yield f"{field}_settings", ((), np.array(known.pop()))
    elif known:
        yield f"{field}_settings", (tuple(axes), texts.astype(str))


def _configurations(plan: Search) -> Collection[Kind]:
    """Of all points of a study and of what a search has tried, each once."""
    points = [*plan.study.points.values(), *(t.configuration for t in plan.trials.values())]
    return {id(point): point for point in points}.values()


def _stated(plan: Search) -> dict[str, Variable]:
    """What is known of the dataset's variables, a metric's reading spanning all targets."""
    found: dict[str, list[Variable]] = {}
    for configuration in _configurations(plan):
        for variable in configuration.variables():
            found.setdefault(variable.name, []).append(variable)
    known = {variable.name: variable for variable in OF_A_DATASET}
    for name, own in found.items():
        known[name] = own[0]
        if own[0].role == "metric":
            about = spanning([variable.about for variable in own])
            known |= {name: replace(own[0], about=about), own[0].perfect.name: own[0].perfect}
    return known
