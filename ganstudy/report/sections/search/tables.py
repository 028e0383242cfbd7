"""The points that a search found: the best of each arm, those on its Pareto front, and all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis import RecordedMetric, fresh_scores, parameters_of
from ganstudy.report import prose
from ganstudy.report.data_tables import DataTable, number_or_none
from ganstudy.report.prose import decimals_of
from ganstudy.report.searched import Searched, parameter_text
from ganstudy.report.tables import ArmTable, Row, known_columns

__all__ = ["best_table", "front_table", "point_table", "tried_values"]


def best_table(searched: Searched) -> ArmTable:
    """Point, score, held-out score, score on fresh seeds and parameters of each search's best.

    Of a search that found none which keeps the constraints, the point at which it is shown; none
    where no point could be measured. Seeds that have chosen a point give it no interval; fresh ones
    do.
    """
    held = searched.by_row(searched.best["held_out"].isel(trial=-1)).astype(float)
    if searched.chosen_by:
        held[:] = math.nan  # of points that seeds choose by another metric
    chosen = searched.by_row(searched.chosen).astype(int)
    told = np.where(searched.measured, searched.by_row(searched.told), math.nan)
    kept = searched.by_row(searched.feasible).astype(bool)
    places: list[int | None] = []
    cells = []
    for row, point in enumerate(chosen.tolist()):
        at = point if math.isfinite(told[row, point]) else None
        breaks = "" if kept[row, point] else ", breaks a constraint"
        places.append(at)
        cells.append(
            [
                prose.MISSING if at is None else f"trial {at}, among {searched.tried[row]}{breaks}",
                searched.show(float(told[row, point])),
                searched.show(float(held[row])),
            ]
        )
    statistic = str(searched.ds.attrs["statistic"])
    headings = [
        f"best point{searched.chosen_by}",
        searched.metric.long_name + ("" if statistic == "mean" else f", {statistic} of seeds"),
        "held out",
    ]
    if searched.fresh:
        headings.append("on fresh seeds")
        found = fresh_scores(searched.ds).transpose(*searched.chosen.dims)
        limits = (searched.by_row(found[name]).astype(float) for name in ("mean", "low", "high"))
        for own, fresh, low, high in zip(cells, *limits, strict=True):
            own.append(prose.with_limits(searched.together, fresh, low, high))
    return _table(searched, headings, list(enumerate(places)), cells)


def front_table(searched: Searched) -> ArmTable | None:
    """Point, every objective and parameters of the points on each Pareto front, best first.

    The first objective orders them; None with one objective.
    """
    if len(searched.objectives) == 1:
        return None
    objectives = [RecordedMetric.of(searched.ds, name) for name in searched.objectives]
    scores = [searched.scores(m.name) for m in objectives]
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    worse = -objectives[0].sign * scores[0]
    places = [
        (row, at)
        for row, on in enumerate(front)
        for at in sorted(np.flatnonzero(on).tolist(), key=worse[row].__getitem__)
    ]
    cells = [
        [
            f"{at}, among {searched.tried[row]}",
            *(
                prose.number(float(values[row, at]), decimals_of(searched.ds, metric))
                for metric, values in zip(objectives, scores, strict=True)
            ),
        ]
        for row, at in places
    ]
    headings = ["trial", *(metric.long_name for metric in objectives)]
    return _table(searched, headings, places, cells)


def point_table(searched: Searched, arm: str) -> DataTable:
    """Every point of every search, in the order learned: its objectives and its parameters."""
    names = [*searched.objectives, *(["violation"] if searched.constraints else []), "pareto"]
    values = {
        name: searched.scores(name)
        if name in searched.objectives
        else searched.on_rows(searched.ds[name]).astype(float)
        for name in names
    }
    parameters = _parameters(searched)
    rows = [
        [
            label,
            point,
            *(number_or_none(float(values[name][row, point])) for name in names),
            *(_cell(own[row][point]) for own in parameters),
        ]
        for row, label in enumerate(searched.rows)
        for point in range(searched.tried[row])
    ]
    headings = [arm, "trial", *names, *searched.parameters]
    return DataTable(headings, [None] * len(headings), rows)


def tried_values(searched: Searched) -> dict[str, list[set[float | str | None]]]:
    """What each search tried of each parameter, by its name; None where that took no part."""
    tried = searched.on_rows((searched.ds["status"] != "excluded").any("seed")).astype(bool)
    return {
        name: [set(map(_cell, row[own])) for row, own in zip(values, tried, strict=True)]
        for name, values in zip(searched.parameters, _parameters(searched), strict=True)
    }


def _table(
    searched: Searched,
    headings: Sequence[str],
    places: Sequence[tuple[int, int | None]],
    cells: Sequence[Sequence[str]],
) -> ArmTable:
    """A row for each point of a search, or for one that has none: its cells and its parameters."""
    parameters = [
        [prose.MISSING if at is None else parameter_text(own[row][at]) for row, at in places]
        for own in _parameters(searched)
    ]
    colours = [searched.colours[group] for group in searched.row_groups]
    rows = [
        Row(searched.rows[row], colours[row], False, (), [*own, *point])
        for (row, _), own, *point in zip(places, cells, *parameters, strict=True)
    ]
    return ArmTable(*known_columns([*headings, *searched.parameters], rows))


def _parameters(searched: Searched) -> list[NDArray[np.generic]]:
    """Values of each parameter, `[search, point]`."""
    return [searched.on_rows(searched.ds[p.dimension]) for p in parameters_of(searched.ds)]


def _cell(value: object) -> float | str | None:
    """A parameter's value in full; None where it took no part."""
    if isinstance(value, float | np.floating):
        return number_or_none(float(value))
    return str(value) or None
