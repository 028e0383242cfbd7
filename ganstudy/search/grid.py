"""Grid search: every combination of the axes' values, but for those that are excluded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ganstudy.engine.packing import packs
from ganstudy.search._planned import Planned

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.trial import Record, Trial

__all__ = ["Grid"]


class Grid(Planned):
    """Every combination of the axes' values, all trials at once; what a study without a search is.

    Its axes stand below `search.grid`, those of every other search too.
    """

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """The planned trials by their index on each axis and among the seeds."""
        return self.every

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of which trials are recorded."""
        self.recorded.update((record.id, record.status) for record in records)

    def ask(self, free_slots: int) -> list[Pack]:
        """All trials that have no record, once."""
        parts = packs(self.missing, max(free_slots, 1), self.pack_size)
        self.begin(parts)
        return parts

    def outlook(self, slots: int) -> list[Pack]:
        """The packs that `ask` would give, and those that it gave and that have no record."""
        trials = [trial for trial in self.trials.values() if trial.id not in self.recorded]
        return packs(trials, max(slots, 1), self.pack_size)
