"""What is trained once more, though it is recorded, and what then becomes of its records."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ganstudy.cause import telling
from ganstudy.engine.packing import packs

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.trial import Record, Trial

__all__ = ["failed", "keep", "with_status", "without_generator", "without_metric"]

_log = logging.getLogger("ganstudy")


def failed(search: Search, workers: int) -> list[Pack]:
    """Packs of the trials that have failed."""
    return packs(with_status(search, "failed"), workers, search.pack_size)


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
        for trial in {own.id: own for own in search.trials.values()}.values()
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
        for trial in {own.id: own for own in search.trials.values()}.values()
        if (entry := entries.get(trial.id)) is not None and entry.unmeasured
    ]


def keep(directory: RunDirectory, records: list[Record], recorded: Collection[str]) -> list[Record]:
    """Keep the records of a pack, in place of those of its trials that are recorded; what is kept.

    Results stay where a trial that had some has failed this time, and a generator where none comes
    in its place; both keep their place in the order in which a search has learned.
    """
    again = {record.id for record in records if record.id in recorded}
    kept = _renewed(directory, records, again) if again else records
    directory.write(kept, again)
    return kept


def _renewed(
    directory: RunDirectory, records: Sequence[Record], again: Collection[str]
) -> list[Record]:
    earlier = {record.id: record for record in directory.read(trials=again)}
    found = []
    for new in records:
        old = earlier.get(new.id)
        if old is None or old.status == "failed":
            found.append(new)
        elif new.status == "failed":
            _log.warning("%s: failed this time (%s); its results stay", old.id, telling(new.cause))
            found.append(old)
        else:
            # What was kept stays, though the study that asks now keeps none: it has the same bits.
            same = old.generator_digest if old.arithmetic == new.arithmetic else ""
            stays = new.generator_digest or same
            if old.generator_digest and not stays:
                _log.warning("%s: its generator is of another arithmetic, and is dropped", old.id)
            found.append(replace(new, finished=old.finished, generator_digest=stays))
    return found
