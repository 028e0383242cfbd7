"""`${key.path}`: values that stand elsewhere in the study, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.grammar.gen.OmegaConfGrammarParser import OmegaConfGrammarParser
from omegaconf.grammar_parser import parse

from ganstudy.study.problem import KeyPath, nearest

__all__ = ["BadReferenceError", "escaped", "resolved"]

CHARACTERS = 100_000
"""How long all values may become together."""

LINKS = 20
"""References in a row, each to a value that is one itself."""

_NESTED = re.compile(r"(?<!\\)(?:\\\\)*\$\{[^}]*\$\{")
_DOLLAR = re.compile(r"(\\*)\$\{")
_LONGEST = 10_000


class BadReferenceError(Exception):
    """A reference that leads nowhere, out of the study, or to more than a study can hold."""

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message


def resolved(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a study with each reference replaced by what it refers to.

    A reference is a path of keys. OmegaConf's resolvers are refused: they read the environment, and
    a study that somebody else wrote would print it.

    Errors  `BadReferenceError`.
    """
    texts = dict(_texts(values))
    if not texts:
        return dict(values)
    references = {path: list(_references(path, text)) for path, text in texts.items()}
    sizes: dict[KeyPath, int] = {}
    for path in texts:
        if _size(path, values, references, sizes, LINKS) > CHARACTERS:
            raise BadReferenceError(path, f"becomes longer than {CHARACTERS:,} characters")
    if sum(sizes.values()) > CHARACTERS:
        message = f"all together become longer than {CHARACTERS:,} characters"
        raise BadReferenceError(next(iter(texts)), message)
    try:
        container = OmegaConf.to_container(OmegaConf.create(dict(values)), resolve=True)
    except OmegaConfBaseException as error:
        where = tuple(str(error.full_key).split(".")) if error.full_key else ()
        near = "".join(_near(values, path, where) for path in references.get(where, ()))
        raise BadReferenceError(where, str(error.msg).splitlines()[0] + near) from None
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def _near(values: Mapping[str, Any], path: KeyPath, place: KeyPath) -> str:
    """Which key was meant by a reference that leads nowhere, but for that of the place itself;
    nothing of one that leads somewhere.
    """
    here: Any = values
    for number, key in enumerate(path):
        if not isinstance(here, Mapping):
            return ""
        if key not in here:
            return nearest(key, (own for own in here if (*path[:number], own) != place))
        here = here[key]
    return ""


def escaped(values: Any) -> Any:
    """Values in which no text is a reference: `resolved` gives what they were."""
    if isinstance(values, str):
        return _DOLLAR.sub(r"\1\1\\${", values)
    if isinstance(values, list):
        return [escaped(item) for item in values]
    if isinstance(values, Mapping):
        return {key: escaped(item) for key, item in values.items()}
    return values


def _texts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Every text that may hold a reference."""
    if isinstance(value, str) and "${" in value:
        yield path, value
    items = value.items() if isinstance(value, Mapping) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from _texts(item, (*path, key))


def _references(path: KeyPath, text: str) -> Iterator[KeyPath]:
    """The paths that a text refers to, by OmegaConf's own grammar."""
    if len(text) > _LONGEST:
        raise BadReferenceError(path, f"a text with references has {_LONGEST:,} characters at most")
    if _NESTED.search(text):
        raise BadReferenceError(path, "a reference within another is not taken")
    try:
        waiting: list[Any] = [parse(text)]
    except OmegaConfBaseException as error:
        raise BadReferenceError(path, str(error).splitlines()[0]) from None
    while waiting:
        here = waiting.pop()
        if isinstance(here, OmegaConfGrammarParser.InterpolationResolverContext):
            what = "a reference is a key path such as ${trial.steps}"
            raise BadReferenceError(path, f"{what}; {here.getText()!r} is a call, and not taken")
        if isinstance(here, OmegaConfGrammarParser.InterpolationNodeContext):
            yield _path(path, here.getText()[2:-1])
        waiting += getattr(here, "children", None) or []


def _path(place: KeyPath, text: str) -> KeyPath:
    """The key path of a reference; `.x` is beside its own key, `..x` beside that of its parent."""
    dots = len(text) - len(text.lstrip("."))
    keys = re.findall(r"[^.\[\]]+", text)
    return (*(place[: max(len(place) - dots, 0)] if dots else ()), *keys)


def _size(
    path: KeyPath,
    values: Mapping[str, Any],
    references: Mapping[KeyPath, list[KeyPath]],
    sizes: dict[KeyPath, int],
    links: int,
) -> int:
    """How long what stands at a path becomes; what leads nowhere is left to OmegaConf."""
    if path in sizes:
        if sizes[path] < 0:
            raise BadReferenceError(path, "references in a circle")
        return sizes[path]
    if links < 0:
        raise BadReferenceError(path, f"more than {LINKS} references in a row")
    sizes[path] = -1
    value: Any = values
    for key in path:
        if isinstance(value, list) and str(key).isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, Mapping) and key in value:
            value = value[key]
        else:
            sizes[path] = 0
            return 0
    size = len(value) if isinstance(value, str) else 1
    inner: Iterable[Any] = value if isinstance(value, Mapping) else ()
    inner = range(len(value)) if isinstance(value, list) else inner
    for below in (*references.get(path, ()), *((*path, key) for key in inner)):
        step = links - (below[: len(path)] != path or path in references)
        size = min(size + _size(below, values, references, sizes, step), 2 * CHARACTERS)
    sizes[path] = size
    return size
