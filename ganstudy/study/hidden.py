"""Overrides that change nothing, since an axis or a parameter sets the same key afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganstudy.study.configuration import Assignment, at, leaves, put
from ganstudy.study.document import Document, KeyPath, Problem
from ganstudy.study.problem import dotted

__all__ = ["hidden_overrides"]


def hidden_overrides(
    document: Document,
    shared: Mapping[str, Any],
    points: Sequence[Sequence[Assignment]],
) -> Iterator[Problem]:
    """Each override below `trial` of which a value is in force at no point.

    points  the assignments of each
    """
    for path in document.overridden:
        if path[:1] != ("trial",) or not points:
            continue
        for leaf, _ in leaves(at(shared, path[1:]), path[1:]):
            by = {_hiding(shared, leaf, assignments) for assignments in points}
            if None in by:
                continue
            key = dotted(leaf)
            where = dotted(sorted(by, key=str)[0] or ())
            message = f"changes nothing: at every point {key!r} is set by {where}; override that"
            yield document.problem(path, message)


def _hiding(
    shared: Mapping[str, Any], leaf: KeyPath, assignments: Sequence[Assignment]
) -> KeyPath | None:
    """The place of what takes the place of a value; None if nothing does.

    A mark in place of the value goes the way that the value would; of a text it may be that of a
    member's name, which stays where its parameters are set.
    """
    mark = object()
    settings: dict[str, Any] = {}
    put(settings, (), shared)
    if isinstance(at(shared, leaf), str):
        put(settings, leaf, {"name": mark})
        leaf = (*leaf, "name")
    else:
        put(settings, leaf, mark)
    for path, value, origin in sorted(assignments, key=lambda assignment: len(assignment[0])):
        put(settings, path, value)
        if at(settings, leaf) is not mark:
            return origin[:4] if origin[:2] == ("search", "bayes") else origin[:3]
    return None
