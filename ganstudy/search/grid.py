"""Grid search: every combination of the axes' values, but for those that are excluded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ganstudy.engine.packing import packs
from ganstudy.search._planned import Planned

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.trial import Record, Trial

__all__ = ["Grid"]


class Grid(Planned):
    """Every combination of the axes' values, all trials at once; what a study without a search is.

    Its axes stand below `search.grid`, those of every other search too.
    """

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._counts = Counter({"missing": len(self.ids)})

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """The planned trials by their index on each axis and among the seeds."""
        return self.every

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of which trials are recorded; they are counted here, since a run asks for the
        counts after each of its packs.
        """
        for record in records:
            if record.id in self.ids:
                self._counts[self.recorded.get(record.id, "missing")] -= 1
                self._counts[record.status] += 1
            self.recorded[record.id] = record.status

    def counts(self) -> Counter[str]:
        """All trials, by status."""
        if self.trials is not self.every:  # those of a search that chooses among them
            return super().counts()
        return +self._counts

    def ask(self, free_slots: int) -> list[Pack]:
        """All trials that have no record, once."""
        parts = packs(self.missing, max(free_slots, 1), self.pack_size)
        self.begin(parts)
        return parts

    def outlook(self, slots: int) -> list[Pack]:
        """The packs that `ask` would give, and those that it gave and that have no record."""
        trials = [trial for trial in self.trials.values() if trial.id not in self.recorded]
        return packs(trials, max(slots, 1), self.pack_size)
