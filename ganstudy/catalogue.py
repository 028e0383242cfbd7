"""What families have, as `ganstudy list` prints it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel

from ganstudy.family import Family, Part
from ganstudy.terminal import answer

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["print_members"]


def print_members(family: Family[Any], as_json: bool) -> None:
    """Print the members of a family with their parameters, formulas and sources; of one whose
    package is not installed, which it is."""
    described = [_described(family, name) for name in family.names]
    if as_json:
        answer(described)
        return
    for member in described:
        click.echo(f"{member['name']}: {member['summary']}")
        for key, about in member["parameters"].items():
            click.echo(f"    {key} = {about['default']}  ({about['description']})")
        if member["implies"]:
            click.echo(f"    implies, where a study leaves it out: {_yaml(member['implies'])}")
        for section in ("maths", "source"):
            if member[section]:
                click.echo(f"    {section}: {member[section]}")


def _described(family: Family[Any], name: str) -> dict[str, Any]:
    """A member of a family as plain values: summary, formulas, source, parameters."""
    try:
        member: type[Part] = family[name]
    except ModuleNotFoundError as error:  # an executor's, whose extra has its name
        needs = f"needs {error.name}, which is not installed: pip install 'ganstudy[{name}]'"
        return {**_NOTHING, "name": name, "summary": needs}
    lines = (member.__doc__ or "").strip().splitlines()
    return {
        "name": name,
        "summary": lines[0] if lines else "",
        "maths": _section(lines, "Maths"),
        "source": _section(lines, "Source"),
        "parameters": {
            name: {"default": _default(info), "description": info.description}
            for name, info in member.parameters_of().items()
        },
        "implies": dict(getattr(member, "defaults", {})),
    }


_NOTHING: Mapping[str, Any] = {"maths": "", "source": "", "parameters": {}, "implies": {}}
"""What is told of a member that cannot be imported."""


def _default(info: FieldInfo) -> str:
    """As a study file has it."""
    return "required" if info.is_required() else _yaml(info.get_default(call_default_factory=True))


def _yaml(value: Any) -> str:
    """A default in YAML on one line; a member with its own defaults is its name."""
    if isinstance(value, BaseModel):
        named = {"name": value.name} if isinstance(value, Part) else {}
        changed = value.model_fields_set if named else type(value).model_fields
        own = {name: getattr(value, name) for name in changed}
        return _yaml(named | own) if own else str(named.get("name", "{}"))
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_yaml(own)}' for name, own in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_yaml, value))}]"
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _section(lines: Sequence[str], name: str) -> str:
    """A part of a docstring in one line: from its name to that of the next; empty without it."""
    found: list[str] = []
    for words in (line.split() for line in lines):
        if words and words[0] in ("Maths", "Shapes", "Errors", "Source"):
            if found:
                break
            found = words if words[0] == name else []
        elif found:
            found += words
    return " ".join(found[1:])
