"""The keys below `search.bayes` of a study file, and mistakes in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from ganstudy.search.bayes.mistakes import (
    common_problems,
    constraint_problems,
    rung_problems,
    size_problems,
)
from ganstudy.search.bayes.objective import ConstraintFile, ObjectiveFile, PrunerFile
from ganstudy.search.bayes.parameter_keys import ParameterFile, RangeFile
from ganstudy.search.bayes.samplers import SAMPLERS
from ganstudy.search.bayes.seeds import FIRST_FRESH
from ganstudy.search.bayes.space import parameters
from ganstudy.settings import tolerated
from ganstudy.study.corner import Corner, unrecorded
from ganstudy.study.document import Document, KeyPath, Problem
from ganstudy.study.search_keys import SearchKeys
from ganstudy.study.space import AnyParameter

__all__ = ["BayesKeys"]

_HERE = ("search", "bayes")

FRESH_BY_DEFAULT = 5


class BayesKeys(SearchKeys):
    """The key `search.bayes:` of a study file."""

    space: dict[str, ParameterFile] = Field(description="parameters by key path or label")
    trials: int = Field(ge=1, le=10_000, description="points, each with all seeds; for each arm")
    sampler: Literal["tpe", "gp", "cmaes", "qmc", "random"] = Field(
        "tpe", description="how points are proposed"
    )
    objective: ObjectiveFile = Field(description="metrics to maximise or minimise")
    constraints: dict[str, ConstraintFile] = Field(
        {}, description="metrics and the values that a point must keep to; others are never best"
    )
    statistic: Literal["mean", "median", "min", "max"] = Field(
        "mean", description="what the search is told of the seeds of a point"
    )
    startup: int = Field(10, ge=1, description="points at random before the sampler takes over")
    together: int = Field(4, ge=1, description="points of an arm that are in training at a time")
    synchronous: bool = Field(
        False,
        description="choose points in rounds of `together`, each when the one before is known: the "
        "same search with any number of workers",
    )
    pruner: PrunerFile | None = Field(None, description="train poor points less; default: none do")
    seed: int = Field(
        0, ge=0, le=2**63 - 1, description="seed of the sampler; another one is another search"
    )
    repeats: int = Field(1, ge=1, description="independent searches of each arm")
    fresh: int | None = Field(
        None, ge=0, description="seeds for each chosen point; default: 5 with repeats, else none"
    )

    @property
    def fresh_seeds(self) -> int:
        """Seeds that no search has seen, for each point that one chooses."""
        return FRESH_BY_DEFAULT * (self.repeats > 1) if self.fresh is None else self.fresh

    @property
    def fixed(self) -> dict[str, Any]:
        """How points are proposed, and by what they are judged meanwhile."""
        own = {
            **{"sampler": self.sampler, "seed": self.seed, "startup": self.at_random},
            **{"objective": dict(self.objective.metrics), "statistic": self.statistic},
        }
        return {".".join((*_HERE, name)): value for name, value in own.items()}

    @property
    def at_random(self) -> int:
        """Points that are drawn at random before a sampler learns from them; 0 if it never does.

        Of a search in rounds, all of the round in which they end.
        """
        if not SAMPLERS[self.sampler].random_first:
            return 0
        rounds = math.ceil(self.startup / self.together)
        return rounds * self.together if self.synchronous else self.startup

    @property
    def repeated(self) -> bool:
        """Whether there is more than one search of an arm, each on its own seeds."""
        return self.repeats > 1 or self.fresh_seeds > 0

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of the objective, in the order in which they are written."""
        return tuple(self.objective.metrics)

    @property
    def sets(self) -> Mapping[str, str]:
        """Points are trained up to rungs by a pruner."""
        return {} if self.pruner is None else {"steps": "the pruner"}

    @property
    def points(self) -> int:
        """Its budget, in every one of its searches."""
        return self.trials * self.repeats

    def draws(self, seeds: Sequence[int]) -> tuple[int, str]:
        """Its searches: whatever scores the point that one has found, that is one draw."""
        return self.repeats, "search"

    @property
    def stops_early(self) -> KeyPath | None:
        """That of the pruner."""
        return None if self.pruner is None else (*_HERE, "pruner")

    @property
    def remark(self) -> str:
        """That the sampler never comes to learn, with no more points than it begins with.

        Or that it may not: what is begun before they are known is drawn at random, too.
        """
        asked = f"search.bayes.startup asks for {self.startup}"
        if self.trials <= self.at_random:
            rounds = f", in rounds of {self.together}" * (self.trials > self.startup)
            points = f"all {self.trials} points are drawn at random, as {asked}{rounds}"
            return f"{self.sampler} learns nothing: {points}"
        beside = self.together - 1
        if not self.at_random or self.synchronous or self.trials > self.at_random + beside:
            return ""
        points = f"all {self.trials} points can be drawn at random, as {asked}"
        more = f"up to {beside} more are begun before those are known"
        return f"{self.sampler} may learn nothing: {points} and {more}"

    def parameters(
        self, document: Document, axes: Mapping[str, tuple[Any, ...]], problems: list[Problem]
    ) -> tuple[AnyParameter, ...]:
        """The space; empty if it has a mistake, since nothing further can be checked then."""
        own: list[Problem] = []
        space = tuple(parameters(document, self.space, axes, own))
        if own:
            problems += own
            return ()
        return space

    def problems(
        self,
        document: Document,
        seeds: Sequence[int],
        space: Sequence[AnyParameter],
        corners: Sequence[Corner],
        drawn: Sequence[Corner],
    ) -> Iterator[Problem]:
        """Mistakes in what is sought, given what trials record and their numbers of M-steps."""
        yield from size_problems(document, self.trials, space, corners)
        yield from common_problems(document, space, corners)
        yield from self._objective_problems(document, corners)
        yield from self._repeat_problems(document, seeds)
        yield from self._sampler_problems(document)
        if self.pruner is not None:
            yield from self._pruner_problems(document)
            yield from rung_problems(document, self.pruner, corners, drawn)
        yield from constraint_problems(document, self.constraints, corners)

    def _objective_problems(
        self, document: Document, corners: Sequence[Corner]
    ) -> Iterator[Problem]:
        if not self.metrics:
            message = "write maximize or minimize, and a metric"
            yield document.problem((*_HERE, "objective"), message)
        for name in self.objective.repeated:
            if not tolerated("objective", message := f"{name!r} is written more than once"):
                yield document.problem((*_HERE, "objective"), message)
        for name, direction in self.objective.metrics.items():
            place = (*_HERE, "objective", direction)
            if message := unrecorded(name, corners):
                yield document.problem(place, message)
                continue
            better = corners[0].configuration.readings[name]["direction"]
            if (better == "higher") != (direction == "maximize"):
                other = "maximize" if better == "higher" else "minimize"
                message = f"{name} is better {better}; write {other}: {name}"
                yield document.problem(place, message)

    def _repeat_problems(self, document: Document, seeds: Sequence[int]) -> Iterator[Problem]:
        if self.repeats > 1 and not self.fresh_seeds:
            message = "repeated searches are compared on fresh seeds; at least 1"
            yield document.problem((*_HERE, "fresh"), message)
        if self.repeated and max(seeds, default=0) >= FIRST_FRESH:
            message = f"with repeats or fresh seeds, those of a study lie below {FIRST_FRESH:,}"
            yield document.problem(("seeds",), message)

    def _sampler_problems(self, document: Document) -> Iterator[Problem]:
        if self.sampler != "cmaes":
            return
        place = (*_HERE, "sampler")
        if len(self.metrics) > 1:
            message = "cmaes has one objective; tpe, gp, qmc and random can have several"
            yield document.problem(place, message)
        if not any(isinstance(written, RangeFile) for written in self.space.values()):
            message = "cmaes needs a range in the space; it draws lists of values at random"
            yield document.problem(place, message)
        if self.constraints:
            message = (
                "cmaes knows no constraints; tpe and gp do, qmc and random learn nothing anyway"
            )
            yield document.problem(place, message)

    def _pruner_problems(self, document: Document) -> Iterator[Problem]:
        if self.synchronous:
            message = "points are pruned as records land, not in rounds; leave one of the two out"
            yield document.problem((*_HERE, "synchronous"), message)
        if len(self.metrics) > 1:
            message = "points are pruned by one objective, and there are several"
            yield document.problem((*_HERE, "pruner"), message)
        if not SAMPLERS[self.sampler].takes_pruned:
            message = (
                f"{self.sampler} learns nothing from points that are pruned; "
                "tpe does, qmc and random learn nothing anyway"
            )
            if not tolerated("sampler", message):
                yield document.problem((*_HERE, "sampler"), message)
