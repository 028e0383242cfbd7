"""The search behind the arms: what a budget finds, every point, the Pareto front."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ganstudy.analysis import (
    Metric,
    best_by_budget,
    budget_curve,
    feasible,
    importances,
    parameters_of,
    point_scores,
    status_counts,
    with_arms,
)
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import arm_labels, decimals_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Searched:
    """The dataset of a search and what it found; `rows` are the searches, `groups` those of an arm.

    With several axes in the grid a group is one point of it; `arms[i]` and `group_arms[i]` are the
    arms that they belong to. Without repeats, each group is one search.
    """

    ds: xr.Dataset
    metric: Metric
    rows: list[str]
    arms: list[int]
    groups: list[str]
    group_arms: list[int]
    best: xr.Dataset
    curve: xr.Dataset
    told: xr.DataArray
    feasible: xr.DataArray

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Searched:
        """Compute what a search found."""
        ds = with_arms(dataset.compute())
        compare = str(ds.attrs["compare"])
        told = point_scores(ds)
        own = ("repeat", "trial")
        axes = [compare, *(str(d) for d in told.dims if d not in (compare, *own))]
        labels = [arm_labels(ds[axis]) for axis in axes]
        places = list(np.ndindex(*(len(names) for names in labels)))
        groups = [", ".join(n[i] for n, i in zip(labels, at, strict=True)) for at in places]
        repeats = [""] * (1 if "repeat" not in ds.dims else 0)
        repeats += [f", search {number + 1}" for number in range(ds.sizes.get("repeat", 0))]
        keep = [*axes, *(dim for dim in own if dim in told.dims)]
        return cls(
            ds=ds,
            metric=Metric.of(ds),
            rows=[group + repeat for group in groups for repeat in repeats],
            arms=[at[0] for at in places for _ in repeats],
            groups=groups,
            group_arms=[at[0] for at in places],
            best=best_by_budget(ds).transpose(*keep),
            curve=budget_curve(ds).transpose(*axes, "trial"),
            told=told.transpose(*keep),
            feasible=feasible(ds).broadcast_like(told).transpose(*keep),
        )

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

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return [parameter.name for parameter in parameters_of(self.ds)]

    @property
    def objectives(self) -> list[str]:
        """Names of the metrics that the search sought."""
        # A netCDF file has no lists of one.
        return [str(name) for name in np.atleast_1d(self.ds.attrs["objectives"])]

    @property
    def arm_names(self) -> list[str]:
        """Labels of the arms, in study order."""
        return arm_labels(self.ds[str(self.ds.attrs["compare"])])

    def show(self, value: float) -> str:
        """A value of the metric."""
        return prose.number(value, decimals_of(self.ds, self.metric))

    @property
    def constraints(self) -> list[str]:
        """What a point must keep to, in words; none without constraints."""
        return [str(text) for text in np.atleast_1d(self.ds.attrs.get("constraints", []))]

    def on_rows(self, array: xr.DataArray) -> NDArray[np.generic]:
        """The same for what has a value for each point, though not along every axis of the grid."""
        return self.by_row(array.broadcast_like(self.told).transpose(*self.told.dims))

    def by_row(self, array: xr.DataArray) -> NDArray[np.generic]:
        """Values with the searches on one axis: shape `(rows, *rest)`."""
        rest = array.shape[len(self.told.dims) - 1 :]
        return np.asarray(array.values.reshape(len(self.rows), *rest))

    def by_group(self, array: xr.DataArray) -> Array:
        """Values with the arms, and further axes, on one axis: shape `(groups, rest)`."""
        return array.values.reshape(len(self.groups), -1).astype(float)


def sentence(searched: Searched) -> Markup:
    """What stands behind every number of the page: tuned arms, and on which seeds they are scored.

    What one search of an arm found is one draw, however many seeds score it: no arms are told apart
    by it.
    """
    counts = status_counts(searched.ds).sum(str(searched.ds.attrs["compare"]))
    named = [
        f"{int(count)} {status}"
        for status, count in zip(counts["status"].values.tolist(), counts.values, strict=True)
        if count and status in ("diverged", "pruned", "failed", "missing")
    ]
    one = len(searched.rows) == 1
    text = Markup("{} shown at the best of its {}, as {} found it{}").format(
        "The study is" if one else "Each arm is",
        prose.plural(searched.points, "point"),
        _SAMPLERS[str(searched.ds.attrs["sampler"])],
        "" if one else "; all arms had this budget",
    )
    if named:
        text += Markup(" ({} trials among all points)").format(prose.listing(named))
    text += _constrained(searched)
    if searched.repeats > 1:
        return text + Markup(
            ". Each was searched {} times, with other draws and other seeds, and the best point of "
            "each search is scored on {}, which no search has seen: what is averaged and tested "
            "here are whole searches."
        ).format(searched.repeats, prose.plural(searched.fresh, "fresh seed"))
    text += _scored(searched)
    if len(searched.groups) > 1:
        text += Markup(
            " Each was searched once. Another search would have found other points, and how much "
            "that changes is not known: no arm is told apart from another."
        )
    return text


def _scored(searched: Searched) -> Markup:
    """How optimistic the scores of a single search are."""
    if searched.fresh:
        return Markup(". The best point is scored on {}, which the search has not seen.").format(
            prose.plural(searched.fresh, "fresh seed")
        )
    text = Markup(". Points are chosen on the seeds that score them, which is optimistic")
    held = searched.by_row(searched.best["held_out"])[:, -1].astype(float)
    order = np.argsort(-searched.metric.sign * np.where(np.isfinite(held), held, -np.inf))
    if np.isfinite(held).any():
        best = prose.listing(
            f"{searched.rows[row]} {searched.show(held[row])}"
            for row in order[:6]
            if math.isfinite(held[row])
        )
        text += Markup("; with each seed's point chosen on the other seeds: {}").format(best)
    return text + Markup(".")


def call(searched: Searched) -> str:
    """The expression that returns the numbers of the sentence."""
    best = "analysis.best_by_budget(searched)[['held_out']].isel(trial=-1)"
    counted = "points=searched.sizes['trial'], trials=analysis.status_counts(searched)"
    if searched.constraints:
        counted += ", kept=analysis.feasible(searched), known=searched['violation'].notnull()"
    if searched.fresh:
        counted += ", repeats=searched.sizes['repeat'], fresh=searched['fresh'].sum()"
    return f"{best}.assign({counted})"


def _constrained(searched: Searched) -> Markup:
    """What the constraints left, as the end of a sentence; empty without constraints."""
    if not searched.constraints:
        return Markup("")
    kept = searched.by_row(searched.feasible).astype(bool)
    keeping, known = int(kept.sum()), int(searched.ds["violation"].notnull().sum())
    text = Markup(", of points with {}, which {} of {} {}").format(
        prose.listing(searched.constraints), keeping, known, "does" if keeping == 1 else "do"
    )
    none = [name for name, row in zip(searched.rows, kept, strict=True) if not row.any()]
    if none:
        text += Markup("; no point of {} does, and it is shown at the one that fails least").format(
            prose.listing(none)
        )
    return text


_SAMPLERS = {
    "tpe": "a tree-structured Parzen estimator",
    "gp": "a Gaussian process",
    "cmaes": "CMA-ES",
    "qmc": "a Sobol sequence",
    "random": "random search",
}


def draw_budget(searched: Searched) -> Drawing:
    """What a search of k points finds, a line for each arm; dots are points."""
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    known = has_curve(searched)
    if known:
        axes, single = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
        draw_budget_on(axes, searched)
        axes.set_title("what a search of so many points finds")
    else:
        single = figure.subplots()
        single.set_ylabel(searched.metric.label)
    draw_points_on(single, searched)
    single.set_title("every point")
    style.arm_legend(figure, searched.arm_names)
    caption = Markup("{}{} in the order in which they were learned{}.").format(
        _curve_caption(searched), "Right: all points" if known else "All points", _crosses(searched)
    )
    mean = searched.by_group(searched.curve["best" if known else "held_out"])[:, -1]
    ends = zip(searched.groups, mean.tolist(), strict=True)
    alt = f"{searched.metric.long_name} of points in the order tried"
    if known:
        alt = f"{searched.metric.long_name} of the best of {searched.points} points: " + "; ".join(
            f"{name} {searched.show(value)}" for name, value in ends
        )
    return Drawing("budget", figure, f"{alt}.", caption)


def has_curve(searched: Searched) -> bool:
    """Whether anything is known of other searches than the ones that were made."""
    return bool(np.isfinite(searched.curve["best"]).any())


def _curve_caption(searched: Searched) -> Markup:
    """How the left panel is to be read; why there is none."""
    statistic = searched.ds.attrs["statistic"]
    if not has_curve(searched):
        return Markup(
            "The best point so far is not drawn against the budget: of a sampler that learns, one "
            "search is one draw, and another would have gone another way. "
        )
    dotted = Markup(
        " Dotted: each seed scored at the point that the other seeds choose, without the optimism "
        "of choosing and scoring on the same seeds. "
    )
    if searched.curve.attrs["by_chance"]:
        band = "; band: 95% interval over searches" if searched.repeats > 1 else ""
        text = Markup(
            "Left: the {} over seeds of the best of k points, averaged over every choice of k of "
            "those tried{}."
        ).format(statistic, band)
    else:
        text = Markup(
            "Left: the {} over seeds of the best point so far; line: median over {} searches of an "
            "arm, band: their range."
        ).format(statistic, searched.repeats)
    return text + dotted


def draw_budget_on(axes: Axes, searched: Searched) -> None:
    """The left panel: what a search of k points finds, with its spread and its held-out score."""
    budget = np.arange(1, searched.points + 1)
    names = ("best", "low", "high", "held_out")
    best, low, high, held = (searched.by_group(searched.curve[name]) for name in names)
    colours = style.arm_colours(max(searched.arms) + 1)
    by_chance = bool(searched.curve.attrs["by_chance"])
    drawn = "default" if by_chance else "steps-post"
    for row, arm in enumerate(searched.group_arms):
        colour = colours[arm]
        axes.fill_between(
            budget,
            low[row],
            high[row],
            color=colour,
            alpha=0.1,
            linewidth=0,
            step=None if by_chance else "post",
        )
        axes.plot(budget, best[row], color=colour, drawstyle=drawn)
        axes.plot(budget, held[row], color=colour, linestyle=":", drawstyle=drawn)
    axes.set_ylabel(searched.metric.label)
    _budget_axis(axes, searched.metric)


def draw_points_on(axes: Axes, searched: Searched) -> None:
    """Every point's score in the order in which the search learned of it."""
    told = searched.by_row(searched.told).astype(float)
    colours = style.arm_colours(max(searched.arms) + 1)
    kept = searched.by_row(searched.feasible).astype(bool)
    number = np.arange(1, searched.points + 1)
    for row, arm in enumerate(searched.arms):
        _dots(axes, number, told[row], kept[row], colours[arm], colours[arm])
    _budget_axis(axes, searched.metric)


def _crosses(searched: Searched) -> Markup:
    """What a cross means, for captions; empty where there are none."""
    if not searched.constraints:
        return Markup("")
    return Markup("; crosses are those without {}").format(prose.listing(searched.constraints))


def draw_pareto(searched: Searched) -> Drawing | None:
    """All points by the first two objectives, the Pareto front filled; None with one objective."""
    objectives = searched.objectives
    if not has_front(searched):
        return None
    first, second = (Metric.of(searched.ds, name) for name in objectives[:2])
    figure = Figure(figsize=(6.6, 4.2), layout="constrained")
    draw_pareto_on(figure.subplots(), searched)
    style.arm_legend(figure, searched.arm_names)
    more = "" if len(objectives) == 2 else f" Of {len(objectives)} objectives the first two."
    caption = Markup(
        "Points by {} and {}, means over seeds. Filled: the Pareto front of each arm, points that "
        "no other one of the arm betters in every objective{}.{}"
    ).format(first.long_name, second.long_name, _crosses(searched), more)
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    alts = []
    for metric in (first, second):
        scores = searched.on_rows(point_scores(searched.ds, metric.name)).astype(float)
        spans = prose.spans(searched.rows, (row[on] for row, on in zip(scores, front, strict=True)))
        alts.append(f"{metric.long_name}: {spans}")
    alt = f"Points of each arm's Pareto front by two objectives. {'. '.join(alts)}"
    return Drawing("pareto", figure, alt, caption)


def has_front(searched: Searched) -> bool:
    """Whether there are several objectives."""
    return len(searched.objectives) > 1


def draw_pareto_on(axes: Axes, searched: Searched) -> None:
    """Hollow points, and a line through those of each arm's front."""
    first, second = (Metric.of(searched.ds, name) for name in searched.objectives[:2])
    x, y = (
        searched.on_rows(point_scores(searched.ds, m.name)).astype(float) for m in (first, second)
    )
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    kept = searched.by_row(searched.feasible).astype(bool)
    colours = style.arm_colours(max(searched.arms) + 1)
    for row, arm in enumerate(searched.arms):
        colour, on = colours[arm], front[row]
        _dots(axes, x[row], y[row], kept[row], colour, "none")
        order = np.argsort(x[row][on])
        axes.plot(
            x[row][on][order],
            y[row][on][order],
            marker="o",
            markersize=6,
            color=colour,
            linewidth=1,
        )
    axes.set_xlabel(first.label)
    axes.set_ylabel(second.label)
    axes.grid()


def _dots(
    axes: Axes, x: ArrayLike, y: ArrayLike, kept: NDArray[np.bool_], colour: str, face: str
) -> None:
    """Points, those that break a constraint as crosses."""
    for marker, shown in (("o", kept), ("x", ~kept)):
        axes.plot(
            np.asarray(x)[shown],
            np.asarray(y)[shown],
            color=colour,
            marker=marker,
            markersize=4,
            markerfacecolor=face,
            linestyle="none",
            alpha=0.6,
        )


def _budget_axis(axes: Axes, metric: Metric) -> None:
    axes.set_xlabel("points tried")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    if math.isfinite(metric.perfect):
        axes.axhline(metric.perfect, color=style.MUTED, linewidth=1, linestyle=":")
    if metric.bounded:
        low, high = metric.bounds
        axes.set_ylim(low - 0.03 * (high - low), high + 0.05 * (high - low))
