"""The part of the schema that knows the keys of axes: key paths of trials, and their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["with_axes"]

Schema = dict[str, Any]

DEPTH = 4
"""Names in a key path, at most: `generator.optimizer.beta1` has three."""


def with_axes(schema: Schema) -> Schema:
    """The schema with the key paths of trials as keys of `grid`, `space` and `exclude`.

    The name of a list of values is a key path. A label of the author's own has bundles of settings,
    whose keys are key paths; as a key of `exclude` it can be anything that begins as none.
    """
    paths: dict[str, list[Schema]] = {}
    for number in range(len(schema["properties"]["trial"]["anyOf"])):
        start = f"#/properties/trial/anyOf/{number}"
        for path, reference in _paths(schema, start):
            paths.setdefault(path, []).append({"$ref": reference})
    values = {path: own[0] if len(own) == 1 else {"anyOf": own} for path, own in paths.items()}
    bundles: Schema = {
        "type": "object",
        "description": "labels, and what each sets",
        "additionalProperties": {
            "type": "object",
            "properties": {path: {"$ref": f"#/$defs/Setting.{path}"} for path in values},
            "additionalProperties": False,
        },
    }
    definitions = {f"Setting.{path}": own for path, own in values.items()}
    schema["$defs"] |= {"Bundles": bundles, **definitions}
    search = schema["$defs"]["SearchFile"]["properties"]
    search["grid"] |= _axes(values, [], [])
    groups = sorted({path.partition(".")[0] for path in values if "." in path})
    search["exclude"]["items"] |= {
        "properties": {path: _label(path) for path in values},
        "patternProperties": {rf"^(?!({'|'.join(groups)})\.)": {}},
        "additionalProperties": False,
    }
    for name, own in list(schema["$defs"].items()):
        space = own.get("properties", {}).get("space") if name.endswith("Keys") else None
        if space is not None:
            forms = [{"$ref": "#/$defs/RangeFile"}, {"$ref": "#/$defs/ChoiceFile"}]
            bundled = {"allOf": [forms[1], {"properties": {"values": {"type": "object"}}}]}
            space |= _axes(values, forms, [bundled])
    return schema


def _axes(values: Mapping[str, Schema], forms: list[Schema], labelled: list[Schema]) -> Schema:
    """Key paths with lists of their values, bundles, or other forms; labels with their own."""
    bundles = {"$ref": "#/$defs/Bundles"}
    return {
        "properties": {path: {"anyOf": [_list(path), *forms, bundles]} for path in values},
        "additionalProperties": {"anyOf": [*labelled, bundles]},
    }


def _list(path: str) -> Schema:
    return {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/Setting.{path}"}}


def _label(path: str) -> Schema:
    """A value of an axis, or the label of a bundle."""
    return {"anyOf": [{"$ref": f"#/$defs/Setting.{path}"}, {"type": ["string", "number"]}]}


def _paths(
    schema: Schema, pointer: str, above: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    """Key paths below a place of the schema, and where each is described."""
    here = _at(schema, pointer)
    if "$ref" in here:
        yield from _paths(schema, here["$ref"], above, depth)
        return
    for form in ("anyOf", "oneOf"):
        for number in range(len(here.get(form, ()))):
            yield from _paths(schema, f"{pointer}/{form}/{number}", above, depth)
    if depth < DEPTH:
        for name, own in here.get("properties", {}).items():
            # Which member a group is, is said by its own key.
            if not (name == "name" and "const" in own):
                path = f"{above}.{name}" if above else name
                yield path, f"{pointer}/properties/{name}"
                yield from _paths(schema, f"{pointer}/properties/{name}", path, depth + 1)


def _at(schema: Schema, pointer: str) -> Schema:
    here: Any = schema
    for key in pointer.removeprefix("#/").split("/"):
        here = here[int(key)] if isinstance(here, list) else here[key]
    return dict(here)
