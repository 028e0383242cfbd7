"""The dataset: all records of a run as one labelled xarray, an axis a dimension.

xarray is imported where a dataset is made: it takes a third of a second, for which workers would
wait to be started.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ganstudy.cause import telling
from ganstudy.search import search_of
from ganstudy.store import digests, known_data, stated
from ganstudy.store.features import with_features
from ganstudy.store.gathering import are_few, chunks, coordinates, gathered, on_disk, shared
from ganstudy.store.kept_study import PUT_BACK
from ganstudy.store.opening import ORDER, opened
from ganstudy.store.perfect import drawn_before, perfect
from ganstudy.store.place import RunError
from ganstudy.store.run_directory import RunDirectory
from ganstudy.study.document import StudyError
from ganstudy.trial import Status
from ganstudy.variable import SETTINGS_OF, STEP
from ganstudy.whole_file import Damaged

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from ganstudy.search import Search
    from ganstudy.store.stated import Column
    from ganstudy.trial import Record
    from ganstudy.variable import Variable

    Places = dict[str, list[tuple[int, ...]]]

__all__ = ["assemble", "check_nothing_lost", "gather", "open_run"]

_log = logging.getLogger("ganstudy")


def open_run(path: str | Path) -> xr.Dataset:
    """The dataset of a finished or interrupted run.

    Dimensions: one for each axis, then `seed`, and `step` for curves. `status` tells complete,
    diverged, failed, missing and excluded trials apart; a gap in numbers is NaN. Variables are in
    the order in which a trial states them. docs/notation.md names them all.

    A search by results has a dimension `trial` between the axes and `seed`: one point of the search
    with all its seeds; with `repeats` or `fresh`, `repeat` before it: one search of an arm. Its
    parameters are coordinates (axes..., trial), with `repeat` before `trial`, NaN or empty where
    one took no part; `pruned` is a status there, and `pareto` flags the points that no other one of
    their arm matches in every objective and beats in one. With constraints, `violation` is 0 for
    points that keep them.

    Of a run that is in training it is the one that was gathered last, which is logged. Where a part
    of results.zarr is not what was written, all is gathered from the records again.

    Errors  `RunError` for no run, nothing that is gathered, and damage where no record is left;
            `OSError` where something cannot be read.
    """
    run = RunDirectory.existing(Path(path))
    known_data.know(run.path)
    training = run.read_heartbeat() is not None
    if not run.results.is_dir():
        who = f"`ganstudy report {quote(str(run.path))}`"
        who = "its training, as it ends," if training else who
        raise RunError(f"{run.path}: no results yet; {who} gathers the records")
    if training:
        _log.warning("%s is in training; its results are as they were gathered last", run.path)
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
    """From the records; kept if nobody else is at the run and it can be written to.

    Errors  `RunError`, as of a study.yaml that plans none of them.
    """
    try:
        plan = search_of(run.read_study())
    except StudyError as error:  # plug-ins among them, which opening does not run
        raise RunError(f"{run.path}: results.zarr is damaged; {error}") from None
    plan.tell(run.read("curves"))
    if not (recorded := run.recorded()):
        raise RunError(f"{run.path}: results.zarr is damaged, and its records are gone")
    run.asked.check_trials(plan, recorded, PUT_BACK)
    run.asked.check_rules(plan, recorded)
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

    Where that is a link it stays, and the dataset lies on the disk to which it leads.

    Errors  `OSError`, such as for a full disk; results.zarr is then what it was.
    """
    from ganstudy.store import gathered_store  # with zarr

    dataset = assemble(run, plan)
    place = run.results.resolve()
    # Where a link leads, names that end in less may be somebody's own.
    fresh, old = (place.with_name(f"{place.name}.ganstudy-{which}") for which in ("new", "old"))
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
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return dataset


def assemble(run: RunDirectory, plan: Search) -> xr.Dataset:
    """The dataset of all records, in memory; nothing is written."""
    import xarray as xr

    known = stated.variables(plan)
    columns, along = _recorded(run, plan, known)
    axes = plan.dimensions[:-1]
    dataset = xr.Dataset(
        {
            **columns,
            **plan.variables(),
            **_perfect(run, plan),
            **dict(stated.ends_of_points(axes, plan)),
        },
        coords={
            **plan.coordinates(),
            **{name: ((name,), own) for name, own in along.items()},
            # Text that has no seeds: as data it would have no mean over them, nor had the dataset.
            **{
                name: own
                for field in SETTINGS_OF
                for name, own in stated.members(field, axes, plan)
            },
        },
        attrs=stated.attributes(plan),
    )
    sizes = {str(dim): size for dim, size in dataset.sizes.items()}
    common = {name: own for name, (dims, own) in columns.items() if dims == known[name].dims}
    for kind in {type(own): own for own in stated.configurations(plan)}.values():
        dataset = dataset.assign_coords(kind.coordinates(sizes, common))
    dataset = with_features(dataset, plan)
    for name, variable in known.items():
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
    run: RunDirectory, plan: Search, known: Mapping[str, Variable]
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
        near = on_disk(run.results.resolve().parent)
        values = gathered(run.read("bulky"), places, plan.shape, along, near, values)
    for name in (name for name in known if name in values):
        dims, whole = values[name]
        alike = shared(whole, len(plan.shape)) if known[name].once else None
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
