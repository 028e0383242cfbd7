"""A configuration: from nested settings to a validated kind, or to what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ganstudy import kinds
from ganstudy.study.document import Document, KeyPath, Problem, StudyError, nearest
from ganstudy.study.problem import dotted
from ganstudy.study.wording import in_member, mistakes, named, setting_message, varied, written_path
from ganstudy.study.yaml_text import in_flow

__all__ = ["Assignment", "at", "configure", "leaves", "put", "unread_problems"]

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


def unread_problems(
    document: Document, shared: Mapping[str, Any], *, named: bool = True
) -> Iterator[Problem]:
    """Shared settings that would be a mistake in any study, though an axis may replace them.

    What asks for other settings is none, nor a key that another member might have: an axis may
    bring these. Of a search that sets the kind too, nothing is known.

    named  whether a name that no member has is a mistake, as it is with every plug-in loaded
    """
    if any("kind" in path for path, _ in leaves(document.values.get("search"))):
        return
    made = _configured(document, shared, ())
    if not isinstance(made, kinds.Kind):
        for entry, problem in made:
            if not _of_several(entry, shared) and (named or entry["type"] != "family_name"):
                yield problem


def _of_several(entry: Any, shared: Mapping[str, Any]) -> bool:
    """Whether other settings can mend what an error of pydantic is of."""
    if entry["type"] == "extra_forbidden" and "loc" in entry:
        kind = kinds.family[shared.get("kind", "adversarial")]
        return in_member(kind, written_path(entry["loc"], shared, kind))
    return entry["type"] in ("value_error", "missing")


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
        if isinstance(kind_name, list):
            message = "a trial has one kind; to vary it, make it an axis: search.grid.kind"
        elif isinstance(kind_name, Mapping) and kind_name:
            message = f"write {in_flow({'kind': next(iter(kind_name))})}, and its keys beside it"
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
        return [
            (entry, _problem(document, kind, settings, origins, entry)) for entry in mistakes(error)
        ]


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
    path = written_path(entry["loc"], settings, kind)
    message = setting_message(entry, path, settings, kind)
    # Of a value of an axis of its own it is no advice to make it one.
    if not any(key == path and dotted(key) in origin for key, (origin, _) in origins.items()):
        message += varied(entry, path)
    name = ("trial", *path, "name")
    if entry["type"] == "family_name" and name in document.overridden:
        return document.problem(name, message)
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            origin, value = origins[path[:length]]
            # A member of the same name keeps what the shared settings say of it, mistakes included.
            kept = _holds(settings, path) and not _holds(value, path[length:])
            if entry["type"] == "extra_forbidden" and length == len(path):
                origin = _of_name(origin, dotted(path))
            return document.problem(("trial", *path) if kept else origin, message)
    below = [
        _of_name(origin, dotted(key))
        for key, (origin, _) in origins.items()
        if key[: len(path)] == path
    ]
    return document.problem(below[0] if below else ("trial", *path), message)


def _of_name(origin: KeyPath, name: str) -> KeyPath:
    """The place of an axis or parameter of this name, above that of its value; else the same."""
    return origin[: origin.index(name) + 1] if name in origin else origin


def _holds(value: Any, path: KeyPath) -> bool:
    """Whether something is written at a path."""
    for key in path:
        value = named(value)
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


def put(settings: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Set a value; a member of the same name keeps the parameters that are not set anew.

    An empty path takes in a mapping of settings as they are.
    """
    if not path:
        settings.update(_copied(value))
        return
    for key in path[:-1]:
        below = named(settings.get(str(key)))
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
    long = named(new)
    if not isinstance(old, dict) or not isinstance(long, dict):
        return _copied(new)
    if long.get("name", old.get("name")) != old.get("name"):
        return _copied(new)
    merged = {**old, **long}
    return {key: _copied(item) for key, item in merged.items()}
