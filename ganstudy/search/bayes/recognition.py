"""Points that a record can be of: read off its settings, to be proved by resolving them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ganstudy import kinds
from ganstudy.study.configuration import at
from ganstudy.study.space import AnyParameter, Range
from ganstudy.study.wording import member_class

__all__ = ["agrees", "candidates", "completed", "possible"]

ANYTHING = object()
"""The value of a setting that is in no canonical form: a record does not tell it."""


def completed(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings of a trial with those that its canonical form leaves out; empty if of no kind here.

    What is left out has its default, or `ANYTHING` if it is always left out.
    """
    name = settings["name"]
    if name not in kinds.family.names:
        return {}
    return {**_completed(kinds.family[name], settings), "kind": name}


def _completed(model: type[BaseModel], settings: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(settings)
    for name, field in model.model_fields.items():
        if field.exclude:
            whole[name] = ANYTHING
            continue
        if name not in whole:
            default = field.get_default(call_default_factory=True)
            whole[name] = default.model_dump() if isinstance(default, BaseModel) else default
        below = member_class(field, whole[name])
        if below is not None and isinstance(whole[name], Mapping):
            whole[name] = _completed(below, whole[name])
    return whole


def candidates(
    space: Sequence[AnyParameter], settings: Mapping[str, Any], arm: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Values of a space with which a trial of an arm might have these completed settings."""
    if not space:
        yield {}
        return
    first, rest = space[0], space[1:]
    if not first.active(arm):
        yield from candidates(rest, settings, arm)
        return
    for value in possible(first, settings):
        for values in candidates(rest, settings, {**arm, first.name: value}):
            yield {first.name: value, **values}


def possible(parameter: AnyParameter, settings: Mapping[str, Any]) -> list[Any]:
    """Values of one parameter that agree with completed settings."""
    if not isinstance(parameter, Range):
        pairs = zip(parameter.labels, parameter.bundles, strict=True)
        return [own for own, bundle in pairs if agrees(bundle, settings)]
    value = at(settings, parameter.name.split("."))
    if value is ANYTHING:
        return [parameter.low]
    # Fields of fractions keep 12 as 12.0.
    return [int(value) if parameter.whole else value] if parameter.holds(value) else []


def agrees(bundle: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether completed settings can have come from a bundle, which is a part of them."""

    def within(written: Any, resolved: Any) -> bool:
        if isinstance(written, str) and isinstance(resolved, Mapping):
            return written == resolved.get("name")
        if isinstance(written, Mapping) and isinstance(resolved, Mapping):
            return all(
                within(value, at(resolved, key.split("."))) for key, value in written.items()
            )
        # What is filled in, as a digest, was written as null.
        known = resolved is not ANYTHING and written is not None and not isinstance(written, list)
        return not known or bool(written == resolved)

    return within(bundle, settings)
