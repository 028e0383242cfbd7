"""The points that a search found, as text: the best of each arm, and those on its Pareto front."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganstudy.analysis import Metric, parameters_of, point_scores
from ganstudy.report import prose, style
from ganstudy.report.findings import decimals_of
from ganstudy.report.search import Searched

__all__ = ["PointRow", "best_rows", "front_rows"]


@dataclass(frozen=True)
class PointRow:
    """One point of a search."""

    name: str
    colour: str
    cells: list[str]


def best_rows(searched: Searched) -> list[PointRow]:
    """Point, score, interval, held-out score and parameters of the best point of every search."""
    last = searched.best.isel(trial=-1)
    names = ("incumbent", "mean", "low", "high", "held_out")
    columns = [searched.by_row(last[name]).astype(float) for name in names]
    rows = []
    for row in range(len(searched.rows)):
        point, mean, low, high, held = (float(column[row]) for column in columns)
        interval = f"{searched.show(low)} to {searched.show(high)}"
        at = int(point) if point >= 0 else None
        cells = [
            prose.MISSING if at is None else f"{at + 1} of {searched.points}",
            searched.show(mean),
            interval if math.isfinite(low) else prose.MISSING,
            searched.show(held),
        ]
        rows.append(_row(searched, row, at, cells))
    return rows


def front_rows(searched: Searched) -> list[PointRow]:
    """Point, every objective and parameters of the points on each Pareto front, best first.

    The first objective orders them; none with one objective.
    """
    if len(searched.objectives) == 1:
        return []
    objectives = [Metric.of(searched.ds, name) for name in searched.objectives]
    scores = [searched.on_rows(point_scores(searched.ds, m.name)).astype(float) for m in objectives]
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    worse = -objectives[0].sign * scores[0]
    rows = []
    for row, on in enumerate(front):
        for at in sorted(np.flatnonzero(on).tolist(), key=worse[row].__getitem__):
            shown = [
                prose.number(float(values[row, at]), decimals_of(searched.ds, metric))
                for metric, values in zip(objectives, scores, strict=True)
            ]
            cells = [f"{at + 1} of {searched.points}", *shown]
            rows.append(_row(searched, row, at, cells))
    return rows


def _row(searched: Searched, row: int, at: int | None, cells: list[str]) -> PointRow:
    """A point of a search, with its parameters behind other cells."""
    colour = style.arm_colours(max(searched.arms) + 1)[searched.arms[row]]
    values = (searched.on_rows(searched.ds[p.dimension])[row] for p in parameters_of(searched.ds))
    parameters = [prose.MISSING if at is None else _value(own[at]) for own in values]
    return PointRow(searched.rows[row], colour, [*cells, *parameters])


def _value(value: object) -> str:
    """A parameter's value with three digits; empty where it took no part."""
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else prose.short(float(value))
    return str(value)
