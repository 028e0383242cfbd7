"""What every member of every family owes: a name, a source, defaults, and no siblings."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tiny import REQUIRED, example

from ganstudy.family import Family, Member
from ganstudy.plugins import FAMILIES, families, family

FAMILY_OF: dict[type[Member], Family[Any]] = {
    member: family for family in families().values() for member in family
}
"""The member of a plug-in is in a family without being in its package."""
MEMBERS = list(FAMILY_OF)


def _identity(member: type[Member]) -> str:
    return member.__module__.removeprefix("ganstudy.")


@pytest.mark.parametrize("name", FAMILIES)
def test_each_public_file_is_a_member(name: str) -> None:
    """The family finds exactly the files and folders whose names begin with no underscore."""
    own = family(name)
    folder = Path(str(import_module(own.package).__file__)).parent
    files = {p.stem for p in folder.glob("*.py")} | {p.parent.name for p in folder.glob("*/*.py")}
    assert set(own.names) == {stem for stem in files if not stem.startswith("_")}
    assert own.names


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_name_is_the_stem_of_the_file_or_the_folder(member: type[Member]) -> None:
    """The name in study files is that of its place, and it survives a round trip through YAML."""
    family = FAMILY_OF[member]
    file = Path(inspect.getfile(member))
    stem = file.parent.name if file.stem == "kind" else file.stem
    assert member.name == stem
    own = example(member)
    assert family.from_config({"name": stem, **REQUIRED.get(stem, {})}) == own
    assert own.model_dump()["name"] == stem
    assert family.from_config(own.model_dump()) == own


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_can_be_made_without_parameters(member: type[Member]) -> None:
    """No abstract method is left, and nearly every parameter has a default; all are described."""
    assert not inspect.isabstract(member)
    for name, field in member.model_fields.items():
        assert not field.is_required() or name in REQUIRED[member.name], name
        assert field.description, name


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_docstring_says_what_it_is(member: type[Member]) -> None:
    """The first line is a sentence of its own."""
    lines = inspect.cleandoc(member.__dict__["__doc__"] or "").splitlines()
    assert lines
    assert lines[0].endswith(".")
    assert len(lines) == 1 or not lines[1]


@pytest.mark.parametrize(
    "member",
    [m for m in MEMBERS if not m.__module__.endswith(".none")],
    ids=_identity,
)
def test_docstring_names_the_source(member: type[Member]) -> None:
    """Every formula has a source; the identity needs none."""
    assert any(line.strip().startswith("Source  ") for line in (member.__doc__ or "").splitlines())


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_members_do_not_import_their_siblings(member: type[Member]) -> None:
    """A member's file, or folder, can be deleted without breaking another one."""
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
    assert not imported & siblings


@pytest.mark.parametrize("member", MEMBERS, ids=_identity)
def test_settings_are_frozen_and_closed(member: type[Member]) -> None:
    """A misspelt parameter is an error, and a member never changes."""
    with pytest.raises(ValueError, match="no_such_parameter"):
        member.model_validate({"no_such_parameter": 1.0})
    own: Any = example(member)
    for name in member.model_fields:
        with pytest.raises(ValueError, match="frozen"):
            setattr(own, name, getattr(own, name))
