"""What is trained once more, though it is recorded, and what then becomes of its records."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.cause import gaps, telling, unmeasured
from ganstudy.engine.checkpoints import packs_in_flight
from ganstudy.engine.packing import packs
from ganstudy.store import check_nothing_lost
from ganstudy.variable import STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds import Kind, Pack
    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.trial import Record, Trial

__all__ = ["Retry", "continued", "keep", "with_status", "without_generator", "without_metric"]

_log = logging.getLogger("ganstudy")


@dataclass(frozen=True)
class Retry:
    """What is trained once more, instead of what is missing: the trials that have failed.

    generators  and those whose generator is asked for and not kept
    metrics     and those of which a metric could not be measured
    """

    generators: bool = False
    metrics: bool = False

    def parts(self, directory: RunDirectory, search: Search, workers: int) -> list[Pack]:
        """Packs of them, first those that continue; what has failed is in none of the others'.

        Errors  `RunError` where gathered records are gone.
        """
        check_nothing_lost(directory)
        lacking = without_generator(directory, search, whole=True) if self.generators else []
        lacking += without_metric(directory, search) if self.metrics else []
        parts: list[Pack] = []
        for trials in (with_status(search, "failed"), lacking):
            flying = continued(directory, search, trials)
            begun = {trial.id for pack in flying for trial in pack}
            others = [trial for trial in trials if trial.id not in begun]
            parts += [*flying, *packs(others, workers, search.pack_size)]
        return parts


def continued(directory: RunDirectory, search: Search, trials: Iterable[Trial[Kind]]) -> list[Pack]:
    """Packs of these trials that continue from a checkpoint, none larger than asked."""
    earlier = packs_in_flight(directory.checkpoints, {trial.id: trial for trial in trials})
    return [own for pack in earlier for own in packs(pack, 1, search.pack_size)]


def with_status(search: Search, status: str) -> list[Trial[Kind]]:
    """The trials of a search that have this status."""
    trials = search.trials
    return [trials[index] for index, own in search.statuses.items() if own == status]


def without_generator(
    directory: RunDirectory, search: Search, *, whole: bool = False
) -> list[Trial[Kind]]:
    """Recorded trials whose generator is asked for and not there, or is damaged.

    They were trained before it was asked for, or their file was lost.

    whole  whether the files are read, and not only looked for
    """
    entries, kept = directory.entries(), directory.generators
    return [
        trial
        for trial in search.by_id.values()
        if trial.configuration.keeps_generator
        and (entry := entries.get(trial.id)) is not None
        and entry.status != "failed"
        and kept.lacks(trial.id, entry.generator_digest, whole=whole)
    ]


def without_metric(directory: RunDirectory, search: Search) -> list[Trial[Kind]]:
    """Trials that ran, of which some metric could not be measured."""
    entries = directory.entries()
    return [
        trial
        for trial in search.by_id.values()
        if (entry := entries.get(trial.id)) is not None and entry.unmeasured
    ]


def keep(directory: RunDirectory, records: list[Record], recorded: Collection[str]) -> list[Record]:
    """Keep the records of a pack, in place of those of its trials that are recorded; what is kept.

    Nothing that a trial had is lost by training it again: results stay where it has failed this
    time, and a metric, a generator or a film where none comes in its place. It keeps its place in
    the order in which a search has learned.
    """
    again = {record.id for record in records if record.id in recorded}
    if not again:
        directory.write(records, again)
        return records
    earlier = {record.id: record for record in directory.read(trials=again)}
    kept = [_renewed(earlier.get(new.id), new) for new in records]
    alike: dict[tuple[tuple[str, tuple[int, ...]], ...], list[Record]] = {}
    for record in kept:  # films of earlier sessions have other numbers of frames
        shapes = sorted((name, array.shape) for name, array in record.values.items())
        alike.setdefault(tuple(shapes), []).append(record)
    for part in alike.values():
        directory.write(part, again & {record.id for record in part})
    return kept


def _renewed(old: Record | None, new: Record) -> Record:
    """What is kept of a trial that has been trained again."""
    if old is None or old.status == "failed":
        return new
    if new.status == "failed":
        _log.warning("%s: failed this time (%s); its results stay", old.id, telling(new.cause))
        return old
    if old.arithmetic == new.arithmetic:
        return _completed(new, old)
    if lost := ", ".join(sorted(_lost(old, new))):
        message = "%s: %s could not be measured this time; its results stay, of other arithmetic"
        _log.warning(message, old.id, lost)
        return old
    for what, had, has in (
        ("generator", old.generator_digest, new.generator_digest),
        ("film", "frame_step" in old.values, "frame_step" in new.values),
    ):
        if had and not has:
            _log.warning("%s: its %s is of another arithmetic, and is dropped", old.id, what)
    return replace(new, finished=old.finished)


def _completed(new: Record, old: Record) -> Record:
    """The new one, with what it lacks and the old one has: both have the same bits, whatever the
    study that asks now keeps, and whichever metric was measured this time.
    """
    values = {**old.values, **new.values}
    for name in old.values.keys() & new.values.keys():
        before, now = old.values[name], new.values[name]
        if now.dtype.kind == before.dtype.kind == "f" and now.shape == before.shape:
            values[name] = np.where(np.isnan(now), before, now)
    made = replace(
        new,
        values=values,
        variables={**old.variables, **new.variables},
        finished=old.finished,
        generator_digest=new.generator_digest or old.generator_digest,
    )
    lacks, had = (gaps(own.cause, own.values) for own in (new, old))
    left = "\n".join(why for name, why in lacks.items() if name in had and _wants(made, name))
    return replace(made, cause=left) if lacks else made


def _wants(record: Record, name: str) -> bool:
    """Whether a metric lacks a number where the trial was alive."""
    values = record.values[name]
    steps = record.values.get(STEP.name)
    if record.variables[name].dims == STEP.dims and steps is not None:
        values = values[~(steps >= record.diverged_at)]
    return not _numbers(values).all()


def _lost(old: Record, new: Record) -> set[str]:
    """Metrics that could not be measured this time, and could before."""
    suspected = unmeasured(new.cause, new.values)
    none_now = {name for name in suspected if not _numbers(new.values[name]).any()}
    had = {name for name in none_now & old.values.keys() if _numbers(old.values[name]).any()}
    return had | (gaps(new.cause, new.values).keys() - gaps(old.cause, old.values).keys())


def _numbers(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where there are some: a metric has none where it is NaN."""
    floats = values.dtype.kind == "f"
    return ~np.isnan(values) if floats else np.full(values.shape, False)
