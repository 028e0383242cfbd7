"""What a study states of its dataset before any record is read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.score import differing, ends, spanning
from ganstudy.store.point_settings import implied, settings_of, shared
from ganstudy.trial import SCHEMA
from ganstudy.variable import OF_A_DATASET, Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds import Kind
    from ganstudy.search import Search

    Column = tuple[tuple[str, ...], NDArray[Any]]

__all__ = ["attributes", "configurations", "ends_of_points", "members", "variables"]


def attributes(plan: Search) -> dict[str, Any]:
    """What the dataset says of the study as a whole."""
    settings = settings_of(plan.study)
    return {
        "question": plan.study.file.question,
        "study": plan.study.name,
        "kind": _kind(plan),
        "deterministic": int(all(point.deterministic for point in plan.study.points.values())),
        "compare": plan.study.compare,
        "score": plan.study.score,
        "answer": plan.study.answer,
        "axes": list(plan.dimensions[:-1]),
        "given": plan.study.given,
        "schema": SCHEMA,
        "shared": json.dumps(shared(plan.study, settings)),
        "implied": json.dumps(implied(plan.study, settings)),
        **plan.attributes(),
    }


def _kind(plan: Search) -> str:
    """The kind of all trials; empty if they are of several."""
    kinds = {trial.configuration.name for trial in plan.trials.values()}
    return str(kinds.pop()) if len(kinds) == 1 else ""


def members(field: str, axes: Sequence[str], plan: Search) -> Iterator[tuple[str, Column]]:
    """The member in a field of each point, without the axes along which it never changes, if any.

    Of the kinds that have such a field.
    """
    texts = np.full(plan.shape[:-1], "", dtype=object)
    for index, trial in plan.trials.items():
        if field in type(trial.configuration).model_fields:
            texts[index[:-1]] = json.dumps(trial.configuration.model_dump(include={field})[field])
    known = set(texts.ravel()) - {""}
    if len(known) == 1:
        yield f"{field}_settings", ((), np.array(known.pop()))
    elif known:
        yield f"{field}_settings", (tuple(axes), texts.astype(str))


def configurations(plan: Search) -> Collection[Kind]:
    """Of all points of a study and of what a search has tried, each once."""
    points = [*plan.study.points.values(), *(t.configuration for t in plan.trials.values())]
    return {id(point): point for point in points}.values()


def variables(plan: Search) -> dict[str, Variable]:
    """What is known of the dataset's variables, a metric's reading spanning all targets."""
    found: dict[str, list[Variable]] = {}
    for configuration in configurations(plan):
        for variable in configuration.variables():
            found.setdefault(variable.name, []).append(variable)
    known = {variable.name: variable for variable in OF_A_DATASET}
    for name, own in found.items():
        known[name] = own[0]
        if own[0].role == "metric":
            about = spanning([variable.about for variable in own])
            known[name] = replace(own[0], about=about)
            known |= {other.name: other for other in (own[0].perfect, *own[0].ends)}
    return known


def ends_of_points(axes: Sequence[str], plan: Search) -> Iterator[tuple[str, Column]]:
    """`<metric>_worst` and `<metric>_at_equality` of each point, of metrics whose ends differ."""
    readings = {index[:-1]: trial.configuration.readings for index, trial in plan.trials.items()}
    for name in dict.fromkeys(name for own in readings.values() for name in own):
        of_points = {index: ends(own[name]) for index, own in readings.items() if name in own}
        known = differing(of_points)
        for place, variable in enumerate(Variable(name).ends if known else ()):
            whole = np.full(plan.shape[:-1], np.nan)
            for index, own in known.items():
                whole[index] = own[place]
            yield variable.name, (tuple(axes), whole)
