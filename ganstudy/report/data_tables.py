"""Every trial and every metric: tables that can be sorted, and files that can be opened."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ganstudy.analysis import RecordedMetric, arm_scores, metric_names, setting_scores, trial_scores
from ganstudy.analysis.best_points import limits_of
from ganstudy.analysis.design import arm_labels
from ganstudy.plural import plural
from ganstudy.report import prose
from ganstudy.report.findings import Findings
from ganstudy.report.prose import decimals_of
from ganstudy.statuses import INCOMPLETE


@dataclass(frozen=True)
class DataTable:
    """Headings and rows; a cell is text, a number, or None for what does not exist.

    `decimals` holds those of each column, or of each of its cells; None for a column of text, and
    for as many as suit its numbers.

    Errors  `ValueError` for a row that has not a cell for each heading.
    """

    headings: list[str]
    decimals: Sequence[int | Sequence[int] | None]
    rows: list[list[Any]]

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.headings):
                under = f"under {len(self.headings)} headings ({', '.join(self.headings)})"
                raise ValueError(f"row {number} of a table has {plural(len(row), 'cell')} {under}")

    @property
    def of_text(self) -> list[bool]:
        """Which columns hold text and no numbers."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.headings)
        known = ([cell for cell in own if cell is not None] for own in columns)
        return [bool(own) and all(isinstance(cell, str) for cell in own) for own in known]

    def texts(self) -> list[list[str]]:
        """The rows as a page and a paper show them, with equal decimals down a column."""
        columns = zip(*self.rows, strict=True)
        shown = [prose.column(*own) for own in zip(columns, self.decimals, strict=False)]
        return [list(row) for row in zip(*shown, strict=True)]

    def csv(self) -> str:
        """Comma-separated values with full precision; an empty cell for what does not exist.

        Text that a spreadsheet would take for a formula has an apostrophe before it.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([inert(cell) for cell in row] for row in (self.headings, *self.rows))
        return text.getvalue()

    def data(self) -> dict[str, Any]:
        """What the page sorts and filters."""
        shown = [
            [
                _as_told(cell, places)
                if isinstance(cell, float) and isinstance(places, int)
                else cell
                for cell, places in zip(row, self.decimals, strict=True)
            ]
            for row in self.rows
        ]
        return {"headings": self.headings, "decimals": self.decimals, "rows": shown}


def _as_told(value: float, places: int) -> float:
    """A number with the digits that are told of it."""
    return float(prose.number(value, places).replace("\N{MINUS SIGN}", "-"))


def inert(cell: Any) -> Any:
    """A cell that no spreadsheet evaluates: text is text, whatever it begins with."""
    if not isinstance(cell, str) or not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def trial_table(findings: Findings) -> DataTable:
    """All planned trials: where they are in the grid, what became of them, and their scores."""
    ds, metric = findings.ds, findings.metric
    scores = trial_scores(ds)
    dims = (findings.arm, *findings.axes, "seed")
    order = [metric.name, *(name for name in metric_names(ds) if name != metric.name)]
    columns: list[tuple[str, int | None, np.ndarray[Any, Any]]] = [
        (f"{metric.long_name}, {name}", findings.decimals, scores[name].transpose(*dims).values)
        for name in ("score", "last", "best")
    ]
    for name in order[1:]:
        fact = RecordedMetric.of(ds, name)
        score = trial_scores(ds, name)["score"].transpose(*dims).values
        columns.append((fact.long_name, decimals_of(ds, fact), score))
    columns.append(("diverged at", 0, ds["diverged_at"].transpose(*dims).values))
    columns.append(("seconds", 1, ds["seconds"].transpose(*dims).values))
    status = ds["status"].transpose(*dims).values
    ids = ds["trial_id"].transpose(*dims).values
    coordinates = [ds[dim].values.tolist() for dim in dims]
    rows: list[list[Any]] = []
    for point in np.ndindex(*status.shape):
        if status[point] == "excluded":
            continue
        place = [values[index] for values, index in zip(coordinates, point, strict=True)]
        numbers = [number_or_none(values[point].item()) for _, _, values in columns]
        rows.append([*place, str(status[point]), *numbers, str(ids[point])])
    headings = [*dims, "status", *(heading for heading, _, _ in columns), "trial"]
    decimals = [*[None] * (len(dims) + 1), *(places for _, places, _ in columns), None]
    return DataTable(headings, decimals, rows)


def setting_table(findings: Findings) -> DataTable:
    """Every arm at every setting: means over seeds, with the interval of the headline metric."""
    ds, cells = findings.ds, findings.cells
    others = [name for name in metric_names(ds) if name != findings.metric.name]
    columns = {
        findings.metric.long_name: findings.flat(cells["mean"]),
        **(
            {f"{e} limit": findings.flat(cells[e]) for e in ("low", "high")}
            if findings.drawn
            else {}
        ),
        **{
            RecordedMetric.of(ds, n).long_name: findings.flat(setting_scores(ds, n)["mean"])
            for n in others
        },
        "planned": findings.flat(cells["trials"]),
        "scored": findings.flat(cells["seeds"]),
        **{n: findings.flat(cells[n]) for n in INCOMPLETE},
        "seconds": findings.flat(ds["seconds"].sum("seed", min_count=1)),
    }
    excluded = findings.excluded_points
    rows: list[list[Any]] = [
        [
            findings.arms[arm],
            *findings.settings[setting],
            *(number_or_none(values[arm, setting].item()) for values in columns.values()),
        ]
        for arm, setting in np.ndindex(excluded.shape)
        if not excluded[arm, setting]
    ]
    headings = [findings.arm, *findings.axes, *columns]
    return DataTable(headings, [None] * len(headings), rows)


def metric_table(findings: Findings) -> DataTable:
    """Every metric: each arm's mean score, what a perfect sampler scores, and the worst value."""
    ds, scale = findings.ds, findings.scale
    of_clouds = {"mean": "perfect sampler", "low": "lowest", "high": "highest"}
    of_both = of_clouds | {"worst": "worst"}
    ends = {key: name for key, name in of_both.items() if bool(np.isfinite(scale[key]).any())}
    rows: list[list[Any]] = []
    for name in metric_names(ds):
        fact = RecordedMetric.of(ds, name)
        means = arm_scores(ds, name, settings=findings.settings_used)["mean"].values
        of_p = scale.sel(metric=name)
        rows.append(
            [
                fact.long_name,
                fact.direction,
                *(number_or_none(float(mean)) for mean in means),
                *(number_or_none(float(of_p[key])) for key in ends),
            ]
        )
    headings = ["metric", "better", *findings.arms, *ends.values()]
    decimals = [None, None, *[decimals_of_all(findings)] * (len(headings) - 2)]
    return DataTable(headings, decimals, rows)


def decimals_of_all(findings: Findings) -> list[int]:
    """Decimals of each metric, in the order of the dataset."""
    ds = findings.ds
    return [decimals_of(ds, RecordedMetric.of(ds, name)) for name in metric_names(ds)]


def arm_table(findings: Findings, statistics: xr.Dataset) -> DataTable:
    """All statistics that have one number for each arm, under the names of their variables.

    Without limits where chance has none, or where the seeds have chosen what they score.
    """
    left_out = [] if findings.drawn else limits_of(statistics)
    of_each = (name for name, v in statistics.data_vars.items() if v.dims == (findings.arm,))
    names = [str(name) for name in of_each if name not in left_out]
    arms = arm_labels(statistics[findings.arm])
    columns = [
        [
            str(x) if isinstance(x, str) else number_or_none(float(x))
            for x in statistics[name].values
        ]
        for name in names
    ]
    rows: list[list[Any]] = [list(row) for row in zip(arms, *columns, strict=True)]
    return DataTable([findings.arm, *names], [None] * (len(names) + 1), rows)


def number_or_none(value: float) -> float | None:
    """The number, or None for one that is not finite."""
    return value if math.isfinite(value) else None
