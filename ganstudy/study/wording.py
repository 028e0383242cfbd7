"""From pydantic's errors about settings to the words of a study file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ganstudy.family import FamilyField
from ganstudy.plural import plural
from ganstudy.settings import shortened
from ganstudy.study.document import KeyPath, nearest
from ganstudy.study.problem import closest, dotted
from ganstudy.study.yaml_text import in_flow

__all__ = [
    *("in_member", "key_paths", "member_class", "mistakes", "named", "plain_message"),
    *("setting_message", "varied", "written_path"),
]


def named(value: Any) -> Any:
    """The long form of a family member: `"ring"` is `{"name": "ring"}`."""
    return {"name": value} if isinstance(value, str) else value


def written_path(location: Sequence[Any], settings: Any, kind: type[BaseModel]) -> KeyPath:
    """Pydantic's location without the names that it inserts at families and other unions."""
    path: list[str | int] = []
    here = settings
    for item in location:
        if (isinstance(here, Mapping) and item in here) or (
            isinstance(here, list | tuple) and isinstance(item, int) and item < len(here)
        ):
            here = here[item]
            path.append(item)
    # A key that is not written may be what is wrong.
    last = location[-1] if location else None
    absent = isinstance(here, Mapping) and last not in here and isinstance(last, str)
    if absent and _field(kind, settings, (*path, str(last))) is not None:
        path.append(str(last))
    return tuple(path)


def setting_message(entry: Any, path: KeyPath, settings: Any, kind: type[BaseModel]) -> str:
    """What an error at a path of a kind's settings says."""
    if entry["type"] == "extra_forbidden":
        valid = list(key_paths(kind, settings))
        parent = dotted(path[:-1])
        siblings = [k.removeprefix(f"{parent}.") for k in valid if k.rpartition(".")[0] == parent]
        within = f" in {parent}" if parent else ""
        near = [k for k in valid if len(path) < 2 or k.partition(".")[0] == path[0]]
        if path == ("trial",) and settings["trial"] and isinstance(settings["trial"], Mapping):
            return f"key paths begin below trial; did you mean {_first(settings['trial'])!r}?"
        return f"no such key {path[-1]!r}{within}{nearest(path[-1], siblings, elsewhere=near)}"
    if entry["type"] == "family_name":
        name = entry["ctx"]["name"]
        return f"unknown name {name!r}{nearest(str(name), entry['ctx']['names'])}"
    if entry["type"] == "missing" and path[-1:] != entry["loc"][-1:]:
        return f"key {entry['loc'][-1]!r} of it is required"  # of a name alone
    return plain_message(entry, _field(kind, settings, path))


def varied(entry: Any, path: KeyPath) -> str:
    """How a list of values is written that are to be compared; empty for all other mistakes."""
    one = entry["type"] in _IN_WORDS and _IN_WORDS[entry["type"]] != _LIST
    one = one or entry["type"] in ("family_member", "literal_error")
    if not one or not isinstance(entry["input"], list) or any(isinstance(k, int) for k in path):
        return ""
    return f"; to vary it, make it an axis: search.grid.{dotted(path)}"


def _first(settings: Mapping[str, Any]) -> str:
    """The first key path of settings."""
    key, value = next(iter(settings.items()), ("", None))
    return f"{key}.{_first(value)}" if isinstance(value, Mapping) and value else str(key)


def _field(kind: type[BaseModel], settings: Any, path: KeyPath) -> FieldInfo | None:
    """The field at a place of settings, if there is one."""
    model: type[BaseModel] | None = kind
    field: FieldInfo | None = None
    for key in path:
        if isinstance(key, str):
            model = kind if field is None else member_class(field, settings)
            field = model.model_fields.get(key) if model else None
            if field is None:
                return None
        long = named(settings)
        if isinstance(long, Mapping):
            settings = long.get(key)
        else:
            listed = isinstance(long, list | tuple) and isinstance(key, int)
            settings = long[key] if listed else None
    return field


def plain_message(entry: Any, field: FieldInfo | None = None) -> str:
    """Pydantic's message with the value that it is about, shortened to fit a line.

    field  what the value is of: it says in what a number is counted, if a unit stands behind one
    """
    message = entry["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "should be")
    if entry["type"] == "value_error":
        return str(message)
    if entry["type"] == "missing":
        return "this key is required"
    if entry["type"] == "too_short":
        message = f"should have at least {plural(entry['ctx']['min_length'], 'item')}"
    if entry["type"] == "family_form":
        form = entry["ctx"]["form"]
        return f"{next(iter(form.values()))!r} is a name; write {in_flow(form)}"
    said, advice = _IN_WORDS.get(entry["type"], message), ""
    if entry["type"] == "string_type" and isinstance(entry["input"], Mapping):
        advice = "; quote a text that holds ': '"
    elif said == _LIST and isinstance(entry["input"], str | int | float):
        advice = f"; write {in_flow([entry['input']])}"
    elif entry["type"] in _OF_NUMBERS and _WITH_UNIT.fullmatch(str(entry["input"])):
        said += ", without a unit"
        advice = f": {field.description}" if field and field.description else ""
    return f"{said} (got {shortened(entry['input'])}){advice}"


def mistakes(error: ValidationError) -> Iterator[Any]:
    """Errors of pydantic but those that follow from others: a list is called too short only because
    what stands in it is a mistake, and a key is missed that is there under another name.
    """
    entries = error.errors()
    for entry in entries:
        above = [e for e in entries if e["loc"][:-1] == entry["loc"][:-1]]
        unknown = [str(e["loc"][-1]) for e in above if e["type"] == "extra_forbidden"]
        missing = [str(e["loc"][-1]) for e in above if e["type"] == "missing"]
        meant = {name for word in unknown for name in closest(word, missing)}
        short = entry["type"] == "too_short"
        short = short and len(entry["input"]) >= int(entry["ctx"]["min_length"])
        if not short and (entry["type"] != "missing" or str(entry["loc"][-1]) not in meant):
            yield entry


_LIST = "should be a list"
_WHOLE, _FRACTION = ("int_type", "int_parsing", "int_from_float"), ("float_type", "float_parsing")
_OF_NUMBERS = (*_WHOLE, *_FRACTION)
_WITH_UNIT = re.compile(r"\s*[-+]?\d[\d_.,]*\s*[^\W\d].*")

_IN_WORDS = {
    **dict.fromkeys(("dict_type", "model_type", "mapping_type"), "should be a mapping of keys"),
    **dict.fromkeys(("tuple_type", "list_type"), _LIST),
    **dict.fromkeys(_WHOLE, "should be a whole number"),
    **dict.fromkeys(_FRACTION, "should be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    "string_type": "should be text",
}
"""What pydantic says of Python's types, which a file of YAML does not have."""


def key_paths(model: type[BaseModel], settings: Any, prefix: str = "") -> Iterator[str]:
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
                yield from key_paths(member, named(item), path)


def member_class(field: FieldInfo, value: Any) -> type[BaseModel] | None:
    """The model behind a field: a nested group of settings, or the family member it names."""
    markers = _families(field) if isinstance(value, str | Mapping) else field.metadata
    for marker in markers:
        if isinstance(marker, FamilyField):
            long = named(value)
            name = long.get("name", marker.default) if isinstance(long, dict) else marker.default
            found = marker.family[name] if name in marker.family.names else None
            return found if found is None or issubclass(found, BaseModel) else None
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for group in _parts(annotation):
        if isinstance(value, Mapping) and isinstance(group, type) and issubclass(group, BaseModel):
            return group
    return None


def in_member(model: type[BaseModel], path: KeyPath) -> bool:
    """Whether a place of settings lies within a member, in whose place another may come."""
    below: type[BaseModel] | None = model
    for key in path:
        field = below.model_fields.get(str(key)) if below else None
        if field is None:
            return False
        if _families(field):
            return True
        below = member_class(field, {})
    return False


def _families(field: FieldInfo) -> list[FamilyField]:
    """The families whose members can stand in a field, alone or in a list."""
    parts = (*field.metadata, *_parts(field.annotation))
    return [part for part in parts if isinstance(part, FamilyField)]


def _parts(annotation: Any) -> Iterator[Any]:
    """What a type is made of, and how its parts are marked."""
    yield annotation
    for own in get_args(annotation):
        yield from _parts(own)
