"""What every member of every family owes: a name, a source, defaults, and no siblings."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tiny import REQUIRED, example

from ganstudy.family import Family, Member, Part
from ganstudy.plugins import FAMILIES, families, family

FAMILY_OF: dict[type[Part], Family[Any]] = {
    part: family for family in families().values() for part in family
}
"""The member of a plug-in is in a family without being in its package."""
PARTS = list(FAMILY_OF)
MEMBERS = [part for part in PARTS if issubclass(part, Member)]
"""Those that are settings themselves, and whose parameters stand in a study's trials."""


def _identity(part: type[Part]) -> str:
    return part.__module__.removeprefix("ganstudy.")


@pytest.mark.parametrize("name", FAMILIES)
def test_each_public_file_is_a_member(name: str) -> None:
    """The family finds exactly the files and folders whose names begin with no underscore."""
    own = family(name)
    folder = Path(str(import_module(own.package).__file__)).parent
    files = {p.stem for p in folder.glob("*.py")} | {p.parent.name for p in folder.glob("*/*.py")}
    assert set(own.names) == {stem for stem in files if not stem.startswith("_")}
    assert own.names


@pytest.mark.parametrize("part", PARTS, ids=_identity)
def test_name_is_that_of_its_place(part: type[Part]) -> None:
    """The stem of its file, or its folder's name; a plug-in lies elsewhere."""
    file = Path(inspect.getfile(part))
    folder = Path(str(import_module(FAMILY_OF[part].package).__file__)).parent
    place = file.relative_to(folder).parts[0] if file.is_relative_to(folder) else file.name
    assert part.name == place.removesuffix(".py")


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_survives_a_round_trip_through_yaml(member: type[Member]) -> None:
    """By its name and its parameters."""
    family, name = FAMILY_OF[member], member.name
    own = example(member)
    assert family.from_config({"name": name, **REQUIRED.get(name, {})}) == own
    assert own.model_dump()["name"] == name
    assert family.from_config(own.model_dump()) == own


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_can_be_made_without_parameters(member: type[Member]) -> None:
    """No abstract method is left, and nearly every parameter has a default; all are described."""
    assert not inspect.isabstract(member)
    for name, field in member.model_fields.items():
        assert not field.is_required() or name in REQUIRED[member.name], name
        assert field.description, f"parameter {name} says in no description what it is"


@pytest.mark.parametrize("member", PARTS, ids=_identity)
def test_docstring_says_what_it_is(member: type[Part]) -> None:
    """The first line is a sentence of its own."""
    lines = inspect.cleandoc(member.__dict__["__doc__"] or "").splitlines()
    assert lines, f"{member.name} has no docstring"
    assert lines[0].endswith("."), f"{lines[0]!r}, its first line, ends without a full stop"
    assert len(lines) == 1 or not lines[1], "no empty line is below the first one"


@pytest.mark.parametrize(
    "member",
    [m for m in MEMBERS if not m.__module__.endswith(".none")],
    ids=_identity,
)
def test_docstring_names_the_source(member: type[Member]) -> None:
    """Every formula has a source; the identity needs none."""
    lines = (member.__doc__ or "").splitlines()
    sources = [line for line in lines if line.strip().startswith("Source  ")]
    assert sources, "no line begins with Source and two spaces"


@pytest.mark.parametrize("member", [own for own in PARTS if not own.plugin], ids=_identity)
def test_members_do_not_import_their_siblings(member: type[Part]) -> None:
    """A member's file, or folder, can be deleted without breaking another one.

    A plug-in may build on a member of the package.
    """
    family = FAMILY_OF[member]
    siblings = {f"{family.package}.{n}" for n in family.names if n != member.name}
    file = Path(inspect.getfile(member))
    files = file.parent.rglob("*.py") if file.parent.name == member.name else [file]
    imported: set[str] = set()
    for node in (n for f in files for n in ast.walk(ast.parse(f.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {str(node.module), *(f"{node.module}.{a.name}" for a in node.names)}
    shared = "what members share is in a file beside them that begins with an underscore"
    assert imported & siblings == set(), shared


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_settings_are_frozen_and_closed(member: type[Member]) -> None:
    """A misspelt parameter is an error, and a member never changes."""
    with pytest.raises(ValueError, match="no_such_parameter"):
        member.model_validate({"no_such_parameter": 1.0})
    own: Any = example(member)
    for name in member.model_fields:
        with pytest.raises(ValueError, match="frozen"):
            setattr(own, name, getattr(own, name))
