"""A study file as text: its values, where each of them stands, and what is wrong with them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode

from ganstudy.cause import one_line
from ganstudy.study.problem import KeyPath, Problem, StudyError, dotted, nearest
from ganstudy.study.references import BadReferenceError, escaped, resolved
from ganstudy.study.shared_file import KEY, PLACE, Written, over, within
from ganstudy.study.study_text import missing, study_text
from ganstudy.study.yaml_text import CHARACTERS, construct, lines, parse

__all__ = [
    "Document",
    "KeyPath",
    "Problem",
    "StudyError",
    "UnsharedError",
    "nearest",
    "read_document",
]


@dataclass(frozen=True)
class Document:
    """The values of a study file after overrides and references, with the place of each.

    text     the file as it was written, with each override in its place: order and comments stay;
             where it extends another, all that both amount to, without comments
    places   the file and the line of each key and each item
    shared   the file that it extends, if it does
    """

    path: Path
    text: str
    values: dict[str, Any]
    places: Mapping[KeyPath, str]
    overridden: Mapping[KeyPath, str]
    shared: Path | None = None

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at a key path, placed on the line of its nearest written ancestor."""
        key = dotted(path)
        for length in range(len(path), -1, -1):
            if (given := self.overridden.get(path[:length])) is not None:
                below = f"{key}: {message}" if length < len(path) else message
                return Problem("command line", given, below)
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return Problem(self.places[path[:length]], key, message)
        return Problem(str(self.path), key, message)


class UnsharedError(StudyError):
    """A study whose shared file cannot be read: only its own keys are known, with references as
    they are written.

    own  that much
    """

    def __init__(self, problems: Iterable[Problem], own: Document) -> None:
        super().__init__(problems)
        self.own = own


def read_document(path: Path, overrides: Iterable[str] = ()) -> Document:
    """Read a YAML 1.2 file, over the one that it `extends`; override, and resolve references.

    Overrides are `key.path=value`, references `${key.path}`. Top-level keys that begin with `x-`
    hold anchors, and are left out.

    Errors  `StudyError` for a file that is missing, empty, not YAML, too large, or not a mapping,
            for overrides and references that lead nowhere, and for what no file of its own could
            say as these do together; `UnsharedError` if the file that it extends is at fault.
    """
    overrides = tuple(overrides)
    text = study_text(path)
    whole, shared = _written(path, text), None
    try:
        shared = _shared(path, whole)
        if shared is not None:
            whole = over(whole, _written(shared, study_text(shared), shared=True))
    except StudyError as error:
        values = {key: x for key, x in whole.values.items() if key != KEY}
        try:
            overridden = _overridden(values, overrides)
        except StudyError as wrong:
            raise StudyError([*error.problems, *wrong.problems]) from None
        values = {key: x for key, x in values.items() if not str(key).startswith("x-")}
        own = Document(path, text, values, whole.places, overridden)
        raise UnsharedError(error.problems, own) from None
    values = whole.values
    values.pop(KEY, None)
    overridden = _overridden(values, overrides)
    document = Document(path, text, values, whole.places, overridden, shared)
    try:
        given = _given(values)
    except BadReferenceError as error:
        raise StudyError([document.problem(error.path, error.message)]) from None
    if unused := [own for own in overridden if _holds_anchors(str(own[0]), values)]:
        message = "changes nothing: {} holds anchors; override the keys that use them"
        raise StudyError(document.problem(own, message.format(own[0])) for own in unused)
    document = replace(document, values=given)
    if not (overridden or shared):
        return document
    return replace(document, text=_kept_text(document, overrides))


def _overridden(values: dict[str, Any], overrides: Iterable[str]) -> dict[KeyPath, str]:
    """What overrides change, which is changed in the values, by its key path.

    Errors  `StudyError`.
    """
    overridden: dict[KeyPath, str] = {}
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not equals or not key:
            message = "an override is written key.path=value"
            raise StudyError([Problem("command line", override, message)])
        if key == KEY:
            message = "the file that a study extends is named in the study"
            raise StudyError([Problem("command line", override, message)])
        overridden[_assign(values, key, _value(override))] = override
    return overridden


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with each reference resolved, without the keys that hold anchors.

    Errors  `BadReferenceError`.
    """
    return {key: value for key, value in resolved(values).items() if not key.startswith("x-")}


def _kept_text(document: Document, overrides: Iterable[str]) -> str:
    """The text by which a study is kept that was overridden, or extends another.

    All overrides are made again, as keys have the order in which they were first written.

    Errors  `StudyError` if it could not be read again as the same study.
    """
    path, shared = document.path, document.shared
    made = " ".join(overrides)
    heading = f"# overridden on the command line: {one_line(made)}\n" if made else ""
    if shared is not None:
        body = _dumped(escaped(document.values))
        heading = f"# {one_line(path.name)}, over {one_line(shared.name)}\n{heading}"
    else:
        node = parse(path, document.text, "rt")
        assert node is not None
        values = construct(node, "rt")
        for override in overrides:
            _assign(values, override.partition("=")[0], _value(override))
        body = _dumped(values)
    # As a file is read, in which every break of a line is one sign.
    text = io.StringIO(f"{heading}{body}", newline=None).getvalue()
    why = "its values would not be read as they are now"
    try:
        # As text, in which mappings have an order, and NaN is itself.
        if repr(_given(_written(path, text).values)) == repr(document.values):
            return text
    except StudyError as error:
        why = "; ".join(problem.message for problem in error.problems)
    except BadReferenceError as error:
        why = error.message
    where, key = ("command line", made) if made else (str(path), "")
    raise StudyError([Problem(where, key, f"cannot be kept as a file that says the same: {why}")])


def _holds_anchors(key: str, values: Mapping[str, Any]) -> bool:
    """Whether a top-level key is for anchors, which were read before any override, alone."""
    referred = re.search(rf"\$\{{\s*{re.escape(key)}\W", str(values))
    return key.startswith("x-") and referred is None


def _written(path: Path, text: str, *, shared: bool = False) -> Written:
    """The mapping that a file is, one that studies share or a study.

    Errors  `StudyError` for anything else.
    """
    node, what = parse(path, text), "a shared file" if shared else "a study file"
    if node is None:
        lacks = "a study needs a question" if not shared else "it has nothing to share"
        raise StudyError([Problem(str(path), "", f"the file is empty; {lacks}")])
    if not isinstance(node, MappingNode):
        message = f"{what} is a mapping of keys (question, trial, search, seeds, ...)"
        raise StudyError([Problem(f"{path}:1", "", message)])
    places = {key: f"{path}:{line}" for key, line in lines(node)}
    if shared and PLACE in places:
        raise StudyError([Problem(places[PLACE], KEY, "a shared file extends no other")])
    return Written(construct(node), places)


def _shared(path: Path, written: Written) -> Path | None:
    """The file that a study extends, None if it extends none.

    Errors  `StudyError` for one that is elsewhere than beside the study or below, or is not there.
    """
    if PLACE not in written.places:
        return None
    name = written.values[KEY]

    def refused(message: str) -> StudyError:
        return StudyError([Problem(written.places[PLACE], KEY, message)])

    if not isinstance(name, str) or not name:
        raise refused("the name of a file of settings that studies share")
    if (shared := within(path.parent, name)) is None:
        raise refused(f"{name}: a shared file lies beside its study, or in a folder below")
    if not shared.is_file():
        raise refused(f"{name}: {missing(shared, but=path.name)}")
    return shared


def _dumped(values: Any) -> str:
    """Values as YAML, those that were read with their comments with these."""
    stream = io.StringIO()
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = CHARACTERS
    if type(values) is dict:
        yaml.default_flow_style = None
    yaml.dump(values, stream)
    return stream.getvalue()


def _value(override: str) -> Any:
    """The value of an override.

    Errors  `StudyError`.
    """
    place = "command line"
    try:
        node = parse(place, override.partition("=")[2])
    except StudyError as error:
        said = (Problem(place, override, problem.message) for problem in error.problems)
        raise StudyError(said) from None
    return None if node is None else construct(node)


def _assign(values: dict[str, Any], key: str, value: Any) -> KeyPath:
    """Set `a.b.c` in nested mappings; a key with dots, such as an axis, matches as a whole.

    What an anchor shares between two places is changed at this one alone. The path is that of what
    is new: a mapping that was not there, or the value.
    """
    path: list[str] = []
    rest, made = key, 0
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
            return tuple(path[:made] if made else path)
        below = values.get(name)
        below = {"name": below} if isinstance(below, str) else below
        made = made or (0 if isinstance(below, dict) else len(path))
        values[name] = below.copy() if isinstance(below, dict) else {}
        values = values[name]
