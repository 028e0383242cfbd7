"""Keys that two parts of a study set: one would silently undo the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from ganstudy.study.configuration import leaves
from ganstudy.study.document import KeyPath, Problem
from ganstudy.study.problem import dotted
from ganstudy.study.space import AnyParameter, Choice, Range
from ganstudy.study.study import Axis, Study

__all__ = ["conflicts"]


def conflicts(study: Study, set_by: Mapping[str, str]) -> Iterator[Problem]:
    """Axes or parameters that set the same key at some point: one would silently undo the other.

    set_by  what sets keys beside these
    """
    owners = {key: {by: _Labels()} for key, by in set_by.items()}
    dimensions: dict[str, str] = {}
    needed: dict[str, _Labels] = {}
    placed: list[tuple[Axis | AnyParameter, KeyPath, str]] = [
        *((axis, ("search", "grid", axis.name), "axis") for axis in study.axes),
        *((parameter, parameter.place, "parameter") for parameter in study.space),
    ]
    for own, place, what in placed:
        name = f"{what} {own.name!r}"
        needed[own.name] = _needed(own, needed)
        for key, labels in sorted(_set_at(own).items()):
            there = _both(needed[own.name], labels)
            known = owners.setdefault(key, {})
            for by, where in known.items():
                if _meet(_both(where, there), study):
                    yield study.document.problem(place, f"{key!r} is set by {by} as well")
                    break
            known.setdefault(name, there)
        other = dimensions.setdefault(own.dimension.lower(), name)
        # One that sets the same key stands under the same name, and that has been told.
        if other not in (name, f"axis {own.name!r}", f"parameter {own.name!r}"):
            # Dimensions become files, and some file systems do not tell case apart.
            message = f"has the same dimension as {other}, but for case at most"
            yield study.document.problem(place, message)


_Labels = dict[str, set[Any]]
"""Labels that axes and parameters have where something is so, by their names; others any."""


def _needed(own: Axis | AnyParameter, above: Mapping[str, _Labels]) -> _Labels:
    """Where it takes part: a condition asks for what the parameter that it names asks for, too."""
    found: _Labels = {}
    for name, labels in () if isinstance(own, Axis) else own.when.items():
        found = _both(found, _both({name: set(labels)}, above[name]))
    return found


def _set_at(own: Axis | AnyParameter) -> dict[str, _Labels]:
    """The keys that it sets, and at which of its labels; a member is one value and its settings."""
    if isinstance(own, Range):
        return {own.name: {}}
    found: dict[str, _Labels] = {}
    bundles = own.bundles if isinstance(own, Choice) else own.settings
    for at, bundle in zip(own.labels, bundles, strict=True):
        for path, _ in leaves(bundle):
            if path:
                found.setdefault(dotted(path), {own.name: set()})[own.name].add(at)
    return found


def _both(one: _Labels, other: _Labels) -> _Labels:
    """Where both are so."""
    shared = {name: one[name] & other[name] for name in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _meet(both: _Labels, study: Study) -> bool:
    """Whether there is a point with these labels that is not excluded."""
    if not all(both.values()):
        return False
    named = set[str]().union(*study.excluded)
    axes = {own.name: both.get(own.name, own.labels) for own in study.axes if own.name in named}
    points = (dict(zip(axes, labels, strict=True)) for labels in itertools.product(*axes.values()))
    return not all(map(study.excludes, points))
