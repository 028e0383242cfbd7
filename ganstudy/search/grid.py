"""Grid search: every combination of the axes' values, but for those that are excluded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """All trials of a study, each with its place in the dataset."""

    study: Study

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis, then of seeds."""
        return (*(len(axis.labels) for axis in self.study.axes), len(self.study.seeds))

    @cached_property
    def trials(self) -> dict[tuple[int, ...], Trial[Any]]:
        """The planned trials by their index on each axis and among the seeds."""
        return {
            (*index, number): Trial(configuration, seed)
            for index, configuration in self.study.points.items()
            for number, seed in enumerate(self.study.seeds)
        }
