"""The search behind the arms: best score against budget, best points, importances, Pareto front."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ganstudy.analysis import (
    Metric,
    point_scores,
)
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.searched import Searched

Array = NDArray[np.float64]


def draw_budget(searched: Searched) -> Drawing:
    """Best score so far against the number of points, a line for each search; dots are points."""
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    axes, single = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    draw_budget_on(axes, searched)
    _points(single, searched)
    axes.set_title("the best point so far")
    single.set_title("every point")
    style.arm_legend(figure, searched.arm_names)
    caption = Markup(
        "Left: the point with the best {} over seeds among those tried so far. Line: its mean over "
        "seeds; band: 95% interval over these seeds, which says how sure the score of that point "
        "is, not how another search would have fared. Dotted: each seed scored at the point that "
        "the other seeds choose, without the optimism of choosing and scoring on the same seeds. "
        "Right: all points in the order in which they were learned{}."
    ).format(searched.ds.attrs["statistic"], _crosses(searched))
    mean = searched.by_row(searched.best["mean"]).astype(float)
    alt = f"Best {searched.metric.long_name} against points tried: " + "; ".join(
        f"{name} {searched.show(value)} after {searched.points}"
        for name, value in zip(searched.rows, mean[:, -1].tolist(), strict=True)
    )
    return Drawing("budget", figure, f"{alt}.", caption)


def draw_budget_on(axes: Axes, searched: Searched) -> None:
    """The left panel: the best point so far, with its interval and its held-out score."""
    budget = np.arange(1, searched.points + 1)
    names = ("mean", "low", "high", "held_out")
    mean, low, high, held = (searched.by_row(searched.best[n]).astype(float) for n in names)
    told = searched.by_row(searched.told).astype(float)
    colours = style.arm_colours(max(searched.arms) + 1)
    for row, arm in enumerate(searched.arms):
        colour = colours[arm]
        # Points that are still missing come last, and nothing is known of budgets as large.
        tried = np.flatnonzero(np.isfinite(told[row])).max(initial=-1) + 1
        x, band = budget[:tried], (low[row, :tried], high[row, :tried])
        axes.fill_between(x, *band, color=colour, alpha=0.1, linewidth=0, step="post")
        axes.plot(x, mean[row, :tried], color=colour, drawstyle="steps-post")
        axes.plot(x, held[row, :tried], color=colour, linestyle=":", drawstyle="steps-post")
    axes.set_ylabel(searched.metric.label)
    _budget_axis(axes, searched.metric)


def _points(axes: Axes, searched: Searched) -> None:
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


def draw_importances(searched: Searched) -> Drawing | None:
    """Bars of the parameters' importances, by search; None where none could be computed."""
    if not has_importances(searched):
        return None
    rows, parameters, shares = _importances(searched)
    figure = Figure(
        figsize=(10.4, 1.0 + len(parameters) * max(0.3, 0.16 * len(rows))), layout="constrained"
    )
    draw_importances_on(figure.subplots(), searched)
    style.arm_legend(figure, searched.arm_names)
    caption = Markup(
        "Shares by PED-ANOVA: how far the best quarter of an arm's points is from all of them, a "
        "parameter at a time. From so few points, gathered where the search went, they are rough: "
        "small differences mean nothing."
    )
    alt = "Importance of parameters: " + "; ".join(
        f"{searched.rows[row]} "
        + ", ".join(f"{name} {share:.2f}" for name, share in zip(parameters, own, strict=True))
        for row, own in zip(rows, shares, strict=True)
    )
    return Drawing("importances", figure, f"{alt}.", caption)


def has_importances(searched: Searched) -> bool:
    """Whether any search has points enough to tell."""
    return bool(np.isfinite(searched.importances).any())


def draw_importances_on(axes: Axes, searched: Searched) -> None:
    """A bar for each parameter and search, the most important parameter on top."""
    rows, parameters, shares = _importances(searched)
    height = 0.8 / len(rows)
    colours = style.arm_colours(max(searched.arms) + 1)
    for place, (row, own) in enumerate(zip(rows, shares, strict=True)):
        at = np.arange(len(parameters)) - 0.4 + height * (place + 0.5)
        axes.barh(at, own, height=0.86 * height, color=colours[searched.arms[row]])
    axes.set_yticks(range(len(parameters)), parameters)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("importance")
    axes.set_xlim(0, 1)
    axes.grid(axis="x")


def _importances(searched: Searched) -> tuple[list[int], list[str], Array]:
    """Searches that have importances, parameters with the most important first, and the shares."""
    shares = searched.by_row(searched.importances).astype(float)
    rows = [row for row in range(len(shares)) if np.isfinite(shares[row]).all()]
    order = np.argsort(-shares[rows].mean(axis=0), kind="stable")
    return rows, [searched.parameters[index] for index in order], shares[rows][:, order]


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
