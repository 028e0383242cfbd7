"""Points that a record can be of: read off its settings, to be proved by resolving them again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganstudy.study.configuration import at
from ganstudy.study.space import AnyParameter, Range

__all__ = ["agrees", "candidates"]


def candidates(
    space: Sequence[AnyParameter], settings: Mapping[str, Any], arm: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Values of a space with which a trial of an arm might have these resolved settings."""
    possible: list[list[Any]] = []
    for parameter in space:
        if isinstance(parameter, Range):
            value = at(settings, parameter.name.split("."))
            possible.append([value] if parameter.holds(value) else [None])
        else:
            pairs = zip(parameter.labels, parameter.bundles, strict=True)
            possible.append([x for x, bundle in pairs if agrees(bundle, settings)] or [None])
    for chosen in itertools.product(*possible):
        values: dict[str, Any] = {}
        for parameter, value in zip(space, chosen, strict=True):
            if parameter.active({**arm, **values}):
                values[parameter.name] = value
        if None not in values.values():
            yield values


def agrees(bundle: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether resolved settings can have come from a bundle, which is a part of them."""

    def within(written: Any, resolved: Any) -> bool:
        if isinstance(written, str) and isinstance(resolved, Mapping):
            return written == resolved.get("name")
        if isinstance(written, Mapping) and isinstance(resolved, Mapping):
            return all(
                within(value, at(resolved, key.split("."))) for key, value in written.items()
            )
        return isinstance(written, list) or bool(written == resolved)

    return within(bundle, settings)
