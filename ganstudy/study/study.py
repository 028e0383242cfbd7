"""A study: what its file asks, validated, with every setting of every trial in its place."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter

from ganstudy import kinds, plugins
from ganstudy.family import label
from ganstudy.study.configuration import Assignment, configure
from ganstudy.study.document import Document, KeyPath, Problem, StudyError, nearest, read_document
from ganstudy.study.extent import extent_problems
from ganstudy.study.file import StudyFile, read_study_file, study_file
from ganstudy.study.hidden import hidden_overrides
from ganstudy.study.names import name_problem
from ganstudy.study.search_keys import SearchKeys
from ganstudy.study.space import AnyParameter, Choice, labelled
from ganstudy.study.until_settled import UntilSettled

_log = logging.getLogger("ganstudy")

__all__ = ["Axis", "Study", "json_schema", "load"]

_OWN = (
    *("seed", "step", "sample", "feature"),
    *("status", "failure", "diverged_at", "seconds", "trial_id"),
    *("target_settings", "samples", "labels"),
    *("feature_mean", "feature_scale"),
)


def reserved() -> set[str]:
    """Names of the dataset that an axis or a parameter cannot take."""
    searches: Iterable[Any] = plugins.family("search")
    return {*_OWN, *(name for search in searches for name in search.adds)}


FACTORS = 3
"""Axes from which a study that does not say what it compares asks which of them decides."""


@dataclass(frozen=True)
class Axis:
    """One dimension of a search.

    settings[i] maps key paths to the values they take at labels[i].
    """

    name: str
    labels: tuple[Any, ...]
    settings: tuple[Mapping[str, Any], ...]
    places: tuple[KeyPath, ...]

    @property
    def dimension(self) -> str:
        """Name of the axis in the dataset."""
        return self.name.replace(".", "_")

    def label_of(self, value: Any) -> Any:
        """The label of a value of this axis, 8 and "8" being one; None for no value."""
        texts = {str(label(value)), "null"} if value is None else {str(label(value))}
        return next((x for x in self.labels if x == label(value) or str(x) in texts), None)


@dataclass(frozen=True)
class Study:
    """A validated study.

    points  the configuration at each point of the grid, by its index on each axis; in a search by
            results, that of each arm with the first value of every parameter
    space   the parameters of a search by results
    """

    name: str
    document: Document
    file: StudyFile
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    points: Mapping[tuple[int, ...], kinds.Kind]
    space: tuple[AnyParameter, ...] = ()

    @property
    def compare(self) -> str:
        """Dimension of the arms; empty if the study has no axis."""
        name = self.file.compare or (self.axes[0].name if self.axes else "")
        return name.replace(".", "_")

    @property
    def score(self) -> str:
        """Name of the metric that ranks the arms."""
        first = next(iter(self.points.values()))
        return self.file.score or (self.keys.metrics or _metrics(first))[0]

    @property
    def answer(self) -> str:
        """What the report answers first: `ranking`, `effects`, `claims` or `budget`."""
        first = next(iter(self.points.values()))
        default = "ranking"
        if _claims(first):
            default = "claims"
        elif self.space:
            default = "budget"
        elif self.file.compare is None and len(self.axes) >= FACTORS:
            default = "effects"
        return self.file.answer or default

    @property
    def search(self) -> str:
        """Name of the search that the study asks for."""
        if isinstance(self.file.seeds, UntilSettled):
            return self.file.seeds.until
        return self.file.search.asked[0]

    @property
    def keys(self) -> SearchKeys:
        """What it asks of that search."""
        if isinstance(self.file.seeds, UntilSettled):
            return self.file.seeds
        return self.file.search.asked[1]

    def labels(self, index: Sequence[int]) -> dict[str, Any]:
        """The label on each axis at a point of the grid."""
        return {axis.name: axis.labels[i] for axis, i in zip(self.axes, index, strict=True)}

    def resolve(
        self,
        point: Mapping[str, int],
        values: Mapping[str, Any] | None = None,
        further: Sequence[Assignment] = (),
    ) -> kinds.Kind:
        """The configuration at a point, given as an index on each named axis.

        `values` are those of the parameters of a search; what it sets besides comes last.

        Errors  `StudyError`, placed where the offending setting is written.
        """
        assignments = self.assignments(point, values, further)
        return configure(self.document, self.file.trial, assignments)

    def assignments(
        self,
        point: Mapping[str, int],
        values: Mapping[str, Any] | None = None,
        further: Sequence[Assignment] = (),
    ) -> list[Assignment]:
        """What is set at a point beside the shared settings, in the order of `resolve`."""
        assignments: list[Assignment] = [
            (tuple(key.split(".")), value, axis.places[point[axis.name]])
            for axis in self.axes
            if axis.name in point
            for key, value in axis.settings[point[axis.name]].items()
        ]
        for parameter in self.space:
            if values is not None and parameter.name in values:
                assignments += parameter.settings(values[parameter.name])
        return [*assignments, *further]

    def corners(self) -> Iterator[kinds.Kind]:
        """Configurations that show every value of a list and both ends of every range."""
        for index in self.points:
            labels = self.labels(index)
            point = dict(zip(labels, index, strict=True))
            for values in _extremes(self.space, labels):
                yield self.resolve(point, values)


def load(
    path: Path, overrides: Sequence[str] = (), name: str | None = None, *, run_plugins: bool = True
) -> Study:
    """Read and validate a study file; its name is the file's stem unless another is given.

    Without `run_plugins`, no code is run, and a study that names plug-ins is refused.

    Errors  `StudyError` with every problem of the file and of each point of the grid.
    """
    document = read_document(path, overrides)
    # First, since a plug-in may say what else the file can hold.
    if problems := list(_plugin_problems(document, run_plugins)):
        raise StudyError(problems)
    file = read_study_file(document)
    if problems := list(extent_problems(document, file)):
        raise StudyError(problems)
    axes = tuple(_axes(document, file, problems))
    seeds = _seeds(document, file, problems)
    space = _space(document, file, axes, problems)
    study = Study(name or path.stem, document, file, axes, seeds, points={}, space=space)
    names = [axis.name for axis in axes]
    if file.compare is not None and file.compare not in names:
        message = f"{file.compare!r} is not an axis of the search{nearest(file.compare, names)}"
        problems.append(document.problem(("compare",), message))
    problems += _exclude_problems(document, file, axes)
    problems += _conflicts(document, axes, space)
    problems += _hidden(study)
    points = _points(study, problems)
    problems += _contest_problems(study, points)
    for configuration in itertools.islice(points.values(), 1):
        problems += _name_problems(study, configuration)
        problems += study.keys.problems(document, configuration)
        problems += _answer_problems(study, configuration)
    if problems:
        raise StudyError(problems)
    return replace(study, points=points)


def json_schema() -> dict[str, Any]:
    """JSON Schema of study files, for editors that complete and check YAML."""
    schema = study_file().model_json_schema()
    configuration = Annotated[kinds.Kind, kinds.family.field("adversarial", key="kind")]
    trial = TypeAdapter(configuration).json_schema()
    schema["$defs"] |= trial.pop("$defs")
    # The trial is a mapping; the short form, a kind's bare name, is not taken there.
    schema["properties"]["trial"] = {
        "anyOf": [x for x in trial["anyOf"] if "enum" not in x],
        "description": StudyFile.model_fields["trial"].description,
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


# --- reading the file's parts -------------------------------------------------------------------


def _plugin_problems(document: Document, run_plugins: bool) -> Iterator[Problem]:
    """Load the plug-ins, which are code; a run directory holds them beside its copy of the study.

    Files elsewhere than beside the study or below are refused, whoever asks.
    """
    folder, names = document.path.parent, document.values.get("plugins", [])
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str):  # told with the other keys
            continue
        try:
            path = folder / name
            path = (path if path.is_file() else folder / path.name).resolve()
            beside = path.is_relative_to(folder.resolve()) and ".." not in Path(name).parts
            if not beside or Path(name).is_absolute():
                message = f"{name}: a plug-in lies beside its study, or in a folder below"
                yield document.problem(("plugins", index), message)
            elif not run_plugins:
                message = f"{name} is code, and only read here; where it is trusted, add --plugins"
                yield document.problem(("plugins", index), message)
            else:
                _log.warning("running the plug-in %s", path)
                plugins.load(path)
        except (plugins.PluginError, OSError, ValueError) as error:
            yield document.problem(("plugins", index), str(error))


def _space(
    document: Document, file: StudyFile, axes: Sequence[Axis], problems: list[Problem]
) -> tuple[AnyParameter, ...]:
    labels = {axis.name: axis.labels for axis in axes}
    space = file.search.asked[1].parameters(document, labels, problems)
    taken = [parameter for parameter in space if parameter.dimension in reserved()]
    for parameter in taken:
        message = "this name has a meaning of its own in the dataset; choose another"
        problems.append(document.problem(parameter.place, message))
    # What a broken parameter would set cannot be checked any further.
    return () if taken else space


def _axes(document: Document, file: StudyFile, problems: list[Problem]) -> Iterator[Axis]:
    for name, values in file.search.grid.items():
        place = ("search", "grid", name)
        if not values:
            problems.append(document.problem(place, "an axis needs at least one value"))
            continue
        if why := name_problem(name):
            problems.append(document.problem(place, why))
        elif name.replace(".", "_") in reserved():
            message = "this name has a meaning of its own in the dataset; choose another"
            problems.append(document.problem(place, message))
        yield Axis(name, *labelled(document, place, name, values, problems))


def _seeds(document: Document, file: StudyFile, problems: list[Problem]) -> tuple[int, ...]:
    if isinstance(file.seeds, UntilSettled):
        return tuple(range(file.seeds.max))
    seeds = list(range(file.seeds)) if isinstance(file.seeds, int) else file.seeds
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= s < 2**63 for s in seeds):
        message = "a positive number of seeds, or a list of different seeds from 0 to 2^63 - 1"
        problems.append(document.problem(("seeds",), message))
    return tuple(seeds)


def _contest_problems(
    study: Study, points: Mapping[tuple[int, ...], kinds.Kind]
) -> Iterator[Problem]:
    """Seeds can be added until a question is settled where arms are compared, and like for like."""
    if not isinstance(study.file.seeds, UntilSettled):
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


def _exclude_problems(
    document: Document, file: StudyFile, axes: Sequence[Axis]
) -> Iterator[Problem]:
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


def _conflicts(
    document: Document, axes: Sequence[Axis], space: Sequence[AnyParameter]
) -> Iterator[Problem]:
    """Axes or parameters that set the same key: one would silently undo the other."""
    owners: dict[str, str] = {}
    dimensions: dict[str, str] = {}
    placed: list[tuple[Axis | AnyParameter, KeyPath, str, Sequence[Mapping[str, Any]]]] = [
        *((axis, ("search", "grid", axis.name), "axis", axis.settings) for axis in axes),
        *(
            (p, p.place, "parameter", p.bundles if isinstance(p, Choice) else [{p.name: 0}])
            for p in space
        ),
    ]
    for own, place, what, bundles in placed:
        name = f"{what} {own.name!r}"
        for key in sorted({key for settings in bundles for key in _leaves(settings)}):
            if owners.setdefault(key, name) != name:
                yield document.problem(place, f"{key!r} is set by {owners[key]} as well")
        if dimensions.setdefault(own.dimension, name) != name:
            yield document.problem(place, f"has the same dimension as {dimensions[own.dimension]}")


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Key paths of all values in nested settings; a member is one value and its parameters."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _points(study: Study, problems: list[Problem]) -> dict[tuple[int, ...], kinds.Kind]:
    """The configuration at each point of the grid that is not excluded."""
    by_name = {axis.name: axis for axis in study.axes}
    excluded = [
        {name: by_name[name].label_of(x) for name, x in entry.items() if name in by_name}
        for entry in study.file.search.exclude
    ]
    points: dict[tuple[int, ...], kinds.Kind] = {}
    planned = 0
    for index in itertools.product(*(range(len(axis.labels)) for axis in study.axes)):
        labels = {axis.name: axis.labels[i] for axis, i in zip(study.axes, index, strict=True)}
        if any(entry and entry.items() <= labels.items() for entry in excluded):
            continue
        planned += 1
        names = (axis.name for axis in study.axes)
        point = dict(zip(names, index, strict=True))
        for number, values in enumerate(_extremes(study.space, labels)):
            try:
                configuration = study.resolve(point, values)
            except StudyError as error:
                problems += error.problems
                continue
            if not number:
                points[index] = configuration
    if not planned:
        message = "every point of the grid is excluded; nothing is left to run"
        problems.append(study.document.problem(("search", "exclude"), message))
    return points


def _hidden(study: Study) -> Iterator[Problem]:
    """Overrides without effect."""
    if not study.document.overridden:
        return
    names = [axis.name for axis in study.axes]
    grid = itertools.product(*(range(len(axis.labels)) for axis in study.axes))
    points = [
        study.assignments(dict(zip(names, index, strict=True)), values)
        for index in grid
        for values in _extremes(study.space, study.labels(index))
    ]
    yield from hidden_overrides(study.document, study.file.trial, points)


def _extremes(space: Sequence[AnyParameter], arm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Points of a space that show every bound and every value once, its first point first."""

    def completed(chosen: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for parameter in space:
            if parameter.extremes and parameter.active({**arm, **values}):
                values[parameter.name] = chosen.get(parameter.name, parameter.extremes[0])
        return values

    first = completed({})
    yield first
    for parameter in space:
        # What a conditional parameter waits for is put in its place.
        needed: dict[str, Any] = {}
        for above in reversed(space[: space.index(parameter) + 1]):
            if above.name in needed or above is parameter:
                needed = {**{k: v[0] for k, v in above.when.items() if v}, **needed}
        for value in parameter.extremes:
            values = completed({**needed, parameter.name: value})
            if parameter.name in values and values != first:
                yield values


def _name_problems(study: Study, configuration: kinds.Kind) -> Iterator[Problem]:
    """Names that the dataset uses for something else, or does not have."""
    variables, metrics = configuration.variables(), _metrics(configuration)
    if study.file.score is not None and study.file.score not in metrics:
        message = f"{study.file.score!r} is not recorded{nearest(study.file.score, metrics)}"
        yield study.document.problem(("score",), message)
    for axis in study.axes:
        if axis.dimension in variables:
            message = "a recorded variable has this name; choose another for the axis"
            yield study.document.problem(("search", "grid", axis.name), message)
    for parameter in study.space:
        if parameter.dimension in variables:
            message = "a recorded variable has this name; a parameter cannot have it"
            yield study.document.problem(parameter.place, message)


def _answer_problems(study: Study, configuration: kinds.Kind) -> Iterator[Problem]:
    """Answers that the study cannot give."""
    wanted = study.file.answer
    several = sum(len(axis.labels) > 1 for axis in study.axes)
    if wanted == "claims" and not _claims(configuration):
        message = f"trials of kind {configuration.name!r} check no claims"
    elif wanted == "budget" and not study.space:
        message = "the study searches no parameters; budget is for searches such as bayes"
    elif wanted == "effects" and several < 2:
        message = "effects compare axes, and fewer than two have several values"
    else:
        return
    yield study.document.problem(("answer",), message)


def _claims(configuration: kinds.Kind) -> bool:
    return any(own["role"] == "claim" for own in configuration.variables().values())


def _metrics(configuration: kinds.Kind) -> list[str]:
    return [k for k, v in configuration.variables().items() if v["role"] == "metric"]
