"""What a search by results found, beside the arms at their best points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup
from numpy.typing import NDArray

from ganstudy.analysis import (
    RecordedMetric,
    all_measured,
    best_by_budget,
    budget_curve,
    chosen_points,
    eligible,
    feasible,
    importances,
    parameters_of,
    point_scores,
    with_arms,
)
from ganstudy.analysis.design import arm_labels, label_text
from ganstudy.analysis.handling import in_memory
from ganstudy.report import prose
from ganstudy.report.colours import (
    HATCHES,
    LOOKS,
    MARKERS,
    STROKES,
    arm_colours,
    arm_lines,
    arm_markers,
)
from ganstudy.report.prose import decimals_of


def parameter_text(value: object) -> str:
    """A parameter's value as a study has it; a dash where it took no part.

    Three digits are enough of a score. Of 0.9999 they are 1, which no `beta2` may be.
    """
    if not isinstance(value, float | np.floating):
        return str(value)
    if math.isnan(value):
        return prose.MISSING
    # A dataset holds whole numbers as floats where a point lacks one.
    return str(int(value)) if float(value).is_integer() else label_text(float(value))


@dataclass(frozen=True)
class Searched:
    """The dataset of a search and what it found; `rows` are the searches, `groups` those of an arm.

    With several axes in the grid a group is one point of it, an arm at one of the `settings` of
    the others; those of one arm follow each other. Without repeats, each group is one search.
    """

    ds: xr.Dataset
    metric: RecordedMetric
    rows: list[str]
    groups: list[str]
    settings: list[str]
    best: xr.Dataset
    chosen: xr.DataArray
    curve: xr.Dataset
    told: xr.DataArray
    feasible: xr.DataArray

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Searched:
        """Compute what a search found."""
        ds = with_arms(in_memory(dataset))
        compare = str(ds.attrs["compare"])
        told = point_scores(ds)
        own = ("repeat", "trial")
        axes = [compare, *(str(d) for d in told.dims if d not in (compare, *own))]
        labels = [arm_labels(ds[axis]) for axis in axes]
        groups, settings = ([*map(", ".join, product(*own))] for own in (labels, labels[1:]))
        repeats = [""] * (1 if "repeat" not in ds.dims else 0)
        repeats += [f", search {number + 1}" for number in range(ds.sizes.get("repeat", 0))]
        keep = [*axes, *(dim for dim in own if dim in told.dims)]
        return cls(
            ds=ds,
            metric=RecordedMetric.of(ds),
            rows=[group + repeat for group in groups for repeat in repeats],
            groups=groups,
            settings=settings,
            best=best_by_budget(ds).transpose(*keep),
            chosen=chosen_points(ds).transpose(*keep[:-1]),
            curve=budget_curve(ds).transpose(*axes, "trial"),
            told=told.transpose(*keep),
            feasible=feasible(ds).broadcast_like(told).transpose(*keep),
        )

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Whether all that is sought could be measured of each point, `(rows, points)`."""
        return self.on_rows(all_measured(self.ds)).astype(bool)

    @cached_property
    def eligible(self) -> NDArray[np.bool_]:
        """Whether each point may be chosen, `(rows, points)`."""
        return self.on_rows(eligible(self.ds)).astype(bool)

    @cached_property
    def importances(self) -> xr.Dataset:
        """How much each parameter decides, and what chance gives."""
        return importances(self.ds)

    @property
    def repeats(self) -> int:
        """Searches of each arm."""
        return self.ds.sizes.get("repeat", 1)

    @property
    def fresh(self) -> int:
        """Seeds that no search has seen, for each point that is chosen."""
        return int(self.ds["fresh"].sum()) if "fresh" in self.ds else 0

    @property
    def points(self) -> int:
        """Points that each search may have."""
        return self.ds.sizes["trial"]

    @cached_property
    def tried(self) -> NDArray[np.int64]:
        """Points of each search; fewer than its budget where its space is used up."""
        planned = (self.ds["status"] != "excluded").any("seed")
        return np.asarray(self.on_rows(planned).sum(axis=1))

    @property
    def budget(self) -> str:
        """Points of each search in words."""
        few, many = self.fewest, int(self.tried.max())
        return prose.plural(many, "point") if few == many else f"{few} to {many} points"

    @property
    def fewest(self) -> int:
        """Points of the search that tried fewest, of those that the study does not exclude."""
        return int(min(self.tried[self.tried > 0], default=0))

    @property
    def ended(self) -> str:
        """Which points may be chosen, where others were pruned."""
        return " trained to the end" if (self.ds["status"] == "pruned").any() else ""

    def scores(self, metric: str) -> NDArray[np.float64]:
        """Scores of all points by a metric, `(rows, points)`."""
        return self.on_rows(point_scores(self.ds, metric)).astype(float)

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return [parameter.name for parameter in parameters_of(self.ds)]

    @property
    def objectives(self) -> list[str]:
        """Names of the metrics that the search sought."""
        # A netCDF file has no lists of one.
        return [str(name) for name in np.atleast_1d(self.ds.attrs["objectives"])]

    @cached_property
    def sought(self) -> RecordedMetric:
        """The first objective, by which each search chooses the point that it ends with."""
        return RecordedMetric.of(self.ds, self.objectives[0])

    @property
    def chosen_by(self) -> str:
        """By which metric points on fresh seeds were chosen, where it is not that of the page."""
        other = self.fresh and self.sought.name != self.metric.name
        return f" by {self.sought.long_name}" if other else ""

    @property
    def arm_names(self) -> list[str]:
        """Labels of the arms, in study order."""
        return arm_labels(self.ds[str(self.ds.attrs["compare"])])

    @property
    def row_groups(self) -> list[int]:
        """The group of each search."""
        return [row // self.repeats for row in range(len(self.rows))]

    @cached_property
    def colours(self) -> list[str]:
        """The colour of each group, which is that of its arm."""
        return [own for own in arm_colours(len(self.arm_names)) for _ in self.settings]

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """Colour and stroke of each group's line."""
        by_arm = [own["linestyle"] for own in arm_lines(len(self.arm_names))]
        strokes = self._told_apart(by_arm, STROKES)
        return [
            {"color": colour, "linestyle": stroke}
            for colour, stroke in zip(self.colours, strokes, strict=True)
        ]

    @cached_property
    def markers(self) -> list[str]:
        """The marker of each group's points."""
        return self._told_apart(arm_markers(len(self.arm_names)), MARKERS)

    @cached_property
    def hatches(self) -> list[str]:
        """The hatch of each group's bars."""
        return self._told_apart([HATCHES[0]] * len(self.arm_names), HATCHES)

    def _told_apart(self, by_arm: Sequence[Any], by_setting: Sequence[Any]) -> list[Any]:
        """What each group has beside its colour: that of its setting, where there are several."""
        if len(self.settings) == 1:
            return list(by_arm)
        own = [by_setting[number % len(by_setting)] for number in range(len(self.settings))]
        return own * len(by_arm)

    @property
    def alike(self) -> Markup:
        """What a caption says of settings that look the same; empty where none do."""
        if len(self.settings) <= LOOKS:
            return Markup("")
        return Markup(" Of {} settings those look alike that are {} apart in the legend.").format(
            len(self.settings), LOOKS
        )

    def show(self, value: float) -> str:
        """A value of the metric."""
        return prose.number(value, decimals_of(self.ds, self.metric))

    def together(self, values: Sequence[float]) -> list[str]:
        """Values of the metric that stand together, such as the ends of an interval."""
        return prose.numbers(values, decimals_of(self.ds, self.metric))

    @property
    def constraints(self) -> list[str]:
        """What a point must keep to, in words; none without constraints."""
        return [str(text) for text in np.atleast_1d(self.ds.attrs.get("constraints", []))]

    def on_rows(self, array: xr.DataArray) -> NDArray[np.generic]:
        """The same for what has a value for each point, though not along every axis of the grid."""
        return self.by_row(array.broadcast_like(self.told).transpose(*self.told.dims))

    def by_row(self, array: xr.DataArray) -> NDArray[np.generic]:
        """Values with the searches on one axis: shape `(rows, *rest)`."""
        rows = self.told.dims[:-1]
        ordered = array.transpose(*rows, ...)
        return np.asarray(ordered.values.reshape(len(self.rows), *ordered.shape[len(rows) :]))

    def by_group(self, array: xr.DataArray) -> NDArray[np.float64]:
        """Values with the arms, and further axes, on one axis: shape `(groups, rest)`."""
        axes = [dim for dim in self.told.dims if dim not in ("repeat", "trial")]
        ordered = array.transpose(*axes, ...)
        return np.asarray(ordered.values.reshape(len(self.groups), -1), dtype=np.float64)
