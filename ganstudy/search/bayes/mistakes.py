"""Mistakes in what a search is after that show at some point of its space, or in some arm alone."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ganstudy.plural import plural
from ganstudy.search.bayes.objective import ConstraintFile, PrunerFile
from ganstudy.search.bayes.recognition import agrees, candidates, completed, possible
from ganstudy.search.bayes.rungs import rungs_up_to, trained_to
from ganstudy.study.corner import Corner, unrecorded, where
from ganstudy.study.document import Document, Problem, StudyError
from ganstudy.study.space import AnyParameter, Choice, size
from ganstudy.study.yaml_text import in_flow

__all__ = ["common_problems", "constraint_problems", "rung_problems", "size_problems"]

MOST_CROSSED = 500
"""Points tried where an arm draws all that another fixes; as a search asks, it passes over what is
another arm's, whether it was met here or not."""


def size_problems(
    document: Document, trials: int, space: Sequence[AnyParameter], corners: Sequence[Corner]
) -> Iterator[Problem]:
    """A budget that is larger than the space of some arm, and can never be spent there.

    Of a space with a mistake, which is empty here, nothing is known.
    """
    if not space:
        return
    arms = {own.index: replace(own, values={}) for own in corners}.values()
    small = sorted(
        (own for own in arms if size(space, own.labels) < trials),
        key=lambda own: size(space, own.labels),
    )
    if small:
        others = [own for own in arms if own not in small]
        points = plural(int(size(space, small[0].labels)), "point")
        advice = "add a parameter that takes part there" if others else "grid"
        message = f"the space has {points} only{where(small, others)}; use at most so many trials"
        message += f", or {advice}"
        for own in (own for own in space if isinstance(own, Choice)):
            ends: list[Any] = [bundle.get(own.name) for bundle in own.bundles]
            numbers = sorted(end for end in ends if type(end) in (int, float))
            if len(ends) == len(numbers) == 2:
                form = in_flow({own.name: {"low": numbers[0], "high": numbers[1]}})
                message += f"; a range is written `{form[1:-1]}`"
        yield document.problem(("search", "bayes", "trials"), message)


def common_problems(
    document: Document, space: Sequence[AnyParameter], corners: Sequence[Corner]
) -> Iterator[Problem]:
    """Arms that can draw the same trial, of which a record would not say whose it is.

    Where one of them has a continuous parameter that the other fixes, that value is the other's.
    Of a space with a mistake, which is empty here, nothing is known.
    """
    if not space:
        return
    arms = {own.index: replace(own, values={}) for own in reversed(corners)}
    named = (zip(arm.index, arm.bundles, strict=True) for arm in arms.values())
    axes = [dict(labels) for labels in zip(*named, strict=True)]
    crossed = itertools.islice(_crossed(space, corners), MOST_CROSSED)
    for own in itertools.chain(corners, crossed):
        settings = completed(json.loads(own.configuration.settings))
        # A study may have thousands of arms: they are looked up by the labels that agree.
        agreeing = ([i for i, bundle in axis.items() if agrees(bundle, settings)] for axis in axes)
        for index in itertools.product(*agreeing):
            if index == own.index or index not in arms:
                continue
            arm, other = arms[own.index], arms[index]
            if (apart := _drawn_by_both(space, settings, own, other)) is not None:
                message = (
                    f"a trial{where([arm], [other])} can be one{where([other], [arm])}, and no "
                    "record says whose it is; put one into another study"
                )
                place = apart[0].place if apart else ("search", "bayes", "space")
                yield document.problem(place, message)
                return


def _crossed(space: Sequence[AnyParameter], corners: Sequence[Corner]) -> Iterator[Corner]:
    """Points where an arm draws all values that another one fixes; corners have one at a time."""
    fixed: dict[tuple[tuple[str, Any], ...], None] = {}
    for other in corners:
        lacking = [at for at in space if at.name not in other.values and math.isfinite(at.count)]
        settings = completed(json.loads(other.configuration.settings)) if lacking else {}
        drawn = ([(at.name, x) for x in possible(at, settings)] for at in lacking)
        fixed |= dict.fromkeys(itertools.product(*filter(None, drawn)))
    seen = {(own.index, *own.values.items()) for own in corners}
    for own, values in itertools.product(corners, map(dict, fixed)):
        values = own.values | {name: x for name, x in values.items() if name in own.values}
        if (key := (own.index, *values.items())) not in seen:
            seen.add(key)
            with suppress(StudyError):
                yield replace(own, values=values, configuration=own.resolve(own.index, values))


def _drawn_by_both(
    space: Sequence[AnyParameter], settings: Mapping[str, Any], own: Corner, other: Corner
) -> list[AnyParameter] | None:
    """The parameters that one of two arms has alone, if the other can draw this point too."""
    for values in candidates(space, settings, other.labels):
        apart = [at for at in space if (at.name in values) != (at.name in own.values)]
        if any(math.isinf(at.count) for at in apart):
            continue
        with suppress(StudyError):  # what is refused is drawn by none
            if other.resolve(other.index, values) == own.configuration:
                return apart
    return None


def rung_problems(
    document: Document, pruner: PrunerFile, corners: Sequence[Corner], drawn: Sequence[Corner]
) -> Iterator[Problem]:
    """A first comparison that comes too late, or a rung that points cannot be trained to.

    Of what is drawn the first rung is tried: later ones are multiples of it.
    """
    place = ("search", "bayes", "pruner", "first")
    late = [own for own in (*corners, *drawn) if pruner.first >= own.configuration.steps]
    if late:
        others = [own for own in (*corners, *drawn) if pruner.first < own.configuration.steps]
        message = (
            f"the first comparison is to come before the end, at {late[0].configuration.steps}"
        )
        yield document.problem(place, message + where(late, others))
        return
    for number, own in enumerate((*corners, *drawn)):
        *rungs, _ = rungs_up_to(pruner.first, pruner.factor, own.configuration.steps)
        for rung in rungs if number < len(corners) else rungs[:1]:
            try:
                own.with_set(trained_to(rung))
            except StudyError as error:
                message = f"points are trained up to {rung} M-steps first: "
                yield document.problem(place, message + error.problems[0].message)
                return


def constraint_problems(
    document: Document, constraints: Mapping[str, ConstraintFile], corners: Sequence[Corner]
) -> Iterator[Problem]:
    """Bounds on what is not recorded, bounds that are none, or that an arm cannot keep to."""
    for name, written in constraints.items():
        place = ("search", "bayes", "constraints", name)
        if message := unrecorded(name, corners):
            yield document.problem(place, message)
            continue
        if written.minimum is None and written.maximum is None:
            yield document.problem(place, "write minimum, maximum or both")
            continue
        bounds = [own.configuration.readings[name]["bounds"] for own in corners]
        pairs = zip(corners, bounds, strict=True)
        possible = [own for own, (least, most) in pairs if _possible(written, least, most)]
        # Each arm is searched for itself.
        searched = {own.index for own in possible}
        if barred := [own for own in corners if own.index not in searched]:
            low, high = bounds[corners.index(barred[0])]
            message = f"no value can keep to this{where(barred, possible)}"
            message += f"; {name} lies between {low:g} and {high:g}"
            yield document.problem(place, message)


def _possible(written: ConstraintFile, least: float, most: float) -> bool:
    """Whether a value of a metric with these bounds can keep to a constraint."""
    low = max(x for x in (written.minimum, least) if x is not None)
    high = min(x for x in (written.maximum, most) if x is not None)
    return low <= high
