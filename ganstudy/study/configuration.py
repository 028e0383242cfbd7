"""A configuration: from nested settings to a validated kind, or to what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ganstudy import kinds
from ganstudy.family import FamilyField
from ganstudy.plural import plural
from ganstudy.settings import shortened
from ganstudy.study.document import Document, KeyPath, Problem, StudyError, nearest
from ganstudy.study.problem import dotted

__all__ = [
    *("Assignment", "at", "configure", "leaves", "member_class", "plain_message", "put"),
    "unread_problems",
]

Assignment = tuple[KeyPath, Any, KeyPath]
"""Where a value goes in the settings, the value, and where it stands in the document."""


def configure(
    document: Document, shared: Mapping[str, Any], assignments: Sequence[Assignment]
) -> kinds.Kind:
    """The configuration that shared settings and the assignments of a point amount to.

    Later settings win: defaults, what the divergence implies, the shared ones, the assignments.
    An assignment to a member comes before those to its parameters, in whatever order they stand.

    Errors  `StudyError`, with each problem where the offending setting is written.
    """
    made = _configured(document, shared, assignments)
    if isinstance(made, kinds.Kind):
        return made
    raise StudyError(problem for _, problem in made)


def unread_problems(document: Document, shared: Mapping[str, Any]) -> Iterator[Problem]:
    """Shared settings that would be a mistake in any study, though an axis may replace them.

    What asks for other settings is none: an axis may bring these.
    """
    made = _configured(document, shared, ())
    if not isinstance(made, kinds.Kind):
        yield from (problem for entry, problem in made if entry["type"] not in _OF_SEVERAL)


_OF_SEVERAL = ("value_error", "missing", "extra_forbidden")
"""Errors of pydantic that other settings can mend."""


def _configured(
    document: Document, shared: Mapping[str, Any], assignments: Sequence[Assignment]
) -> kinds.Kind | list[tuple[Any, Problem]]:
    """The configuration, or pydantic's errors with the problem that each is."""
    settings: dict[str, Any] = _copied(shared)
    ordered = sorted(assignments, key=lambda assignment: len(assignment[0]))
    for path, value, _ in ordered:
        put(settings, path, value)
    origins = {path: (origin, value) for path, value, origin in ordered}
    kind_name = settings.pop("kind", "adversarial")
    if kind_name not in kinds.family.names:
        message = f"unknown kind {kind_name!r}{nearest(kind_name, kinds.family.names)}"
        return [({"type": "family_name"}, document.problem(("trial", "kind"), message))]
    kind = kinds.family[kind_name]
    if message := _of_another_kind(kind, settings):
        place, _ = origins.get(("kind",), (("trial", "kind"), None))
        return [({"type": "extra_forbidden"}, document.problem(place, message))]
    for key, value in kind.implied(settings).items():
        _put_default(settings, tuple(key.split(".")), value)
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        entries = [entry for entry in error.errors() if not _follows(entry)]
        return [(entry, _problem(document, kind, settings, origins, entry)) for entry in entries]


def _of_another_kind(kind: type[kinds.Kind], settings: Mapping[str, Any]) -> str:
    """What is wrong with settings of which several are another kind's; empty for all others."""
    foreign = [key for key in settings if key not in kind.model_fields]
    if len(foreign) < 2:
        return ""
    meant = [own.name for own in kinds.family if own.model_fields.keys() >= set(foreign)]
    others = " or ".join(map(repr, meant[:3]))
    # Of all points the same words, so that they are told once.
    return f"the trial's keys are those of {others}, not of {kind.name!r}" if meant else ""


def _problem(
    document: Document,
    kind: type[kinds.Kind],
    settings: Mapping[str, Any],
    origins: Mapping[KeyPath, tuple[KeyPath, Any]],
    entry: Any,
) -> Problem:
    path = _written_path(entry["loc"], settings)
    message = _message(entry, path, settings, kind)
    named = ("trial", *path, "name")
    if entry["type"] == "family_name" and named in document.overridden:
        return document.problem(named, message)
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            origin, value = origins[path[:length]]
            # A member of the same name keeps what the shared settings say of it, mistakes included.
            kept = _holds(settings, path) and not _holds(value, path[length:])
            return document.problem(("trial", *path) if kept else origin, message)
    below = [origin for key, (origin, _) in origins.items() if key[: len(path)] == path]
    return document.problem(below[0] if below else ("trial", *path), message)


def _holds(value: Any, path: KeyPath) -> bool:
    """Whether something is written at a path."""
    for key in path:
        value = _named(value)
        if isinstance(value, Mapping):
            if key not in value:
                return False
        elif not isinstance(value, list) or not isinstance(key, int) or key >= len(value):
            return False
        value = value[key]
    return True


def _copied(value: Any) -> Any:
    """A copy of nested mappings and lists; several times faster than `copy.deepcopy`."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


# --- settings as nested mappings ----------------------------------------------------------------


def leaves(settings: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """The single values of settings at a path, with their own; a list is one, and so is `{}`."""
    if isinstance(settings, Mapping) and settings:
        for key, value in settings.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, settings


def at(settings: Any, path: Sequence[str | int]) -> Any:
    """The value at a key path; None if there is none."""
    for key in path:
        settings = settings.get(key) if isinstance(settings, Mapping) else None
    return settings


def _named(value: Any) -> Any:
    """The long form of a family member: `"ring"` is `{"name": "ring"}`."""
    return {"name": value} if isinstance(value, str) else value


def put(settings: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Set a value; a member of the same name keeps the parameters that are not set anew.

    An empty path takes in a mapping of settings as they are.
    """
    if not path:
        settings.update(_copied(value))
        return
    for key in path[:-1]:
        below = _named(settings.get(str(key)))
        settings[str(key)] = dict(below) if isinstance(below, dict) else {}
        settings = settings[str(key)]
    old, last = settings.get(str(path[-1])), str(path[-1])
    settings[last] = _merged(old, value) if isinstance(old, dict) else _copied(value)


def _put_default(settings: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Set a value where nothing is set; parameters of a member of the same name are filled in."""
    for key in path[:-1]:
        below = settings.setdefault(str(key), {})
        if not isinstance(below, dict):
            return
        settings = below
    last = str(path[-1])
    settings[last] = _merged(value, settings[last]) if last in settings else _copied(value)


def _merged(old: Any, new: Any) -> Any:
    """`new` over `old`; nothing of `old` is kept when they name different members."""
    long = _named(new)
    if not isinstance(old, dict) or not isinstance(long, dict):
        return _copied(new)
    if long.get("name", old.get("name")) != old.get("name"):
        return _copied(new)
    merged = {**old, **long}
    return {key: _copied(item) for key, item in merged.items()}


# --- from pydantic's errors to the words of the file ---------------------------------------------


def _written_path(location: Sequence[Any], settings: Any) -> KeyPath:
    """Pydantic's location without the names that it inserts at families and other unions."""
    path: list[str | int] = []
    here = settings
    for position, item in enumerate(location):
        if (isinstance(here, Mapping) and item in here) or (
            isinstance(here, list | tuple) and isinstance(item, int) and item < len(here)
        ):
            here = here[item]
        elif (
            position < len(location) - 1
            or not isinstance(here, Mapping | list | tuple)
            or _named_by(here, item)
        ):
            continue
        path.append(item)
    return tuple(path)


def _named_by(here: Any, item: Any) -> bool:
    """Whether an error is of a member as a whole, whose name ends its location."""
    return isinstance(here, Mapping) and here.get("name") == item


def _message(entry: Any, path: KeyPath, settings: Any, kind: type[BaseModel]) -> str:
    if entry["type"] == "extra_forbidden":
        valid = list(_key_paths(kind, settings))
        parent = dotted(path[:-1])
        siblings = [k.removeprefix(f"{parent}.") for k in valid if k.rpartition(".")[0] == parent]
        within = f" in {parent}" if parent else ""
        near = [k for k in valid if len(path) < 2 or k.partition(".")[0] == path[0]]
        return f"no such key {path[-1]!r}{within}{nearest(path[-1], siblings, elsewhere=near)}"
    if entry["type"] == "family_name":
        name = entry["ctx"]["name"]
        return f"unknown name {name!r}{nearest(str(name), entry['ctx']['names'])}"
    return plain_message(entry)


def plain_message(entry: Any) -> str:
    """Pydantic's message with the value that it is about, shortened to fit a line."""
    message = entry["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "should be")
    if entry["type"] == "value_error":
        return str(message)
    if entry["type"] == "missing":
        return "this key is required"
    if entry["type"] == "too_short":
        message = f"should have at least {plural(entry['ctx']['min_length'], 'item')}"
    return f"{_IN_WORDS.get(entry['type'], message)} (got {shortened(entry['input'])})"


def _follows(entry: Any) -> bool:
    """Whether a list is called too short only because what stands in it is a mistake."""
    short = entry["type"] == "too_short"
    return short and len(entry["input"]) >= int(entry["ctx"]["min_length"])


_IN_WORDS = {
    **dict.fromkeys(("dict_type", "model_type", "mapping_type"), "should be a mapping of keys"),
    **dict.fromkeys(("tuple_type", "list_type"), "should be a list"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "should be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    "string_type": "should be text",
}
"""What pydantic says of Python's types, which a file of YAML does not have."""


def _key_paths(model: type[BaseModel], settings: Any, prefix: str = "") -> Iterator[str]:
    """All key paths that a configuration has, given the members that the settings name."""
    values = settings if isinstance(settings, Mapping) else {}
    for name, field in model.model_fields.items():
        yield prefix + name
        below = values.get(name)
        if isinstance(below, list):
            written = [(f"{prefix}{name}.{place}.", item) for place, item in enumerate(below)]
        else:
            written = [(f"{prefix}{name}.", below)]
        for path, item in written:
            if (member := member_class(field, item)) is not None:
                yield from _key_paths(member, _named(item), path)


def member_class(field: FieldInfo, value: Any) -> type[BaseModel] | None:
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
    for choice in get_args(annotation):
        group = get_args(choice)[0] if get_origin(choice) is Annotated else choice
        if isinstance(value, Mapping) and isinstance(group, type) and issubclass(group, BaseModel):
            return group
    return None
