"""A study: what its file asks, validated, with every setting of every trial in its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from ganstudy import kinds
from ganstudy.configuration import Assignment, configure, plain_message
from ganstudy.document import Document, KeyPath, Problem, StudyError, nearest, read_document
from ganstudy.family import Settings, label

__all__ = ["Axis", "Study", "json_schema", "load"]

RESERVED = (
    *("seed", "step", "sample", "feature"),
    *("status", "diverged_at", "seconds", "trial", "target", "samples"),
)
"""Names of the dataset that an axis cannot take."""


class SearchFile(Settings):
    """The key `search:` of a study file."""

    grid: dict[str, list[Any] | dict[str, dict[str, Any]]] = Field(
        default={}, description="axes: a key path with a list of values, or labelled bundles"
    )
    exclude: list[dict[str, Any]] = Field(
        default=[], description="grid points to leave out: axis and value pairs that all match"
    )


class EngineFile(Settings):
    """The key `engine:` of a study file: how trials are trained, not what they are."""

    pack: int | None = Field(None, ge=1, description="most trials in a pack; default: chosen")
    program: Literal["auto", "eager", "compiled"] = Field(
        "auto", description="the step as written or compiled; auto: whichever ends sooner"
    )
    time_limit: float | None = Field(
        None, gt=0, description="seconds that a trial may take; a pack of n has n times as long"
    )
    memory_limit: float | None = Field(
        None, gt=0, description="gigabytes that a worker may allocate for a pack and itself"
    )


class StudyFile(Settings):
    """The keys of a study file."""

    question: str = Field(min_length=1, description="what the study asks, in words")
    compare: str | None = Field(None, description="axis whose values are compared; default: first")
    score: str | None = Field(None, description="metric that ranks the arms; default: first")
    trial: dict[str, Any] = Field(default={}, description="settings that all trials share")
    search: SearchFile = Field(SearchFile(), description="what differs between trials")
    seeds: int | list[int] = Field(5, description="number of seeds, or a list of them")
    engine: EngineFile = Field(EngineFile(), description="how trials are trained")


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


@dataclass(frozen=True)
class Study:
    """A validated study.

    points  the configuration at each point of the grid, by its index on each axis
    """

    name: str
    document: Document
    file: StudyFile
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    points: Mapping[tuple[int, ...], kinds.Kind]

    @property
    def compare(self) -> str:
        """Dimension of the arms; empty if the study has no axis."""
        name = self.file.compare or (self.axes[0].name if self.axes else "")
        return name.replace(".", "_")

    @property
    def score(self) -> str:
        """Name of the metric that ranks the arms."""
        return self.file.score or _metrics(next(iter(self.points.values())))[0]

    def resolve(self, point: Mapping[str, int]) -> kinds.Kind:
        """The configuration at a point, given as an index on each named axis.

        Errors  `StudyError`, placed where the offending setting is written.
        """
        assignments: list[Assignment] = [
            (tuple(key.split(".")), value, axis.places[point[axis.name]])
            for axis in self.axes
            if axis.name in point
            for key, value in axis.settings[point[axis.name]].items()
        ]
        return configure(self.document, self.file.trial, assignments)


def load(path: Path, overrides: Sequence[str] = (), name: str | None = None) -> Study:
    """Read and validate a study file; its name is the file's stem unless another is given.

    Errors  `StudyError` with every problem of the file and of each point of the grid.
    """
    document = read_document(path, overrides)
    try:
        file = StudyFile.model_validate(document.values)
    except ValidationError as error:
        raise StudyError(_file_problem(document, entry) for entry in error.errors()) from None
    problems: list[Problem] = []
    axes = tuple(_axes(document, file, problems))
    seeds = _seeds(document, file, problems)
    study = Study(name or path.stem, document, file, axes, seeds, points={})
    names = [axis.name for axis in axes]
    if file.compare is not None and file.compare not in names:
        message = f"{file.compare!r} is not an axis of the search{nearest(file.compare, names)}"
        problems.append(document.problem(("compare",), message))
    problems += _exclude_problems(document, file, axes)
    problems += _conflicts(document, axes)
    points = _points(study, problems)
    for configuration in itertools.islice(points.values(), 1):
        problems += _name_problems(study, configuration)
    if problems:
        raise StudyError(problems)
    return replace(study, points=points)


def json_schema() -> dict[str, Any]:
    """JSON Schema of study files, for editors that complete and check YAML."""
    schema = StudyFile.model_json_schema()
    configuration = Annotated[kinds.Kind, kinds.family.field("adversarial", key="kind")]
    trial = TypeAdapter(configuration).json_schema()
    schema["$defs"] |= trial.pop("$defs")
    # The trial is a mapping; the short form, a kind's bare name, would say nothing there.
    (configuration_schema,) = (x for x in trial["anyOf"] if "enum" not in x)
    schema["properties"]["trial"] = {
        **configuration_schema,
        "description": StudyFile.model_fields["trial"].description,
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


# --- reading the file's parts -------------------------------------------------------------------


def _file_problem(document: Document, entry: Any) -> Problem:
    # Pydantic names the branch of a union in its location; a key of the file never has such a form.
    path = tuple(p for p in entry["loc"] if not str(p).startswith(("list[", "dict[")))
    path = path if entry["loc"][:1] != ("seeds",) else ("seeds",)
    if entry["type"] == "extra_forbidden":
        models: dict[object, type[Settings]] = {"search": SearchFile, "engine": EngineFile}
        model = models.get(path[0], StudyFile) if len(path) > 1 else StudyFile
        choices = list(model.model_fields)
        trial_keys = kinds.family["adversarial"].model_fields
        hint = nearest(path[-1], choices)
        if path[-1] in trial_keys and len(path) == 1:
            hint = f"; did you mean 'trial.{path[-1]}'?"
        return document.problem(path, f"no such key{hint}")
    if entry["type"] == "missing":
        return document.problem(path, "this key is required")
    if path == ("seeds",):
        return document.problem(path, "a number of seeds, or a list of whole numbers")
    if path[:2] == ("search", "grid") and len(path) >= 3:
        message = "an axis is a list of values, or a mapping from labels to bundles of settings"
        return document.problem(path[:3], message)
    return document.problem(path, plain_message(entry))


def _axes(document: Document, file: StudyFile, problems: list[Problem]) -> Iterator[Axis]:
    for name, values in file.search.grid.items():
        place = ("search", "grid", name)
        if not values:
            problems.append(document.problem(place, "an axis needs at least one value"))
            continue
        if name.replace(".", "_") in RESERVED:
            message = "this name has a meaning of its own in the dataset; choose another"
            problems.append(document.problem(place, message))
        if isinstance(values, dict):
            labels = list(values)
            settings: list[Mapping[str, Any]] = list(values.values())
            places: list[KeyPath] = [(*place, key) for key in labels]
        else:
            labels = [label(value) for value in values]
            settings = [{name: value} for value in values]
            places = [(*place, index) for index in range(len(values))]
        repeated = sorted({str(x) for x in labels if labels.count(x) > 1})
        if repeated:
            problems.append(document.problem(place, f"repeated value: {', '.join(repeated)}"))
        if not all(isinstance(x, int | float) for x in labels):
            labels = [str(x) for x in labels]
        yield Axis(name, tuple(labels), tuple(settings), tuple(places))


def _seeds(document: Document, file: StudyFile, problems: list[Problem]) -> tuple[int, ...]:
    seeds = list(range(file.seeds)) if isinstance(file.seeds, int) else file.seeds
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= s < 2**63 for s in seeds):
        message = "a positive number of seeds, or a list of different seeds from 0 to 2^63 - 1"
        problems.append(document.problem(("seeds",), message))
    return tuple(seeds)


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
            elif label(value) not in by_name[name].labels:
                known = map(str, by_name[name].labels)
                message = f"{label(value)!r} is not a value of this axis{nearest(value, known)}"
                yield document.problem((*place, name), message)


def _conflicts(document: Document, axes: Sequence[Axis]) -> Iterator[Problem]:
    """Two axes that set the same key: one would silently undo the other."""
    owners: dict[str, str] = {}
    dimensions: dict[str, str] = {}
    for axis in axes:
        place = ("search", "grid", axis.name)
        for key in sorted({key for settings in axis.settings for key in _leaves(settings)}):
            if owners.setdefault(key, axis.name) != axis.name:
                yield document.problem(place, f"{key!r} is set by axis {owners[key]!r} as well")
        if dimensions.setdefault(axis.dimension, axis.name) != axis.name:
            yield document.problem(place, f"has the same dimension as {dimensions[axis.dimension]}")


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Key paths of all values in nested settings; a member is one value and its parameters."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _points(study: Study, problems: list[Problem]) -> dict[tuple[int, ...], kinds.Kind]:
    """The configuration at each point of the grid that is not excluded."""
    excluded = [
        {name: label(value) for name, value in entry.items()} for entry in study.file.search.exclude
    ]
    points: dict[tuple[int, ...], kinds.Kind] = {}
    planned = 0
    for index in itertools.product(*(range(len(axis.labels)) for axis in study.axes)):
        labels = {axis.name: axis.labels[i] for axis, i in zip(study.axes, index, strict=True)}
        if any(entry and entry.items() <= labels.items() for entry in excluded):
            continue
        planned += 1
        names = (axis.name for axis in study.axes)
        try:
            points[index] = study.resolve(dict(zip(names, index, strict=True)))
        except StudyError as error:
            problems += error.problems
    if not planned:
        message = "every point of the grid is excluded; nothing is left to run"
        problems.append(study.document.problem(("search", "exclude"), message))
    return points


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


def _metrics(configuration: kinds.Kind) -> list[str]:
    return [k for k, v in configuration.variables().items() if v["role"] == "metric"]
