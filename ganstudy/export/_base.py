"""What an export is: a run as other tools see runs, and a writer of what is not there yet."""

from __future__ import annotations

import json
import math
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.cause import and_behind, one_line, telling
from ganstudy.family import Part, canonical_json
from ganstudy.score import trial_score
from ganstudy.store.lock import LOCK, Timeout, taken
from ganstudy.study.configuration import leaves
from ganstudy.study.problem import dotted
from ganstudy.whole_file import name_digest, remove_partial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.trial import Record

__all__ = ["ExportError", "ExportedRun", "ExportedTrial", "Exporter", "export"]


class ExportError(Exception):
    """Nothing can be exported: a package is missing, or the place is taken by something else."""


@dataclass(frozen=True)
class ExportedTrial:
    """A trial as other tools see a run.

    name        for people: arm, setting, place in a search, and seed
    tags        texts by which runs are found: study, arm, axes, place, seed, status, program, and
                `failure` of one that failed or lacks a metric
    parameters  every setting by its key path; a value that is no number or text is JSON
    scalars     seconds, the score, and what a trial records once, such as errors of claims
    curves      steps and values of what is recorded over training, without gaps
    finished    when its record was made, in seconds since 1970
    place       where the study has it, by the names of the tags that tell it as text: the value on
                each axis, the seed, and in a search `trial`, `repeat`, `fresh`
    """

    id: str
    name: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str | int | float | bool]
    scalars: Mapping[str, float]
    curves: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = field(repr=False)
    finished: float = 0.0
    place: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Of its results and of what it is called: with other seconds it is no other trial."""
        # Infinities are not JSON.
        scalars = {k: repr(v) for k, v in self.scalars.items() if k != "seconds"}
        told = [self.id, self.name, dict(self.tags), dict(self.parameters), scalars]
        text = canonical_json(told)
        curves = (
            name.encode() + steps.tobytes() + values.tobytes()
            for name, (steps, values) in self.curves.items()
        )
        return name_digest(b"".join([text.encode(), *curves]))


@dataclass(frozen=True)
class ExportedRun:
    """A run of a study, and its trials that have a record.

    figures  those of its report, as PNG
    left     ids of its records that have no place in the study any more: those of earlier rungs of
             points that went on, or of values that are not on an axis now
    planned  ids of trials of the study that may have a record later, or have one and no place yet
    """

    study: str
    question: str
    trials: Sequence[ExportedTrial]
    figures: Sequence[Path]
    left: Collection[str] = ()
    planned: Collection[str] = ()

    @cached_property
    def digests(self) -> dict[str, str]:
        """Of each trial, by `STUDY/ID`: two studies may have a trial in common."""
        return {f"{self.study}/{trial.id}": trial.digest for trial in self.trials}

    def refuse_another(
        self, there: Collection[str], place: Path, *, replacing: bool = False
    ) -> None:
        """What a place has once for a study would be lost to another run of that name.

        replacing  whether all that is there would be: that both have some trial is not enough then

        Errors  `ExportError` where it holds trials, `STUDY/ID`, of which none is of this run, or,
                replacing them, not all.
        """
        own = self.digests.keys() | {f"{self.study}/{trial}" for trial in self.left}
        known = own | {f"{self.study}/{trial}" for trial in self.planned}
        if (there and own.isdisjoint(there)) or (replacing and not known.issuperset(there)):
            advice = "choose another --to, or remove it if it is this one with earlier settings"
            raise ExportError(f"{place}: holds the export of another run; {advice}")

    @cached_property
    def figures_digest(self) -> str:
        """Of the figures as they are: of a report made anew, or first made since, they are others.

        Errors  `OSError`.
        """
        return name_digest(
            b"".join(path.name.encode() + path.read_bytes() for path in self.figures)
        )


class Exporter(Part, ABC):
    """Writes runs for another tool; it needs no network and no account.

    extra  what `pip install 'ganstudy[...]'` has to name; empty if nothing is needed
    opens  the command that shows what was written; `{place}` is quoted for a shell, `{path}` is not
    """

    extra: ClassVar[str] = ""
    opens: ClassVar[str] = ""

    @abstractmethod
    def write(self, run: ExportedRun, place: Path) -> int:
        """Add the trials that are not there as they are now; how many that were.

        A trial that was exported before and is another now takes the place of the earlier, and
        those that the study has no more are removed.

        Errors  `OSError`; `ExportError` for what another run has there, as `refuse_another` says;
                `ModuleNotFoundError` without the packages of `extra`.
        """


def export(exporter: Exporter, directory: RunDirectory, search: Search, place: Path) -> int:
    """Export a run to a place; how many trials were added or replaced.

    Errors  `ExportError` without the packages that it needs, without a trial, while another export
            goes there, and for a database that cannot be used.
    """
    records = {record.id: record for record in directory.read("light")}
    run = ExportedRun(
        search.study.name,
        search.study.file.question,
        list(_trials(records, search)),
        sorted(directory.report.glob("*.png")),
        records.keys() - search.by_id.keys() - search.to_come,
        search.by_id.keys() | search.to_come,
    )
    if not run.trials:
        raise ExportError(f"{directory.path}: no trial is recorded, and so there is none to export")
    try:
        with _alone(place):
            return exporter.write(run, place)
    except ModuleNotFoundError as error:
        advice = f": pip install 'ganstudy[{exporter.extra}]'" if exporter.extra else ""
        raise ExportError(f"export to {exporter.name} needs {error.name}{advice}") from None
    except Exception as error:
        if not (why := _of_a_database(error)):
            raise
        advice = "free some space if its disk is full, or move it away if it is damaged"
        raise ExportError(f"{place}: its database cannot be used: {why}; {advice}") from None


def _of_a_database(error: Exception) -> str:
    """What SQLite says, in which some tools keep runs, whatever a library has made of it."""
    own = (str(one) for one in and_behind(error) if isinstance(one, sqlite3.Error))
    return one_line(next(own, ""))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Hold the folder of an export, which is made: what two write at once would be there twice."""
    try:
        lock = taken(place)
    except Timeout:
        raise ExportError(f"{place}: another export is under way here; wait for its end") from None
    try:
        remove_partial(place)
        yield
    finally:
        with suppress(PermissionError), lock:  # where no open file can be removed, its release does
            (place / LOCK).unlink()
        with suppress(OSError):  # something has been written
            place.rmdir()


def _trials(records: Mapping[str, Record], search: Search) -> Iterator[ExportedTrial]:
    """Trials in study order, each once."""
    seen, statuses, columns = set[str](), search.statuses, dict(_columns(search))
    for index, trial in search.trials.items():
        if trial.id in records and trial.id not in seen:
            seen.add(trial.id)
            # Of a point that a search has stopped the record does not know it.
            record, status = records[trial.id], statuses[index]
            place = {
                **_on_axes(search, index),
                "seed": record.seed,
                **{name: values[index[axis]].item() for name, (axis, values) in columns.items()},
            }
            tags = _tags(search, index, record) | {name: str(own) for name, own in place.items()}
            yield ExportedTrial(
                trial.id,
                _name(search, index, record),
                {**tags, "status": status},
                dict(_flat(json.loads(record.settings))),
                _scalars(search, record, status, trial.configuration.readings),
                dict(_curves(record)),
                record.finished,
                place,
            )


def _columns(search: Search) -> Iterator[tuple[str, tuple[int, NDArray[Any]]]]:
    """What a search adds along one dimension of trials, by name: which one, and its values."""
    coordinates, added = search.coordinates(), {own.name for own in search.adds}
    for name, (dimensions, values, _) in coordinates.items():
        if name in added and len(dimensions) == 1 and dimensions[0] in search.dimensions:
            yield name, (search.dimensions.index(dimensions[0]), values)


def _name(search: Search, index: tuple[int, ...], record: Record) -> str:
    study, among = search.study, len(search.study.axes)
    labels = study.labels(index[:among])
    where = {name: x for name, x in labels.items() if name.replace(".", "_") != study.compare}
    where |= zip(search.dimensions[among:-1], index[among:-1], strict=True)
    setting = (f"{name} {x}" for name, x in where.items())
    return ", ".join([study.arm(index) or study.name, *setting, f"seed {record.seed}"])


def _on_axes(search: Search, index: tuple[int, ...]) -> dict[str, Any]:
    labels = search.study.labels(index[: len(search.study.axes)])
    plain = str | int | float | bool
    return {f"axis.{k}": own if isinstance(own, plain) else str(own) for k, own in labels.items()}


def _tags(search: Search, index: tuple[int, ...], record: Record) -> dict[str, str]:
    study = search.study
    return {
        "study": study.name,
        "question": study.file.question,
        "trial_id": record.id,
        "arm": study.arm(index),
        "program": record.program,
        **({"failure": telling(record.cause)} if record.cause else {}),
    }


def _scalars(
    search: Search, record: Record, status: str, readings: Mapping[str, Any]
) -> dict[str, float]:
    found = {name: float(own) for name, own in record.along().items() if own.dtype.kind in "fiub"}
    name = search.study.score
    if name in record.values and name in readings:
        score = trial_score(status, record.values[name], readings[name])
        if not math.isnan(score):
            found["score"] = score
    if not math.isnan(record.diverged_at):
        found["diverged_at"] = record.diverged_at
    return {**found, "seconds": record.seconds}


def _curves(record: Record) -> Iterator[tuple[str, tuple[NDArray[Any], NDArray[Any]]]]:
    """What lies along the steps, where there is a value."""
    for name, values in record.along("step").items():
        own = np.asarray(values, np.float64)
        known = ~np.isnan(own)
        if known.any():
            yield name, (np.asarray(record.values["step"])[known].astype(np.int64), own[known])


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, value in leaves(settings):
        plain = isinstance(value, str | int | float | bool)
        yield dotted(path), value if plain else json.dumps(value)
