"""What a search of points adds to the dataset, and to the files of a run."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.search._base import Column, Search
from ganstudy.search.bayes.keys import BayesKeys
from ganstudy.search.bayes.outcomes import Outcomes
from ganstudy.search.bayes.point import Arm, Point
from ganstudy.search.bayes.samplers import Known
from ganstudy.search.bayes.storage import write_storage
from ganstudy.variable import Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.family import Member
    from ganstudy.study import Study
    from ganstudy.study.space import AnyParameter

__all__ = ["Described"]


class Described(Search):
    """A search whose dataset has a dimension of points, with their values and what came of them."""

    keys = BayesKeys
    why_eager = "a search asks for packs of too many sizes to compile"
    adds: ClassVar[tuple[Variable, ...]] = (
        Variable("trial", "point of the search, in the order in which it was learned", ("trial",)),
        Variable(
            "pareto",
            "no other point of the arm matches it in every objective and beats it in one",
            (),
        ),
        Variable("violation", "by how much the point breaks the search's constraints, summed", ()),
    )

    def __init__(self, study: Study) -> None:
        assert isinstance(study.keys, BayesKeys)
        super().__init__(study)
        self.file = study.keys
        self.outcomes = Outcomes(self.file)

    @abstractmethod
    def points(self, arm: Arm) -> list[Point]:
        """The points of an arm's budget, in the order in which the search learned of them."""

    @abstractmethod
    def room(self, arm: Arm) -> int:
        """How many points an arm has yet to choose."""

    @property
    def accounted_for(self) -> set[str]:
        """Those of every rung of its points."""
        points = (point for arm in self.study.points for point in self.points(arm))
        return {trial.id for point in points for rung in point.trials for trial in rung}

    @property
    def planned(self) -> NDArray[np.bool_]:
        """All places of its points, and of those that it may yet choose."""
        found = super().planned
        for arm in self.study.points:
            found[arm][len(self.points(arm)) + self.room(arm) :] = False
        return found

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all trials that the space allows."""
        corners = self.study.corners()
        return tuple(dict.fromkeys(member for c in corners for member in c.masked()))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis, then of points, then of seeds."""
        axes = (len(axis.labels) for axis in self.study.axes)
        return (*axes, self.file.trials, len(self.study.seeds))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The axes, points of the search, seeds."""
        return (*super().dimensions[:-1], "trial", "seed")

    def coordinates(self) -> dict[str, Column]:
        """Those of a grid, numbers of points, and parameters: NaN or empty where not used."""
        return {
            **super().coordinates(),
            "trial": (("trial",), np.arange(self.file.trials), self.about("trial")),
            **{parameter.dimension: self._column(parameter) for parameter in self.study.space},
        }

    def _column(self, parameter: AnyParameter) -> Column:
        """The values of a parameter at each point."""
        numbers = all(isinstance(x, int | float) for x in parameter.extremes)
        values = np.full(self.shape[:-1], np.nan if numbers else "", None if numbers else object)
        for arm in self.study.points:
            for number, point in enumerate(self.points(arm)):
                if parameter.name in point.values:
                    values[(*arm, number)] = point.values[parameter.name]
        own = values if numbers else values.astype(str)
        return self.dimensions[:-1], own, parameter.attributes

    def variables(self) -> dict[str, Column]:
        """Which points are on the Pareto front; with constraints, how far they are broken."""
        shape, dims = self.shape[:-1], self.dimensions[:-1]
        pareto, violation = np.zeros(shape, dtype=bool), np.full(shape, np.nan)
        for arm in self.study.points:
            points = self.points(arm)
            front = {id(point) for point in self.outcomes.front(points)}
            for number, point in enumerate(points):
                pareto[(*arm, number)] = id(point) in front
                violation[(*arm, number)] = self.outcomes.violation(point)
        found = {"pareto": pareto}
        if self.outcomes.constraints:
            found["violation"] = violation
        return {name: (dims, values, self.about(name)) for name, values in found.items()}

    def attributes(self) -> dict[str, Any]:
        """How points were proposed, and what was sought."""
        constraints = [str(bound) for bound in self.outcomes.constraints]
        return {
            "search": "bayes",
            "sampler": self.file.sampler,
            "startup": self.file.at_random,
            "objectives": list(self.outcomes.objectives),
            "statistic": self.file.statistic,
            "parameters": [parameter.dimension for parameter in self.study.space],
            **({"constraints": constraints} if constraints else {}),
        }

    def refusal(self, kept: Mapping[str, Any]) -> str:
        """Another sampler, seed or startup of it has not proposed the points that are recorded."""
        changed = self._changed(kept, ("sampler", "seed")) or self._differently_begun(kept)
        if not changed:
            return super().refusal(kept)
        return (
            f"{changed}: another one is another search. Keep it, train elsewhere with --out, or "
            "start anew with --fresh"
        )

    def told_of(self, kept: Mapping[str, Any]) -> str:
        """Points were proposed for another objective, or another statistic of it."""
        changed = self._changed(kept, ("objective", "statistic"))
        return changed and f"{changed}: they are judged by what is asked now"

    def _changed(self, kept: Mapping[str, Any], names: Sequence[str]) -> str:
        """Which of these keys was another one when points were proposed, and has proposed some."""
        fixed = self.study.fixed
        for key in (f"search.bayes.{name}" for name in names):
            if self._seen and key in kept and kept[key] != fixed[key]:
                was, now = (json.dumps(own[key]) for own in (kept, fixed))
                return f"{key} was {was} when points were proposed, and is {now} now"
        return ""

    def _differently_begun(self, kept: Mapping[str, Any]) -> str:
        """That other points than now were at random, unless all that there are still would be."""
        was, now = (own.get("search.bayes.startup") for own in (kept, self.study.fixed))
        most = max(len(self.points(arm)) for arm in self.study.points)
        if was is None or was == now or not self._seen or most <= min(was, now):
            return ""
        keys = "search.bayes.startup, or together and synchronous"  # which is not in the record
        return f"{keys}: points at random were {was} when they were proposed, and are {now} now"

    def write_files(self, folder: Path) -> None:
        """search.db, for Optuna's tools: a study for each arm, named after it."""
        known = {self.named(arm): self.known(arm) for arm in self.study.points}
        write_storage(folder / "search.db", known, self.study.space, self.outcomes.objectives)

    def named(self, arm: Arm) -> str:
        """The study and the arm, in words."""
        labels = self.study.labels(arm).items()
        return ", ".join([self.study.name, *(f"{axis} {label}" for axis, label in labels)])

    def known(self, arm: Arm) -> list[Known]:
        """Points of an arm that have values, in the order in which they were learned."""
        return [known for _, known in self.outcomes.known(self.points(arm))]
