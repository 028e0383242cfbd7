"""A study file as text: its values, where each of them stands, and what is wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

__all__ = ["Document", "KeyPath", "Problem", "StudyError", "nearest", "read_document"]

KeyPath = tuple[str | int, ...]

_SHOWN = 10
"""Problems that a message lists: more than a screen of them helps nobody."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a study: where it stands and what to do about it."""

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.key, self.message) if part)


class StudyError(Exception):
    """A study that cannot be run as it is written; lists every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"and {len(self.problems) - _SHOWN} more")
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class Document:
    """The values of a study file after overrides and interpolation, with the line of each."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[KeyPath, int]
    overridden: Mapping[KeyPath, str]

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at a key path, placed on the line of its nearest written ancestor."""
        key = ".".join(map(str, path))
        for length in range(len(path), -1, -1):
            if path[:length] in self.overridden:
                return Problem("command line", self.overridden[path[:length]], message)
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return Problem(f"{self.path}:{self.lines[path[:length]]}", key, message)
        return Problem(str(self.path), key, message)


def nearest(name: object, choices: Iterable[str]) -> str:
    """Advice that ends an error message: the closest valid choice, or all of them if few."""
    valid = sorted(choices)
    close = difflib.get_close_matches(str(name), valid, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; valid: {', '.join(valid)}" if valid else ""


def read_document(path: Path, overrides: Iterable[str] = ()) -> Document:
    """Read a YAML 1.2 file, apply `key.path=value` overrides and resolve `${...}` references.

    Errors  `StudyError` for a file that is missing, empty, not YAML, or not a mapping, and for
            overrides and references that lead nowhere.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError([Problem(str(path), "", _missing(path))]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError([Problem(str(path), "", f"cannot be read: {error}")]) from None
    node = _parse(path, text)
    if node is None:
        raise StudyError([Problem(str(path), "", "the file is empty; a study needs a question")])
    if not isinstance(node, MappingNode):
        message = "a study file is a mapping of keys (question, trial, search, seeds, ...)"
        raise StudyError([Problem(f"{path}:1", "", message)])
    values = YAML(typ="safe", pure=True).load(text)
    overridden: dict[KeyPath, str] = {}
    for override in overrides:
        key, equals, written = override.partition("=")
        if not equals or not key:
            message = "an override is written key.path=value"
            raise StudyError([Problem("command line", override, message)])
        _parse(Path("command line"), written)
        overridden[_assign(values, key, YAML(typ="safe", pure=True).load(written))] = override
    document = Document(path, values, dict(_lines(node)), overridden)
    try:
        resolved = OmegaConf.to_container(OmegaConf.create(values), resolve=True)
    except OmegaConfBaseException as error:
        where = tuple(str(error.full_key).split(".")) if error.full_key else ()
        message = str(error.msg).splitlines()[0]
        raise StudyError([document.problem(where, message)]) from None
    assert isinstance(resolved, dict)
    return Document(path, {str(k): v for k, v in resolved.items()}, document.lines, overridden)


def _missing(path: Path) -> str:
    folder = path.parent
    studies = [p.name for p in folder.glob("*.y*ml")] if folder.is_dir() else []
    return f"no such file{nearest(path.name, studies)}"


def _parse(path: Path, text: str) -> Node | None:
    """The node tree of a YAML text."""
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
        YAML(typ="safe", pure=True).load(text)
        if node is not None:
            _refuse_cycles(path, node, ())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        message = " ".join(str(error.problem or error.context or "").split())
        raise StudyError([Problem(place, "", f"not valid YAML: {message}")]) from None
    except YAMLError as error:
        raise StudyError([Problem(str(path), "", f"not valid YAML: {error}")]) from None
    return node


def _refuse_cycles(path: Path, node: Node, above: tuple[int, ...]) -> None:
    """An anchor may be used many times, but not within itself."""
    if id(node) in above:
        place = f"{path}:{node.start_mark.line + 1}"
        raise StudyError([Problem(place, "", "an anchor is used within itself")])
    if isinstance(node, MappingNode | SequenceNode):
        for item in node.value:
            for child in item if isinstance(item, tuple) else (item,):
                _refuse_cycles(path, child, (*above, id(node)))


def _lines(node: Node, path: KeyPath = ()) -> Iterable[tuple[KeyPath, int]]:
    """The line, counted from 1, on which each key and each list item stands."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            yield place, key.start_mark.line + 1
            yield from _lines(value, place)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index))


def _assign(values: dict[str, Any], key: str, value: Any) -> KeyPath:
    """Set `a.b.c` in nested mappings; a key with dots, such as an axis, matches as a whole."""
    path: list[str] = []
    rest = key
    while True:
        known = [k for k in map(str, values) if rest == k or rest.startswith(k + ".")]
        # The name of an axis or a parameter that is not in the file yet may hold dots as well.
        in_space = len(path) == 3 and path[0] == "search" and path[2] == "space"
        whole = path == ["search", "grid"] or in_space
        new = rest if whole else rest.split(".")[0]
        name = max(known, key=len, default=new)
        path.append(name)
        rest = rest[len(name) + 1 :]
        if not rest:
            values[name] = value
            return tuple(path)
        below = values.get(name)
        below = {"name": below} if isinstance(below, str) else below
        values[name] = below if isinstance(below, dict) else {}
        values = values[name]
