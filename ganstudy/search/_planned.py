"""Searches of points that the study file states: each with every seed, or with some of them."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from ganstudy.search._base import Search
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.family import Member
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study

__all__ = ["Planned"]


class Planned(Search, ABC):
    """What is known of trials that can be listed beforehand.

    recorded   the status of each trial that has a record, by its id
    in_flight  ids of trials that have been given out, which are not given again
    """

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self.recorded: dict[str, str] = {}
        self.in_flight: set[str] = set()

    @cached_property
    def every(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """Every trial that there can be, by its index on each axis and among the seeds."""
        return {
            (*index, number): Trial(configuration, seed)
            for index, configuration in self.study.points.items()
            for number, seed in enumerate(self.study.seeds)
        }

    @cached_property
    def ids(self) -> set[str]:
        """Those of all of them."""
        return {trial.id for trial in self.every.values()}

    @property
    def statuses(self) -> dict[tuple[int, ...], str]:
        """The status of each trial's record."""
        return {index: self.recorded.get(t.id, "missing") for index, t in self.trials.items()}

    @property
    def missing(self) -> list[Trial[Kind]]:
        """Trials that are due, have no record and are not in flight."""
        done = self.recorded.keys() | self.in_flight
        return [trial for trial in self.trials.values() if trial.id not in done]

    def begin(self, parts: Iterable[Pack]) -> None:
        """Do not give these trials again."""
        self.in_flight.update(trial.id for pack in parts for trial in pack)

    def counts(self) -> Counter[str]:
        """Trials that are known to be needed, by status."""
        ids = {trial.id for trial in self.trials.values()}
        return Counter(self.recorded.get(trial_id, "missing") for trial_id in ids)

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all points."""
        configurations = self.study.points.values()
        return tuple(dict.fromkeys(member for c in configurations for member in c.masked()))
