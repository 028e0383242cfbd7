"""The outlook of a study: what there is to train, by what program, and for about how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganstudy import session
from ganstudy.engine.packing import estimate

if TYPE_CHECKING:
    from ganstudy.engine.pace import Pace
    from ganstudy.kinds import Pack
    from ganstudy.schedule.where import Where
    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.study import Study
    from ganstudy.trial import ProgramName

__all__ = ["Outlook"]


@dataclass(frozen=True)
class Outlook:
    """What there is to train of a study, where, by what program and why by that one."""

    search: Search
    where: Where
    parts: list[Pack]
    program: ProgramName
    reason: str

    @classmethod
    def of(cls, study: Study, where: Where, run: RunDirectory | None = None) -> Outlook:
        """What a run has not recorded; without one, all there is.

        Errors  `RunError` where the run could not be continued so.
        """
        search = where.search_of(study)
        if run is None:
            parts = search.outlook(where.workers)
            return cls(search, where, parts, *session.first_program(search, parts, where))
        run.check_schema()
        session.recall(run, search)
        parts = search.outlook(where.workers)
        return cls(search, where, parts, *session.program(run, search, parts, where))

    @property
    def trials(self) -> int:
        """How many there are, recorded ones too; where results decide that, at most."""
        counts = self.search.counts()
        known = counts.total()
        if not self.search.open_ended:
            return known
        return known - counts["missing"] + sum(map(len, self.parts))

    def seconds(self, shown: Pace) -> float:
        """About how long they take, by the pace that this machine has shown."""
        return estimate(self.parts, self.where.workers, self.program, shown)

    def measured(self, shown: Pace) -> bool:
        """Whether it has trained the like of all of them."""
        return all(shown.measured(self.program, own[0].configuration.work) for own in self.parts)
