"""Grid search: every combination of the axes' values, but for those that are excluded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from ganstudy.engine.packing import packs
from ganstudy.search._base import Search
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.family import Member
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.trial import Record

__all__ = ["Grid"]


class Grid(Search):
    """Every combination of the axes' values, all trials at once; what a study without a search is.

    Its axes stand below `search.grid`, those of every other search too.
    """

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._status: dict[str, str] = {}
        self._asked: set[str] = set()

    @cached_property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """The planned trials by their index on each axis and among the seeds."""
        return {
            (*index, number): Trial(configuration, seed)
            for index, configuration in self.study.points.items()
            for number, seed in enumerate(self.study.seeds)
        }

    @property
    def statuses(self) -> dict[tuple[int, ...], str]:
        """The status of each trial's record."""
        return {index: self._status.get(t.id, "missing") for index, t in self.trials.items()}

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of which trials are recorded."""
        self._status.update((record.id, record.status) for record in records)

    def ask(self, free_slots: int) -> list[Pack]:
        """All trials that have no record, once."""
        parts = self.outlook(free_slots)
        self.begin(parts)
        return parts

    def begin(self, parts: Iterable[Pack]) -> None:
        """Do not give these trials again."""
        self._asked.update(trial.id for pack in parts for trial in pack)

    def outlook(self, slots: int) -> list[Pack]:
        """The packs that `ask` would give."""
        done = self._status.keys() | self._asked
        missing = [trial for trial in self.trials.values() if trial.id not in done]
        return packs(missing, max(slots, 1), self.study.file.engine.pack)

    def counts(self) -> Counter[str]:
        """Planned trials by status."""
        ids = {trial.id for trial in self.trials.values()}
        return Counter(self._status.get(trial_id, "missing") for trial_id in ids)

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all planned trials."""
        configurations = self.study.points.values()
        return tuple(dict.fromkeys(member for c in configurations for member in c.masked()))
