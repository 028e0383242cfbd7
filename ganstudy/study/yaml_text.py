"""YAML as text: its nodes, bounded before anything is expanded, and every mistake with its line."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from ganstudy.study.problem import KeyPath, Problem, StudyError

__all__ = ["CHARACTERS", "VALUES", "construct", "in_flow", "lines", "parse"]

CHARACTERS = 200_000
"""Length of a study; numbers in such masses are data and have files of their own."""

VALUES = 20_000
"""Keys, values and lists in a study, each alias counted with all that it stands for."""

DEPTH = 40
"""How deep lists and mappings may lie in each other."""

DIGITS = 400
"""Length of a number: more than a float can hold in any notation."""

KEPT = 32
"""Texts whose trees are kept; what studies share was read anew with each of them."""

_TREES: dict[str, Node] = {}
"""Of the latest texts that are sound."""

_NUMBER = re.compile(r"[-+]?(0[xob][\da-fA-F_]+|[\d_.]+([eE][-+]?\d+)?)")


def parse(place: Path | str, text: str, form: Literal["safe", "rt"] = "safe") -> Node | None:
    """The node tree of a YAML text, None of an empty one.

    Keys are text, whatever they look like, and so are dates, which YAML 1.2 does not have.

    Errors  `StudyError`, with the line, for what is no YAML, has an anchor within itself, or would
            be larger than a study can be.
    """
    if len(text) > CHARACTERS:
        message = f"a study has {CHARACTERS:,} characters at most"
        raise StudyError(
            [Problem(str(place), "", f"{message}; data belong in a file of their own")]
        )
    if form == "safe" and text in _TREES:
        return _TREES[text]
    yaml = YAML(typ=form, pure=True)
    try:
        measure = _Measure(place)
        for event in yaml.parse(text):
            measure.see(event)
        node: Node | None = YAML(typ=form, pure=True).compose(text)
        if node is not None:
            _make_plain(place, node, set())
            construct(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{place}:{mark.line + 1}" if mark else str(place)
        said = f"{_in_words(error)}{_unquoted(text, error)}{_unseen(text, error)}"
        raise StudyError([Problem(where, "", f"not valid YAML: {said}")]) from None
    except ReaderError as error:
        where = f"{place}:{text.count(chr(10), 0, error.position) + 1}"
        message = f"holds the character U+{ord(text[error.position]):04X}, which YAML does not take"
        raise StudyError([Problem(where, "", f"not valid YAML: {message}")]) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise StudyError([Problem(str(place), "", f"not valid YAML: {error}")]) from None
    if form == "safe" and node is not None:
        if len(_TREES) == KEPT:
            _TREES.pop(next(iter(_TREES)), None)  # another thread may have been quicker
        _TREES[text] = node
    return node


def construct(node: Node, form: Literal["safe", "rt"] = "safe") -> Any:
    """The values of a node tree; equal text gives values that share no part with others."""
    yaml = YAML(typ=form, pure=True)
    if form == "safe":
        yaml.Constructor = _Constructor
    return yaml.constructor.construct_document(node)


def lines(node: Node, path: KeyPath = ()) -> Iterable[tuple[KeyPath, int]]:
    """The line, counted from 1, on which each key and each list item stands."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            yield place, key.start_mark.line + 1
            yield from lines(value, place)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from lines(value, (*path, index))


def in_flow(values: Mapping[str, Any] | Sequence[Any]) -> str:
    """Values as YAML on one line."""
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = True, 1000
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed as None
    yaml.dump(dict(values) if isinstance(values, Mapping) else [*values], stream)
    return stream.getvalue().strip()


class _Constructor(SafeConstructor):
    """It tells the line of what is no value of its tag, and leaves a tree without merges."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (LookupError, ValueError, OverflowError):
            if not isinstance(node, ScalarNode):
                raise
            said = f"{node.value!r} is no !!{str(node.tag).rpartition(':')[2]}"
            raise ConstructorError(None, None, said, node.start_mark) from None

    def flatten_mapping(self, node: Node) -> None:
        super().flatten_mapping(node)
        # What a mapping says of its own stands last; the other form takes no key twice.
        node.value = [*{key.value: (key, item) for key, item in node.value}.values()]


@dataclass
class _Open:
    """A list or mapping that has begun: its anchor, and what it holds so far."""

    anchor: str | None
    size: int = 1
    height: int = 1


@dataclass
class _Measure:
    """How large a text becomes once every alias is replaced by what it stands for."""

    place: Path | str
    open: list[_Open] = field(default_factory=lambda: [_Open(None)])
    known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def see(self, event: Event) -> None:
        """Take note of what comes next in the text.

        Errors  `StudyError`.
        """
        line = event.start_mark.line + 1
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            self.open.append(_Open(event.anchor))
            if len(self.open) > DEPTH:
                self._refuse(line, f"lists and mappings within each other, {DEPTH} deep and more")
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            closed = self.open.pop()
            self._add(line, closed.size, closed.height, closed.anchor)
        elif isinstance(event, ScalarEvent):
            if len(event.value) > DIGITS and _NUMBER.fullmatch(event.value) and not event.style:
                self._refuse(line, f"a number of {len(event.value):,} digits")
            self._add(line, 1, 1, event.anchor)
        elif isinstance(event, AliasEvent) and event.anchor in self.known:
            self._add(line, *self.known[event.anchor], None)
        elif isinstance(event, AliasEvent) and event.anchor in (o.anchor for o in self.open):
            self._refuse(line, "an anchor is used within itself")

    def _add(self, line: int, size: int, height: int, anchor: str | None) -> None:
        parent = self.open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if anchor is not None:
            self.known[anchor] = (size, height)
        if parent.size > VALUES:
            self._refuse(line, f"more than {VALUES:,} values, aliases counted in full")
        if parent.height + len(self.open) > DEPTH + 2:
            self._refuse(line, f"lists and mappings within each other, {DEPTH} deep and more")

    def _refuse(self, line: int, message: str) -> None:
        raise StudyError([Problem(f"{self.place}:{line}", "", message)])


def _in_words(error: MarkedYAMLError) -> str:
    """What is no YAML, and where the quote or bracket begins that nobody has closed."""
    problem, context = (" ".join((said or "").split()) for said in (error.problem, error.context))
    if not context.startswith("while"):
        return ", ".join(filter(None, (context, problem)))
    if "'\\t'" in problem:
        problem += "; indent with spaces"
    if error.context_mark is None:
        return problem
    return f"{problem}, {context} that begins on line {error.context_mark.line + 1}"


def _unquoted(text: str, error: MarkedYAMLError) -> str:
    """How a text is written that is no YAML for want of quotes."""
    problem, mark = " ".join((error.problem or "").split()), error.problem_mark
    before = text.split("\n")[mark.line][: mark.column] if mark else ""
    if problem.startswith("mapping values are not") and ": " in before:
        return "; quote a text that holds ': '"
    if "undefined alias" in problem or ("start any token" in problem and "'\\t'" not in problem):
        return "; quote a text that begins so"
    return "; quote the whole of a text" if problem.endswith("found '<scalar>'") else ""


def _unseen(text: str, error: MarkedYAMLError) -> str:
    """The line that looks right and is not, for a space or a mark that YAML does not take for one.

    It may be the line before that at which the parser gives up.
    """
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark]
    first, last = max(min(marks, default=0) - 1, 0), max(marks, default=0)
    for number, line in enumerate(text.split("\n")[first : last + 1], first + 1):
        for sign in line:
            if not sign.isascii() and unicodedata.category(sign) in ("Zs", "Cf"):
                return f"; line {number} has a {unicodedata.name(sign, 'sign').lower()}"
    return ""


_TEXT = "tag:yaml.org,2002:str"


def _make_plain(place: Path | str, node: Node, seen: set[int]) -> None:
    """Make text of keys, such as `8:`, `true:` and `null:`, and of what looks like a date.

    Errors  `StudyError` for a key that is no scalar, and for one that stands twice.
    """
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, ScalarNode):
        if node.tag == "tag:yaml.org,2002:timestamp":
            node.ctag = type(node.ctag)(suffix=_TEXT)
        return
    written: dict[str, int] = {}
    for item in node.value:
        if isinstance(node, MappingNode):
            key, item = item
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                message = "a key is a name, no list and no mapping"
                raise StudyError([Problem(f"{place}:{line}", "", message)])
            if key.value in written:
                told = f"duplicate key {key.value!r}, which stands on line {written[key.value]} too"
                raise StudyError([Problem(f"{place}:{line}", "", f"not valid YAML: {told}")])
            written[key.value] = line
            if key.tag != "tag:yaml.org,2002:merge":
                key.ctag = type(key.ctag)(suffix=_TEXT)
        _make_plain(place, item, seen)
