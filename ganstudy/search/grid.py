"""Grid search: every combination of the axes' values, but for those that are excluded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ganstudy.document import Problem, StudyError
from ganstudy.family import label
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
        """The planned trials by their index on each axis and among the seeds.

        Errors  `StudyError` if points are invalid in combination, or if none is left.
        """
        problems: list[Problem] = []
        trials: dict[tuple[int, ...], Trial[Any]] = {}
        for index in self._points():
            names = (axis.name for axis in self.study.axes)
            try:
                configuration = self.study.resolve(dict(zip(names, index, strict=True)))
            except StudyError as error:
                problems += error.problems
                continue
            for number, seed in enumerate(self.study.seeds):
                trials[(*index, number)] = Trial(configuration, seed)
        if not trials and not problems:
            message = "every point of the grid is excluded; nothing is left to run"
            problems.append(self.study.document.problem(("search", "exclude"), message))
        if problems:
            raise StudyError(problems)
        return trials

    def _points(self) -> Iterator[tuple[int, ...]]:
        axes = self.study.axes
        excluded = [
            {name: label(value) for name, value in entry.items()}
            for entry in self.study.file.search.exclude
        ]
        for index in itertools.product(*(range(len(axis.labels)) for axis in axes)):
            point = {axis.name: axis.labels[i] for axis, i in zip(axes, index, strict=True)}
            if not any(entry.items() <= point.items() for entry in excluded):
                yield index
