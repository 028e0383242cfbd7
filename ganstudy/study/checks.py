"""Mistakes of a study that show between its parts: names, excluded points, keys set twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ganstudy import kinds
from ganstudy.family import label
from ganstudy.study.corner import Corner, unrecorded
from ganstudy.study.document import Document, Problem, nearest
from ganstudy.study.file import StudyFile
from ganstudy.study.hidden import hidden_overrides
from ganstudy.study.problem import StudyError
from ganstudy.study.space import at_random, extremes
from ganstudy.study.study import Axis, Study, claims_of
from ganstudy.study.until_settled import SettledSeeds
from ganstudy.variable import names_of

__all__ = [
    "answer_problems",
    "contest_problems",
    "drawn",
    "exclude_problems",
    "hidden",
    "name_problems",
    "program_problems",
    "schedule_problems",
    "score_problems",
    "twin_problems",
]

DRAWN, DRAWN_IN_ALL = 100, 500
"""Points of a space that are looked at, for each arm and at most: a hundred find what makes a
twentieth of the space impossible, and five hundred what makes a hundredth of that of many arms; of
the studies that come with the project two thousand took longer than all other checks."""


def contest_problems(
    study: Study, points: Mapping[tuple[int, ...], kinds.Kind]
) -> Iterator[Problem]:
    """Seeds can be added until a question is settled where arms are compared, and like for like."""
    if not isinstance(study.file.seeds, SettledSeeds):
        return
    place = ("seeds", "until")
    if study.file.search.asked[0] != "grid":
        message = f"for a grid; with search.{study.file.search.asked[0]} seeds are a number or list"
        yield study.document.problem(place, message)
    compared = [axis for axis in study.axes if axis.dimension == study.compare]
    if not compared or len(compared[0].labels) < 2:
        yield study.document.problem(place, "there is nothing to settle: the study has one arm")
        return
    arm = study.axes.index(compared[0])
    had: dict[tuple[int, ...], set[int]] = {}
    for index in points:
        had.setdefault(index[:arm] + index[arm + 1 :], set()).add(index[arm])
    if points and not any(len(arms) == len(compared[0].labels) for arms in had.values()):
        yield study.document.problem(place, "no setting is left that all arms have")


def exclude_problems(
    document: Document, file: StudyFile, axes: Sequence[Axis]
) -> Iterator[Problem]:
    """Points to leave out that name no axis, or no value of one."""
    by_name = {axis.name: axis for axis in axes}
    for index, entry in enumerate(file.search.exclude):
        place = ("search", "exclude", index)
        if not entry:
            yield document.problem(place, "an empty entry would match every point")
        for name, value in entry.items():
            if name not in by_name:
                yield document.problem((*place, name), f"no such axis{nearest(name, by_name)}")
            elif by_name[name].label_of(value) is None and not _narrowed(document, name):
                known = map(str, by_name[name].labels)
                message = f"{label(value)!r} is not a value of this axis{nearest(value, known)}"
                yield document.problem((*place, name), message)


def _narrowed(document: Document, name: str) -> bool:
    """Whether an axis was given other values on the command line than the file excludes."""
    given = ("search", "grid", name)
    by_hand = any(given[: len(path)] == path for path in document.overridden)
    return by_hand and not any(path[:2] == ("search", "exclude") for path in document.overridden)


def hidden(study: Study) -> Iterator[Problem]:
    """Overrides without effect."""
    if not study.document.overridden:
        return
    grid = itertools.product(*(range(len(axis.labels)) for axis in study.axes))
    points = [
        study.assignments(index, values)
        for index in grid
        for values in extremes(study.space, study.labels(index))
    ]
    yield from hidden_overrides(study.document, study.file.trial, points)


def schedule_problems(study: Study, corners: Iterable[Corner]) -> Iterator[Problem]:
    """Trials that would not be the same if they were stopped early, where some are."""
    if place := study.keys.stops_early:
        for what in dict.fromkeys(own.configuration.scheduled for own in corners):
            message = (
                f"{what} goes by the share of the steps that is done, so that whoever is stopped "
                "early was trained in another way; leave out the pruner or the schedule"
            )
            if what:
                yield study.document.problem(place, message)


def drawn(study: Study, problems: list[Problem]) -> Iterator[Corner]:
    """Points of its space drawn at random: between the bounds may be a mistake though these are
    none, which is added to `problems`.
    """
    rng, told = np.random.default_rng(0), set[str]()
    for index in study.points:
        labels, bundles = study.labels(index), study.bundles(index)
        for _ in range(max(1, min(DRAWN, DRAWN_IN_ALL // len(study.points)))):
            values = at_random(study.space, rng, labels)
            try:
                whole = study.resolve(index, values)
                yield Corner(index, labels, bundles, values, whole, study.resolve)
            except StudyError as error:
                at = ", ".join(f"{name} {label(value)}" for name, value in values.items())
                for problem in error.problems:
                    if problem.key not in told:
                        told.add(problem.key)
                        message = f"{problem.message} (drawn from it: {at})"
                        problems.append(replace(problem, message=message))


def twin_problems(study: Study, corners: Iterable[Corner]) -> Iterator[Problem]:
    """Two labels of an axis under which all trials are the same: no difference could be found."""
    for at, axis in enumerate(study.axes):
        trials: dict[int, set[tuple[tuple[int, ...], str]]] = {}
        for own in corners:
            others = own.index[:at] + own.index[at + 1 :]
            trials.setdefault(own.index[at], set()).add((others, own.configuration.settings))
        first: dict[frozenset[tuple[tuple[int, ...], str]], int] = {}
        for number, found in trials.items():
            twin = first.setdefault(frozenset(found), number)
            if twin != number:
                same, other = axis.labels[number], axis.labels[twin]
                message = f"{label(same)} sets what {label(other)} sets: their trials are the same"
                yield study.document.problem(("search", "grid", axis.name), message)


def answer_problems(study: Study, configuration: kinds.Kind) -> Iterator[Problem]:
    """Answers that the study cannot give."""
    wanted = study.file.answer
    several = sum(len(axis.labels) > 1 for axis in study.axes)
    if wanted == "claims" and not claims_of(configuration):
        message = f"trials of kind {configuration.name!r} check no claims"
    elif wanted == "budget" and not study.space:
        message = "the study searches no parameters; budget is for searches such as bayes"
    elif wanted == "effects" and several < 2:
        message = "effects compare axes, and fewer than two have several values"
    else:
        return
    yield study.document.problem(("answer",), message)


def program_problems(study: Study, points: Iterable[kinds.Kind]) -> Iterator[Problem]:
    """A program that some trial cannot be trained by."""
    if study.file.engine.program == "compiled":
        for reason in dict.fromkeys(point.as_written for point in points):
            if reason:
                yield study.document.problem(
                    ("engine", "program"), f"{reason}: no compiled program"
                )


def name_problems(
    study: Study, points: Iterable[kinds.Kind], reserved: set[str]
) -> Iterator[Problem]:
    """Names that the dataset uses for something else at some point.

    reserved  those of every dataset
    """
    variables: set[str] = set()
    own: set[str] = set()
    others = set(reserved)
    for point in points:
        known = [*point.variables()]
        metrics = [variable for variable in known if variable.role == "metric"]
        own |= {variable.name for variable in metrics}
        others |= names_of(variable for variable in known if variable not in metrics)
        variables |= names_of(known)
    for name in sorted(own & others):
        message = f"a recorded variable has the name of metric {name!r}; rename its plug-in"
        yield study.document.problem(("trial", "record", "metrics"), message)
    for axis in study.axes:
        # Names become files of the dataset, and some file systems do not tell case apart.
        if axis.dimension.lower() in {name.lower() for name in variables}:
            message = "a recorded variable has this name; choose another for the axis"
            yield study.document.problem(("search", "grid", axis.name), message)
    for parameter in study.space:
        if parameter.dimension in variables:
            message = "a recorded variable has this name; a parameter cannot have it"
            yield study.document.problem(parameter.place, message)


def score_problems(study: Study, corners: Sequence[Corner]) -> Iterator[Problem]:
    """A score that is not recorded at some point, or that cannot rank anything.

    Of a study that names none, the first metric is told; objectives tell of themselves, and trials
    that check claims need none.
    """
    named = study.file.score is not None
    claimed = study.file.answer in (None, "claims")
    claimed = claimed and all(claims_of(own.configuration) for own in corners)
    ranked = named or not (study.keys.metrics or claimed)
    if ranked and (message := unrecorded(study.score, corners)):
        default = "" if named else "the first metric would rank the arms, and "
        yield study.document.problem(("score",), f"{default}{message}")
        return
    for name in [study.score] if named else dict.fromkeys(study.keys.metrics or [study.score]):
        readings = (own.configuration.readings.get(name, {}) for own in corners)
        bounds = {own.get("bounds", (0.0, 1.0)) for own in readings}
        if all(low >= high for low, high in bounds):
            place = ("score",) if named else ("trial", "record", "metrics")
            least = min(low for low, _ in bounds)
            message = (
                f"{name} is always {least:g} for this target and ranks nothing; choose another"
            )
            yield study.document.problem(place, message)
            return
