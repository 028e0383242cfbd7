"""Points of a study that are refused, and the condition that keeps a parameter away from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganstudy.study.corner import Corner
from ganstudy.study.document import Document, Problem
from ganstudy.study.problem import dotted
from ganstudy.study.space import AnyParameter, Choice, Range
from ganstudy.study.yaml_text import in_flow

__all__ = ["Refused", "told"]


@dataclass(frozen=True)
class Refused:
    """A point of a study, as a `Corner` has it, and what is wrong with it."""

    index: tuple[int, ...]
    labels: Mapping[str, Any]
    values: Mapping[str, Any]
    problems: Sequence[Problem]

    @property
    def at(self) -> dict[str, Any]:
        """Its labels and values by the names of axes and parameters."""
        return {**self.labels, **self.values}


def told(
    document: Document,
    space: Sequence[AnyParameter],
    refused: Sequence[Refused],
    accepted: Sequence[Corner],
) -> Iterator[Problem]:
    """What is wrong with points; where others take a parameter, with the way out.

    That stands at the parameter, unless it is of some of its labels alone.
    """
    beside: dict[tuple[int, ...], list[Corner]] = {}
    for corner in accepted:
        beside.setdefault(corner.index, []).append(corner)
    groups: dict[tuple[str, str], list[tuple[Refused, Problem]]] = {}
    for point in refused:
        for problem in point.problems:
            here = _written_at(problem, space)
            key = (here.name if here else problem.key, problem.message)
            groups.setdefault(key, []).append((point, problem))
    for group in groups.values():
        points = [point for point, _ in group]
        here = _written_at(group[0][1], space)
        advice = ""
        if parameter := here or _cause(points, space, beside):
            beyond = "" if here else f" at {parameter.name}"
            advice = _way_out(parameter, space, points, accepted, beyond)
        for _, problem in group:
            message = problem.message + advice
            if here and advice and _of_all(here, points):
                yield document.problem(here.place, message)
            else:
                yield replace(problem, message=message)


def _written_at(problem: Problem, space: Sequence[AnyParameter]) -> AnyParameter | None:
    """The parameter below which a problem stands, if any."""
    found = [own for own in space if f"{problem.key}.".startswith(f"{dotted(own.place)}.")]
    return max(found, key=lambda own: len(own.name), default=None)


def _of_all(parameter: AnyParameter, points: Sequence[Refused]) -> bool:
    """Whether it is of a range, or of all labels of a list."""
    found = {point.values[parameter.name] for point in points}
    return isinstance(parameter, Range) or found >= {*parameter.labels}


def _cause(
    points: Sequence[Refused],
    space: Sequence[AnyParameter],
    beside: Mapping[tuple[int, ...], Sequence[Corner]],
) -> AnyParameter | None:
    """The parameter whose values tell points from those of the same arms that are taken, which
    stand `beside` them.
    """

    def tells(name: str) -> bool:
        return all(
            name in point.values
            and point.index in beside
            and all(own.values.get(name) != point.values[name] for own in beside[point.index])
            for point in points
        )

    return next((own for own in space if tells(own.name)), None)


def _way_out(
    parameter: AnyParameter,
    space: Sequence[AnyParameter],
    points: Sequence[Refused],
    accepted: Sequence[Corner],
    beyond: str,
) -> str:
    """`(where a is x; write `when: {a: y}`)` by what a condition may name, an axis or a list above,
    whose labels tell the points from those that are taken with the same values; empty if there is
    none.
    """
    above = (own for own in space[: space.index(parameter)] if isinstance(own, Choice))
    names = [*points[0].labels, *(own.name for own in above)]
    values = dict.fromkeys(point.values[parameter.name] for point in points)
    taken = [own for own in accepted if own.values.get(parameter.name) in values]
    others = [{**own.labels, **own.values} for own in taken]
    for name in names if others else ():
        bad = dict.fromkeys(point.at.get(name) for point in points)
        good = dict.fromkeys(own.get(name) for own in others)
        if bad.keys() & good.keys() or None in {*bad, *good}:
            continue
        where = f"{name} is {_either(bad)}"
        where += f" and {parameter.name} is {_either(values)}" if beyond else ""
        when = in_flow({name: [*good] if len(good) > 1 else next(iter(good))})
        written = f"when: {when}"
        if isinstance(parameter, Choice):
            written = f"{{values: ..., {written}}}"
        return f" (where {where}; write `{written}`{beyond})"
    return ""


def _either(labels: Mapping[Any, None]) -> str:
    return " or ".join(map(str, labels))
