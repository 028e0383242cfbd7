"""The space of a search: from what a study file writes to its parameters, and mistakes in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganstudy.family import label
from ganstudy.search.bayes.parameter_keys import ChoiceFile, ParameterFile, RangeFile
from ganstudy.settings import tolerated
from ganstudy.study.document import Document, KeyPath, Problem, nearest
from ganstudy.study.space import AnyParameter, Choice, Range, labelled

__all__ = ["parameters"]


def parameters(
    document: Document,
    written_space: Mapping[str, ParameterFile],
    axes: Mapping[str, tuple[Any, ...]],
    problems: list[Problem],
) -> Iterator[AnyParameter]:
    """The parameters of a space; `axes` are the labels of the grid, which a condition may name."""
    known: dict[str, tuple[Any, ...]] = dict(axes)
    if not written_space:
        message = "a space needs at least one parameter"
        problems.append(document.problem(("search", "bayes", "space"), message))
    for name, written in written_space.items():
        place = ("search", "bayes", "space", name)
        when: dict[str, tuple[Any, ...]] = {}
        if isinstance(written, RangeFile | ChoiceFile):
            later = [other for other in written_space if other not in known]
            when = dict(_conditions(document, place, written.when, known, later, problems))
        if isinstance(written, RangeFile):
            yield _range(document, place, name, written, when, problems)
            continue
        values = written.values if isinstance(written, ChoiceFile) else written
        inner = (*place, "values") if isinstance(written, ChoiceFile) else place
        choice = _choice(document, inner, name, values, when, problems)
        known[name] = choice.labels
        yield choice


def _range(
    document: Document,
    place: KeyPath,
    name: str,
    file: RangeFile,
    when: Mapping[str, tuple[Any, ...]],
    problems: list[Problem],
) -> Range:
    if file.low > file.high:
        message = f"low is above high ({file.low} > {file.high})"
        problems.append(document.problem((*place, "low"), message))
    if file.log and file.low <= 0:
        message = f"a logarithmic range needs low above 0 (got {file.low})"
        problems.append(document.problem((*place, "low"), message))
    if file.log and file.step is not None:
        message = "a logarithmic range has no step; leave out log or step"
        problems.append(document.problem((*place, "step"), message))
    if file.step is not None and not file.log:
        last = file.low + file.step * math.floor((file.high - file.low) / file.step + 1e-9)
        if abs(last - file.high) > 1e-9 * max(abs(file.high), 1):
            message = f"not a whole number of steps above low; the nearest below is {last:g}"
            problems.append(document.problem((*place, "high"), message))
    whole = isinstance(file.low, int) and isinstance(file.high, int)
    low, high = (file.low, file.high) if whole else (float(file.low), float(file.high))
    if whole and isinstance(file.step, float):
        message = f"whole bounds need a whole step (got {file.step}); or write a bound as a float"
        problems.append(document.problem((*place, "step"), message))
    return Range(name, place, when, low, high, file.log, file.step)


def _choice(
    document: Document,
    place: KeyPath,
    name: str,
    values: list[Any] | dict[str, dict[str, Any]],
    when: Mapping[str, tuple[Any, ...]],
    problems: list[Problem],
) -> Choice:
    if not values:
        problems.append(document.problem(place, "a parameter needs at least one value"))
    labels, bundles, places = labelled(document, place, name, values, problems)
    return Choice(name, place[:4], when, labels, bundles, places)


def _conditions(
    document: Document,
    place: KeyPath,
    when: Mapping[str, Any],
    known: Mapping[str, tuple[Any, ...]],
    later: Sequence[str],
    problems: list[Problem],
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, written in when.items():
        where = (*place, "when", name)
        if name not in known:
            message = f"no list of values above, and no axis, has this name{nearest(name, known)}"
            if name in later:
                message = "a condition names a list of values that stands above it, or an axis"
            problems.append(document.problem(where, message))
            continue
        asked = [label(v) for v in (written if isinstance(written, list) else [written])]
        message = "names no value, so that it is never searched"
        if not asked and not tolerated(f"when: {name}", message):
            problems.append(document.problem(where, message))
        labels = tuple(x if x in known[name] else str(x) for x in asked)
        for wrong in [x for x in labels if x not in known[name]]:
            hint = nearest(wrong, map(str, known[name]))
            problems.append(document.problem(where, f"{wrong!r} is not a value of {name}{hint}"))
        yield name, labels
