"""The points that a search found: the best of each arm, those on its Pareto front, and all."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis import RecordedMetric, parameters_of, point_scores
from ganstudy.report import prose, style
from ganstudy.report.data_tables import DataTable, number_or_none
from ganstudy.report.prose import decimals_of
from ganstudy.report.searched import Searched
from ganstudy.report.tables import ArmTable, Row

__all__ = ["best_table", "front_table", "point_table"]


def best_table(searched: Searched) -> ArmTable:
    """Point, score, interval, held-out score and parameters of the best point of every search.

    Of a search that found none which keeps the constraints, the point at which it is shown.
    """
    last = searched.best.isel(trial=-1)
    names = ("incumbent", "mean", "low", "high", "held_out")
    columns = [searched.by_row(last[name]).astype(float) for name in names]
    chosen = searched.by_row(searched.chosen).astype(int)
    told = searched.by_row(searched.told).astype(float)
    rows = []
    for row in range(len(searched.rows)):
        point, mean, low, high, held = (float(column[row]) for column in columns)
        interval = f"{searched.show(low)} to {searched.show(high)}"
        known = math.isfinite(told[row, chosen[row]])
        at = int(point) if point >= 0 else int(chosen[row]) if known else None
        mean = mean if point >= 0 else told[row, chosen[row]]
        breaks = ", breaks a constraint" if point < 0 and searched.constraints else ""
        cells = [
            prose.MISSING if at is None else f"{at + 1} of {searched.points}{breaks}",
            searched.show(mean),
            interval if math.isfinite(low) else prose.MISSING,
            searched.show(held),
        ]
        rows.append(_row(searched, row, at, cells))
    headings = ["best point", searched.metric.long_name, "95% interval", "held out"]
    return ArmTable([*headings, *searched.parameters], rows)


def front_table(searched: Searched) -> ArmTable | None:
    """Point, every objective and parameters of the points on each Pareto front, best first.

    The first objective orders them; None with one objective.
    """
    if len(searched.objectives) == 1:
        return None
    objectives = [RecordedMetric.of(searched.ds, name) for name in searched.objectives]
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
    names = [metric.long_name for metric in objectives]
    return ArmTable(["point", *names, *searched.parameters], rows)


def point_table(searched: Searched, arm: str) -> DataTable:
    """Every point of every search, in the order learned: its objectives and its parameters."""
    names = [*searched.objectives, *(["violation"] if searched.constraints else []), "pareto"]
    values = {
        name: searched.on_rows(
            point_scores(searched.ds, name)
            if name in searched.objectives
            else searched.ds[name].astype(float)
        ).astype(float)
        for name in names
    }
    parameters = _parameters(searched)
    rows = [
        [
            label,
            point + 1,
            *(number_or_none(float(values[name][row, point])) for name in names),
            *(_cell(own[row][point]) for own in parameters),
        ]
        for row, label in enumerate(searched.rows)
        for point in range(searched.points)
    ]
    headings = [arm, "point", *names, *searched.parameters]
    return DataTable(headings, [None] * len(headings), rows)


def _row(searched: Searched, row: int, at: int | None, cells: list[str]) -> Row:
    """A point of a search, with its parameters behind other cells."""
    colour = style.arm_colours(max(searched.arms) + 1)[searched.arms[row]]
    values = (own[row] for own in _parameters(searched))
    parameters = [prose.MISSING if at is None else _value(own[at]) for own in values]
    return Row(searched.rows[row], colour, False, (), [*cells, *parameters])


def _parameters(searched: Searched) -> list[NDArray[np.generic]]:
    """Values of each parameter, `[search, point]`."""
    return [searched.on_rows(searched.ds[p.dimension]) for p in parameters_of(searched.ds)]


def _cell(value: object) -> float | str | None:
    """A parameter's value in full; None where it took no part."""
    if isinstance(value, float | np.floating):
        return number_or_none(float(value))
    return str(value)


def _value(value: object) -> str:
    """A parameter's value with three digits; empty where it took no part."""
    cell = _cell(value)
    return prose.short(cell) if isinstance(cell, float) else cell or ""
