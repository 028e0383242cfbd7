"""The search behind the arms: what a budget finds, every point, the Pareto front."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ganstudy.analysis import (
    RecordedMetric,
    point_scores,
)
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.searched import Searched

Array = NDArray[np.float64]


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
    style.arm_legend(figure, searched.arm_names, "markers")
    caption = Markup("{}{} in the order in which they were learned{}.").format(
        _curve_caption(searched), "Right: all points" if known else "All points", _crosses(searched)
    )
    mean = searched.by_group(searched.curve["best" if known else "held_out"])[:, -1]
    ends = zip(searched.groups, mean.tolist(), strict=True)
    alt = f"{searched.metric.long_name} of points in the order tried"
    if known:
        alt = f"{searched.metric.long_name} of the best of {searched.points} points: " + "; ".join(
            f"{prose.quoted(name)} {searched.show(value)}" for name, value in ends
        )
    return Drawing("budget", figure, f"{alt}.", caption)


def draw_curve(searched: Searched) -> Drawing:
    """The left panel alone, for the top of the page."""
    figure = Figure(figsize=(8.2, 3.4), layout="constrained")
    draw_budget_on(figure.subplots(), searched)
    style.arm_legend(figure, searched.arm_names, "markers")
    found = zip(searched.groups, searched.by_group(searched.curve["best"])[:, -1], strict=True)
    shown = "; ".join(
        f"{prose.quoted(name)} {searched.show(float(value))}" for name, value in found
    )
    alt = f"{searched.metric.long_name} of the best of {searched.points} points: {shown}."
    return Drawing("answer", figure, alt, _alone(_curve_caption(searched)))


def _alone(caption: Markup) -> Markup:
    """A caption of two panels for the first alone."""
    return Markup(prose.capital(caption.removeprefix("Left: ")))


def has_curve(searched: Searched) -> bool:
    """Whether anything is known of other searches than the ones that were made."""
    return bool(np.isfinite(searched.curve["best"]).any())


def _curve_caption(searched: Searched) -> Markup:
    """How the left panel is to be read; why there is none."""
    statistic = searched.ds.attrs["statistic"]
    if not searched.feasible.any():
        return Markup("No curve of the best is drawn, since no point keeps the constraints. ")
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
    """The left panel: what a search of k points finds, with its spread and its held-out score.

    Every point where nothing is known of that.
    """
    if not has_curve(searched):
        draw_points_on(axes, searched)
        axes.set_ylabel(searched.metric.label)
        return
    budget = np.arange(1, searched.points + 1)
    names = ("best", "low", "high", "held_out")
    best, low, high, held = (searched.by_group(searched.curve[name]) for name in names)
    every = max(searched.points // 8, 1) if len(searched.colours) > style.EACH else 0
    by_chance = bool(searched.curve.attrs["by_chance"])
    drawn = "default" if by_chance else "steps-post"
    for row, arm in enumerate(searched.group_arms):
        colour = searched.colours[arm]
        axes.fill_between(
            budget,
            low[row],
            high[row],
            color=colour,
            alpha=0.1,
            linewidth=0,
            step=None if by_chance else "post",
        )
        axes.plot(
            *(budget, best[row]),
            color=colour,
            drawstyle=drawn,
            marker=searched.markers[arm] if every else "",
            markersize=4.5,
            markevery=every or None,
        )
        axes.plot(budget, held[row], color=colour, linestyle=":", drawstyle=drawn)
    axes.set_ylabel(searched.metric.label)
    _budget_axis(axes, searched.metric)


def draw_points_on(axes: Axes, searched: Searched) -> None:
    """Every point's score in the order in which the search learned of it."""
    told = searched.by_row(searched.told).astype(float)
    kept = searched.by_row(searched.feasible).astype(bool)
    number = np.arange(1, searched.points + 1)
    for row, arm in enumerate(searched.arms):
        colour, marker = searched.colours[arm], searched.markers[arm]
        _dots(axes, number, told[row], kept[row], colour, colour, marker)
    _budget_axis(axes, searched.metric)


def _crosses(searched: Searched) -> Markup:
    """What a cross means, for captions; empty where there are none."""
    if not searched.constraints:
        return Markup("")
    return Markup("; crosses are those without {}").format(prose.listing(searched.constraints))


def draw_pareto(searched: Searched) -> Drawing:
    """All points by the first two objectives, the Pareto front filled."""
    objectives = searched.objectives
    first, second = (RecordedMetric.of(searched.ds, name) for name in objectives[:2])
    figure = Figure(figsize=(6.6, 4.2), layout="constrained")
    draw_pareto_on(figure.subplots(), searched)
    style.arm_legend(figure, searched.arm_names, "markers")
    more = "" if len(objectives) == 2 else f" Of {len(objectives)} objectives the first two."
    caption = Markup(
        "Points by {} and {}, means over seeds. Filled: the Pareto front of each arm, points that "
        "no other point of the arm beats in every objective{}.{}"
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
    first, second = (RecordedMetric.of(searched.ds, name) for name in searched.objectives[:2])
    x, y = (
        searched.on_rows(point_scores(searched.ds, m.name)).astype(float) for m in (first, second)
    )
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    kept = searched.by_row(searched.feasible).astype(bool)
    for row, arm in enumerate(searched.arms):
        colour, on = searched.colours[arm], front[row]
        _dots(axes, x[row], y[row], kept[row], colour, "none", searched.markers[arm])
        order = np.argsort(x[row][on])
        axes.plot(
            x[row][on][order],
            y[row][on][order],
            marker=searched.markers[arm],
            markersize=6,
            color=colour,
            linewidth=1,
        )
    axes.set_xlabel(first.label)
    axes.set_ylabel(second.label)
    axes.grid()


def _dots(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    kept: NDArray[np.bool_],
    colour: str,
    face: str,
    of_arm: str,
) -> None:
    """Points, those that break a constraint as crosses."""
    for marker, shown in ((of_arm, kept), ("x", ~kept)):
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


def _budget_axis(axes: Axes, metric: RecordedMetric) -> None:
    axes.set_xlabel("points tried")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    if math.isfinite(metric.perfect):
        axes.axhline(metric.perfect, color=style.MUTED, linewidth=1, linestyle=":")
    if metric.bounded:
        low, high = metric.bounds
        axes.set_ylim(low - 0.03 * (high - low), high + 0.05 * (high - low))
