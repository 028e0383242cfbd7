"""Parallel coordinates: every point of a search as a line through its parameters to its score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.analysis import RecordedMetric, parameters_of
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.embedded import as_json
from ganstudy.report.searched import Searched, parameter_text
from ganstudy.study.space import AnyParameter, Range

Array = NDArray[np.float64]

ABSENT = -0.1
"""Where a line passes an axis whose parameter took no part, in lengths of the axis."""

_WIDTH = 1.3
"""Of a line on the page, by which Matplotlib's dashes are counted."""

FEW, MANY = 2, 3000
"""Points below which there is nothing to compare, and above which lines hide each other."""


@dataclass(frozen=True)
class _Axis:
    """A name, ticks as places from 0 to 1 with their labels, and the place of each point's value.

    places  `(searches, points)`, NaN where there is no value
    texts   the values in words, of the same shape
    """

    name: str
    ticks: list[tuple[float, str]]
    places: Array
    texts: NDArray[np.object_]


def missing(searched: Searched) -> str:
    """Why there are no lines; empty where there are some."""
    scores = searched.scores(searched.sought.name)
    if np.isfinite(scores).sum() < FEW:
        return "fewer than two points have a score"
    return "" if scores.size <= MANY else f"more than {MANY:,} points"


def draw(searched: Searched) -> Drawing:
    """The lines of all points, those of the best quarter of each search in full colour."""
    axes = _axes(searched)
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    draw_on(figure.subplots(), searched)
    style.arm_legend(figure, searched.arm_names, settings=searched.settings)
    caption = Markup(
        "Each line is a point of a search: its parameters, and on the right its {}, better "
        "upwards. Pale: all but the best quarter of each search{}{}.{} "
    ).format(
        prose.listing(axis.name for axis in axes[len(searched.parameters) :]),
        " among its points that keep the constraints" if searched.constraints else "",
        "; a line passes below an axis on which it has no value" if _any_absent(axes) else "",
        searched.alike,
    )
    caption += Markup(
        '<span class="on-screen">On the page, drag along an axis, or take it with Tab and move '
        "with the arrow keys, to keep the lines that pass there.</span>"
    )
    return Drawing("parallel_coordinates", figure, _alt(searched, axes), caption)


def draw_on(panel: Axes, searched: Searched) -> None:
    """A vertical axis for each parameter and objective, and a line for each point."""
    axes = _axes(searched)
    for number, axis in enumerate(axes):
        panel.plot([number, number], [0, 1], color=style.INK, linewidth=0.9, zorder=3)
        for place, label in axis.ticks:
            panel.plot([number - 0.015, number], [place, place], color=style.INK, linewidth=0.9)
            panel.text(number - 0.03, place, label, ha="right", va="center", fontsize=7.5)
        panel.text(number, 1.07, axis.name, ha="center", fontsize=8.5, color=style.INK)
    good = _best_quarter(searched)
    for row, group in enumerate(searched.row_groups):
        for chosen, alpha in ((~good[row], 0.15), (good[row], 0.85)):
            lines = [_line(axes, row, point) for point in np.flatnonzero(chosen).tolist()]
            kept = [line for line in lines if np.isfinite(line[-1, 1])]
            look = searched.lines[group]
            panel.add_collection(LineCollection(kept, alpha=alpha, linewidths=1.1, **look))
    panel.set_xlim(-0.35, len(axes) - 0.8)
    panel.set_ylim(ABSENT - 0.05, 1.15)
    panel.set_axis_off()


def embedded(searched: Searched) -> Markup:
    """What the page's script draws and filters."""
    axes, good = _axes(searched), _best_quarter(searched)
    kept = searched.eligible
    lines: list[dict[str, Any]] = []
    for row, group in enumerate(searched.row_groups):
        for point in range(searched.points):
            places = [float(axis.places[row, point]) for axis in axes]
            if math.isfinite(places[-1]):
                texts = [str(axis.texts[row, point]) for axis in axes]
                lines.append(
                    {
                        "at": [round(p, 4) if math.isfinite(p) else None for p in places],
                        "texts": texts,
                        "search": searched.rows[row],
                        "trial": point,
                        "group": group,
                        "good": bool(good[row, point]),
                        "keeps": bool(kept[row, point]),
                    }
                )
    told = [{"name": axis.name, "ticks": axis.ticks} for axis in axes]
    groups = [
        {"name": name, "colour": look["color"], "dashes": _dashes(look["linestyle"])}
        for name, look in zip(searched.groups, searched.lines, strict=True)
    ]
    return as_json({"axes": told, "groups": groups, "lines": lines, "absent": ABSENT})


def _dashes(stroke: Any) -> str:
    """A stroke of Matplotlib's as SVG has it."""
    return "none" if stroke == "-" else " ".join(f"{_WIDTH * own:g}" for own in stroke[1])


def _axes(searched: Searched) -> list[_Axis]:
    """The parameters in the order of the study, then the objectives."""
    found = [_of_parameter(searched, parameter) for parameter in parameters_of(searched.ds)]
    return [*found, *(_of_objective(searched, name) for name in searched.objectives[::-1])]


def _of_parameter(searched: Searched, parameter: AnyParameter) -> _Axis:
    values = searched.on_rows(searched.ds[parameter.dimension])
    if isinstance(parameter, Range):
        numbers = values.astype(float)
        texts = np.vectorize(parameter_text, otypes=[object])(numbers)
        ends = np.array([parameter.low, parameter.high], dtype=float)
        if parameter.log:
            numbers, ends = np.log10(numbers), np.log10(ends)
        places = (numbers - ends[0]) / ((ends[1] - ends[0]) or 1.0)
        shown = [parameter.low, parameter.high]
        return _Axis(
            parameter.name,
            [(float(k), parameter_text(own)) for k, own in enumerate(shown)],
            places,
            texts,
        )
    last = max(len(parameter.labels) - 1, 1)
    # Numbers are stored as floats, and 1.0 finds 1. NaN and empty text are no label.
    rung = {label: index / last for index, label in enumerate(parameter.labels)}
    places = np.vectorize(lambda own: rung.get(own, math.nan), otypes=[float])(values)
    named = {label: parameter_text(label) for label in rung}
    texts = np.vectorize(lambda own: named.get(own, prose.MISSING), otypes=[object])(values)
    return _Axis(parameter.name, [(rung[own], named[own]) for own in rung], places, texts)


def _of_objective(searched: Searched, name: str) -> _Axis:
    metric = RecordedMetric.of(searched.ds, name)
    scores = searched.scores(name)
    scores = np.where(np.isfinite(scores), scores, np.nan)
    if np.isnan(scores).all():
        return _Axis(metric.long_name, [], scores, _texts(scores))
    worst, best = float(np.nanmin(scores)), float(np.nanmax(scores))
    if not metric.higher_is_better:
        worst, best = best, worst
    places = (scores - worst) / ((best - worst) or 1.0)
    ticks = [(0.0, prose.short(worst)), (1.0, prose.short(best))]
    return _Axis(metric.long_name, ticks, places, _texts(scores))


def _texts(numbers: Array) -> NDArray[np.object_]:
    shown = [prose.short(own) if math.isfinite(own) else prose.MISSING for own in numbers.ravel()]
    return np.array(shown, dtype=object).reshape(numbers.shape)


def _line(axes: list[_Axis], row: int, point: int) -> Array:
    places = np.array([axis.places[row, point] for axis in axes])
    places[:-1] = np.where(np.isfinite(places[:-1]), places[:-1], ABSENT)
    return np.column_stack([np.arange(len(axes)), places])


def _best_quarter(searched: Searched) -> NDArray[np.bool_]:
    """Of the points of each search that have a score and may be chosen, the best quarter by the
    first objective."""
    scores = searched.sought.sign * searched.scores(searched.sought.name)
    scores = np.where(np.isfinite(scores) & searched.eligible, scores, np.nan)
    count = np.isfinite(scores).sum(axis=1, keepdims=True)
    order = np.argsort(np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable"))
    return np.asarray((order < np.ceil(count / 4)) & np.isfinite(scores))


def _any_absent(axes: list[_Axis]) -> bool:
    scored = np.isfinite(axes[-1].places)
    return any(bool((~np.isfinite(axis.places) & scored).any()) for axis in axes[:-1])


def _alt(searched: Searched, axes: list[_Axis]) -> str:
    good = _best_quarter(searched)
    parts = []
    for axis in axes[: len(searched.parameters)]:
        texts = [str(text) for text in axis.texts[good] if text not in (prose.MISSING, "")]
        places = axis.places[good]
        if np.isfinite(places).any():
            low, high = int(np.nanargmin(places)), int(np.nanargmax(places))
            shown = axis.texts[good]
            parts.append(f"{axis.name} {shown[low]} to {shown[high]}" if texts else axis.name)
    return (
        f"Parallel coordinates of {len(axes)} axes. Over the best quarter of the points: "
        f"{'; '.join(parts) or 'none'}. points.csv has every point."
    )
