"""Mistakes in what a search is after that show at some point of its space, or in some arm alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ganstudy.plural import plural
from ganstudy.search.bayes.objective import ConstraintFile, PrunerFile
from ganstudy.search.bayes.rungs import rungs_up_to, trained_to
from ganstudy.study.corner import Corner, unrecorded, where
from ganstudy.study.document import Document, Problem, StudyError
from ganstudy.study.space import AnyParameter, size

__all__ = ["constraint_problems", "rung_problems", "size_problems"]


def size_problems(
    document: Document, trials: int, space: Sequence[AnyParameter], corners: Sequence[Corner]
) -> Iterator[Problem]:
    """A budget that is larger than the space of some arm, and can never be spent there."""
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
        yield document.problem(("search", "bayes", "trials"), f"{message}, or {advice}")


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
