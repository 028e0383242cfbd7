"""What a search by results is after: its objectives and constraints, and mistakes in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ganstudy.study.document import Document, Problem, nearest
from ganstudy.study.search_keys import BayesFile, RangeFile

__all__ = ["Constraint", "constraints", "objective_problems"]


@dataclass(frozen=True)
class Constraint:
    """A bound that a metric of a point must keep.

    sign  1 for a least value, -1 for a largest
    """

    metric: str
    sign: int
    bound: float

    def __str__(self) -> str:
        return f"{self.metric} {'≥' if self.sign > 0 else '≤'} {self.bound:g}"

    def violation(self, value: float) -> float:
        """How far a value is on the wrong side of the bound; negative on the right side."""
        return self.sign * (self.bound - value)


def constraints(file: BayesFile) -> tuple[Constraint, ...]:
    """The bounds of a search, in the order written."""
    return tuple(
        Constraint(metric, sign, bound)
        for metric, bounds in file.constraints.items()
        for sign, bound in ((1, bounds.minimum), (-1, bounds.maximum))
        if bound is not None
    )


def objective_problems(
    document: Document, file: BayesFile, variables: Mapping[str, Mapping[str, Any]], steps: int
) -> Iterator[Problem]:
    """Mistakes in what is sought, given what a trial records and its number of M-steps."""
    bayes = ("search", "bayes")
    metrics = [name for name, about in variables.items() if about["role"] == "metric"]
    objectives = file.objective.metrics
    if not objectives:
        message = "write maximize or minimize, and a metric"
        yield document.problem((*bayes, "objective"), message)
    if file.sampler == "cmaes" and len(objectives) > 1:
        message = "cmaes has one objective; tpe, gp, qmc and random can have several"
        yield document.problem((*bayes, "sampler"), message)
    if file.sampler == "cmaes" and not any(isinstance(p, RangeFile) for p in file.space.values()):
        message = "cmaes needs a range in the space; lists of values it draws at random"
        yield document.problem((*bayes, "sampler"), message)
    if file.sampler == "cmaes" and file.constraints:
        message = "cmaes knows no constraints; tpe and gp do, qmc and random learn nothing anyway"
        yield document.problem((*bayes, "sampler"), message)
    if file.pruner is not None and len(objectives) > 1:
        message = "points are pruned by one objective, and there are several"
        yield document.problem((*bayes, "pruner"), message)
    if file.pruner is not None and file.pruner.first >= steps:
        message = f"the first comparison is to come before the end, at {steps}"
        yield document.problem((*bayes, "pruner", "first"), message)
    for name, direction in objectives.items():
        place = (*bayes, "objective", direction)
        if name not in metrics:
            message = f"{name!r} is not recorded{nearest(name, metrics)}"
            yield document.problem(place, message)
            continue
        better = variables[name]["direction"]
        if (better == "higher") != (direction == "maximize"):
            other = "maximize" if better == "higher" else "minimize"
            message = f"{name} is better {better}; write {other}: {name}"
            yield document.problem(place, message)
    for name, written in file.constraints.items():
        here = (*bayes, "constraints", name)
        if name not in metrics:
            message = f"{name!r} is not recorded{nearest(name, metrics)}"
            yield document.problem(here, message)
        elif written.minimum is None and written.maximum is None:
            yield document.problem(here, "write minimum, maximum or both")
        elif not _possible(written.minimum, written.maximum, variables[name]["bounds"]):
            low, high = variables[name]["bounds"]
            message = f"no value can keep to this; {name} lies between {low:g} and {high:g}"
            yield document.problem(here, message)


def _possible(minimum: float | None, maximum: float | None, bounds: tuple[float, float]) -> bool:
    """Whether a value of a metric with these bounds can keep to both."""
    low = max(x for x in (minimum, bounds[0]) if x is not None)
    high = min(x for x in (maximum, bounds[1]) if x is not None)
    return low <= high
