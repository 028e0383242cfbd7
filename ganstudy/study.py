"""A study: what its file asks, validated, with every setting of every trial in its place."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ganstudy import kinds
from ganstudy.document import Document, KeyPath, Problem, StudyError, nearest, read_document
from ganstudy.family import FamilyField, Settings, label

__all__ = ["Axis", "Study", "json_schema", "load"]

RESERVED = ("seed", "step", "sample", "feature", "status", "samples", "target", "trial", "seconds")
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
    """A validated study; `resolve` gives the configuration at each point of its axes."""

    name: str
    document: Document
    file: StudyFile
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]

    @property
    def compare(self) -> str:
        """Dimension of the arms; empty if the study has no axis."""
        name = self.file.compare or (self.axes[0].name if self.axes else "")
        return name.replace(".", "_")

    @cached_property
    def score(self) -> str:
        """Name of the metric that ranks the arms."""
        return self.file.score or next(iter(_metrics(self.resolve({}))))

    def resolve(self, point: Mapping[str, int]) -> kinds.Kind:
        """The configuration at a point, given as an index on each named axis.

        Later settings win: defaults, what the divergence implies, `trial:`, the axes.

        Errors  `StudyError`, placed where the offending setting is written.
        """
        settings = copy.deepcopy(self.file.trial)
        origins: dict[KeyPath, KeyPath] = {}
        for axis in self.axes:
            if axis.name in point:
                index = point[axis.name]
                for key, value in axis.settings[index].items():
                    path = tuple(key.split("."))
                    _put(settings, path, value)
                    origins[path] = axis.places[index]
        return self._validate(settings, origins)

    def _validate(self, settings: dict[str, Any], origins: Mapping[KeyPath, KeyPath]) -> kinds.Kind:
        kind_name = settings.pop("kind", "adversarial")
        if kind_name not in kinds.family.names:
            message = f"unknown kind {kind_name!r}{nearest(kind_name, kinds.family.names)}"
            raise StudyError([self.document.problem(("trial", "kind"), message)])
        kind = kinds.family[kind_name]
        for key, value in kind.implied(settings).items():
            _put_default(settings, tuple(key.split(".")), value)
        try:
            return kind.model_validate(settings)
        except ValidationError as error:
            raise StudyError(
                self._problem(kind, settings, origins, entry) for entry in error.errors()
            ) from None

    def _problem(
        self,
        kind: type[kinds.Kind],
        settings: Mapping[str, Any],
        origins: Mapping[KeyPath, KeyPath],
        entry: Any,
    ) -> Problem:
        path = _written_path(entry["loc"], settings)
        message = _message(entry, path, settings, kind)
        for length in range(len(path), 0, -1):
            if path[:length] in origins:
                return self.document.problem(origins[path[:length]], message)
        below = [origin for key, origin in origins.items() if key[: len(path)] == path]
        return self.document.problem(below[0] if below else ("trial", *path), message)


def load(path: Path, overrides: Sequence[str] = (), name: str | None = None) -> Study:
    """Read and validate a study file; its name is the file's stem unless another is given.

    Errors  `StudyError` with every problem of the file, of the shared settings, and of each value
            of each axis.
    """
    document = read_document(path, overrides)
    try:
        file = StudyFile.model_validate(document.values)
    except ValidationError as error:
        raise StudyError(_file_problem(document, entry) for entry in error.errors()) from None
    problems: list[Problem] = []
    axes = tuple(_axes(document, file, problems))
    seeds = _seeds(document, file, problems)
    study = Study(name or path.stem, document, file, axes, seeds)
    names = [axis.name for axis in axes]
    if file.compare is not None and file.compare not in names:
        message = f"{file.compare!r} is not an axis of the search{nearest(file.compare, names)}"
        problems.append(document.problem(("compare",), message))
    problems += _exclude_problems(document, file, axes)
    problems += _conflicts(document, axes)
    problems += _value_problems(study)
    if problems:
        raise StudyError(problems)
    return study


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
    return document.problem(path, _plain(entry))


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
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        message = "a positive number of seeds, or a list of different seeds that are not negative"
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
        for key in sorted({key for settings in axis.settings for key in settings}):
            if owners.setdefault(key, axis.name) != axis.name:
                yield document.problem(place, f"{key!r} is set by axis {owners[key]!r} as well")
        if dimensions.setdefault(axis.dimension, axis.name) != axis.name:
            yield document.problem(place, f"has the same dimension as {dimensions[axis.dimension]}")


def _value_problems(study: Study) -> Iterator[Problem]:
    """Problems of the shared settings, and of each value of each axis taken alone."""
    points: list[dict[str, int]] = [{}]
    points += [{axis.name: i} for axis in study.axes for i in range(len(axis.labels))]
    for point in points:
        try:
            configuration = study.resolve(point)
        except StudyError as error:
            yield from error.problems
            continue
        metrics = _metrics(configuration)
        if study.file.score is not None and study.file.score not in metrics:
            message = f"{study.file.score!r} is not recorded{nearest(study.file.score, metrics)}"
            yield study.document.problem(("score",), message)
        taken = set(configuration.variables()).intersection(a.dimension for a in study.axes)
        for name in sorted(taken):
            message = "a recorded variable has this name; choose another for the axis"
            yield study.document.problem(("search", "grid", name), message)


def _metrics(configuration: kinds.Kind) -> list[str]:
    return [k for k, v in configuration.variables().items() if v["role"] == "metric"]


# --- settings as nested mappings ----------------------------------------------------------------


def _named(value: Any) -> Any:
    """The long form of a family member: `"ring"` is `{"name": "ring"}`."""
    return {"name": value} if isinstance(value, str) else value


def _put(settings: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Set a value; a member of the same name keeps the parameters that are not set anew."""
    for key in path[:-1]:
        below = _named(settings.get(str(key)))
        settings[str(key)] = dict(below) if isinstance(below, dict) else {}
        settings = settings[str(key)]
    old, last = settings.get(str(path[-1])), str(path[-1])
    settings[last] = _merged(old, value) if isinstance(old, dict) else copy.deepcopy(value)


def _put_default(settings: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Set a value where nothing is set; parameters of a member of the same name are filled in."""
    for key in path[:-1]:
        below = settings.setdefault(str(key), {})
        if not isinstance(below, dict):
            return
        settings = below
    last = str(path[-1])
    settings[last] = _merged(value, settings[last]) if last in settings else copy.deepcopy(value)


def _merged(old: Any, new: Any) -> Any:
    """`new` over `old`; nothing of `old` is kept when they name different members."""
    long = _named(new)
    if not isinstance(old, dict) or not isinstance(long, dict):
        return copy.deepcopy(new)
    if long.get("name", old.get("name")) != old.get("name"):
        return copy.deepcopy(new)
    merged = {**old, **long}
    return {key: copy.deepcopy(item) for key, item in merged.items()}


# --- from pydantic's errors to the words of the file ---------------------------------------------


def _written_path(location: Sequence[Any], settings: Any) -> KeyPath:
    """Pydantic's location without the member names that it inserts at each family."""
    path: list[str | int] = []
    here = settings
    for position, item in enumerate(location):
        if (isinstance(here, Mapping) and item in here) or (
            isinstance(here, list | tuple) and isinstance(item, int) and item < len(here)
        ):
            here = here[item]
        elif position < len(location) - 1 or isinstance(here, str):
            continue
        path.append(item)
    return tuple(path)


def _message(entry: Any, path: KeyPath, settings: Any, kind: type[BaseModel]) -> str:
    if entry["type"] == "extra_forbidden":
        valid = list(_key_paths(kind, settings))
        parent = ".".join(map(str, path[:-1]))
        siblings = [k.removeprefix(f"{parent}.") for k in valid if k.rpartition(".")[0] == parent]
        within = f" in {parent}" if parent else ""
        return f"no such key {path[-1]!r}{within}{nearest(path[-1], siblings)}"
    if entry["type"] == "union_tag_invalid":
        tags = [tag.strip("' ") for tag in entry["ctx"]["expected_tags"].split(",")]
        return f"unknown name {entry['ctx']['tag']!r}{nearest(entry['ctx']['tag'], tags)}"
    if entry["type"] == "union_tag_not_found":
        return f"a name, or a mapping with a name (got {entry['input']!r})"
    return _plain(entry)


def _plain(entry: Any) -> str:
    message = entry["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "should be")
    if entry["type"] == "value_error":
        return str(message)
    return f"{message} (got {entry['input']!r})"


def _key_paths(model: type[BaseModel], settings: Any, prefix: str = "") -> Iterator[str]:
    """All key paths that a configuration has, given the members that the settings name."""
    values = settings if isinstance(settings, Mapping) else {}
    for name, field in model.model_fields.items():
        yield prefix + name
        below = values.get(name)
        member = _member_class(field, below)
        if member is not None:
            yield from _key_paths(member, _named(below), f"{prefix}{name}.")


def _member_class(field: FieldInfo, value: Any) -> type[BaseModel] | None:
    """The model behind a field: a nested group of settings, or the family member it names."""
    for marker in field.metadata:
        if isinstance(marker, FamilyField):
            named = _named(value)
            name = named.get("name", marker.default) if isinstance(named, dict) else marker.default
            found = marker.family[name] if name in marker.family.names else None
            return found if found is None or issubclass(found, BaseModel) else None
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None
