"""The search behind the arms: what a budget finds, every point, the Pareto front."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ganstudy.analysis import RecordedMetric
from ganstudy.analysis.budget_curve import learned
from ganstudy.report import prose, reference, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.searched import Searched

Array = NDArray[np.float64]


def draw_budget(findings: Findings) -> Drawing:
    """What a search of k points finds, a line for each arm; dots are points."""
    searched = found_in(findings)
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    known = has_curve(searched)
    if known:
        axes, single = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
        draw_budget_on(axes, findings)
        axes.set_title("what a search of so many points finds")
    else:
        single = figure.subplots()
        single.set_ylabel(searched.metric.label)
    draw_points_on(single, findings)
    single.set_title("every point")
    style.arm_legend(figure, searched.arm_names, "markers", settings=searched.settings)
    caption = Markup("{}{} in the order in which they were learned{}.").format(
        _curve_caption(searched), "Right: all points" if known else "All points", _crosses(searched)
    )
    caption += searched.alike + reference.said(findings)
    alt = _ends(searched) if known else f"{searched.metric.long_name} of points in the order tried."
    return Drawing("budget", figure, alt, caption)


def draw_curve(findings: Findings) -> Drawing:
    """The left panel alone, for the top of the page."""
    searched = found_in(findings)
    figure = Figure(figsize=(8.2, 3.4), layout="constrained")
    draw_budget_on(figure.subplots(), findings)
    style.arm_legend(figure, searched.arm_names, "markers", settings=searched.settings)
    caption = _alone(_curve_caption(searched)) + searched.alike + reference.said(findings)
    return Drawing("answer", figure, _ends(searched), caption)


def _ends(searched: Searched) -> str:
    """Where each line ends: with the points that the arm had."""
    lines = searched.by_group(searched.curve["best"])
    ends = (max(line[np.isfinite(line)][-1:], default=np.nan) for line in lines)
    shown = "; ".join(
        f"{prose.quoted(name)} {searched.show(float(value))}"
        for name, value in zip(searched.groups, ends, strict=True)
    )
    return f"{searched.metric.long_name} of the best of {searched.budget}: {shown}."


def _alone(caption: Markup) -> Markup:
    """A caption of two panels for the first alone."""
    return Markup(prose.capital(caption.removeprefix("Left: ").rstrip()))


def found_in(findings: Findings) -> Searched:
    """What a search by results found."""
    assert findings.searched is not None
    return findings.searched


def has_curve(searched: Searched) -> bool:
    """Whether anything is known of other searches than the ones that were made."""
    return bool(np.isfinite(searched.curve["best"]).any())


def _curve_caption(searched: Searched) -> Markup:
    """How the left panel is to be read; why there is none."""
    statistic = searched.ds.attrs["statistic"]
    if not has_curve(searched):
        return Markup("{}. ").format(_no_curve(searched))
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
    if np.isfinite(searched.curve["held_out"]).any():
        text += Markup(
            " Coloured, dotted: each seed scored at the point that the other seeds choose, without "
            "the optimism of choosing and scoring on the same seeds."
        )
    if searched.chosen_by:
        text += Markup(" The best is that by {}; each search ends with its best point{}.").format(
            searched.metric.long_name, searched.chosen_by
        )
    return text + Markup(" ")


def _no_curve(searched: Searched) -> str:
    """Why nothing is known of other searches."""
    found = searched.by_row(searched.best["incumbent"])[:, -1].astype(int) >= 0
    if found.any() and searched.repeats == 1 and not searched.curve.attrs["by_chance"]:
        where = "of a sampler that learns"
        if not learned(searched.ds):
            where = "beside a pruner"
        return (
            f"The best point so far is not drawn against the budget: {where}, one search is one "
            "draw, and another would have gone another way"
        )
    if searched.measured.any() and not searched.eligible.any():
        why = f"no point{searched.ended} keeps the constraints"
    else:
        each = " in each of its searches" if searched.repeats > 1 else ""
        why = f"no arm has a point that may be chosen{each}"
    return f"No curve of the best is drawn, since {why}"


def draw_budget_on(axes: Axes, findings: Findings) -> None:
    """The left panel: what a search of k points finds, with its spread and its held-out score.

    Every point where nothing is known of that.
    """
    searched = found_in(findings)
    if not has_curve(searched):
        draw_points_on(axes, findings)
        axes.set_ylabel(searched.metric.label)
        return
    budget = np.arange(1, searched.points + 1)
    names = ("best", "low", "high", "held_out")
    best, low, high, held = (searched.by_group(searched.curve[name]) for name in names)
    every = max(searched.points // 8, 1) if len(set(searched.markers)) > 1 else 0
    by_chance = bool(searched.curve.attrs["by_chance"])
    drawn = "default" if by_chance else "steps-post"
    for row, (colour, marker) in enumerate(zip(searched.colours, searched.markers, strict=True)):
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
            marker=marker if every else "",
            markersize=4.5,
            markevery=every or None,
        )
        axes.plot(budget, held[row], color=colour, linestyle=":", drawstyle=drawn)
    axes.set_ylabel(searched.metric.label)
    _budget_axis(axes, findings)


def draw_points_on(axes: Axes, findings: Findings) -> None:
    """Every point's score in the order in which the search learned of it."""
    searched = found_in(findings)
    told = searched.by_row(searched.told).astype(float)
    kept = searched.by_row(searched.feasible).astype(bool)
    number = np.arange(1, searched.points + 1)
    for row, group in enumerate(searched.row_groups):
        colour, marker = searched.colours[group], searched.markers[group]
        _dots(axes, number, told[row], kept[row], colour, colour, marker)
    _budget_axis(axes, findings)


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
    style.arm_legend(figure, searched.arm_names, "markers", settings=searched.settings)
    more = "" if len(objectives) == 2 else f" Of {len(objectives)} objectives the first two."
    statistic = searched.ds.attrs["statistic"]
    caption = Markup(
        "Points by {} and {}, the {} over seeds. Filled: the Pareto front of each arm, points that "
        "no other point of the arm matches in every objective and beats in one{}.{}{}"
    ).format(first.long_name, second.long_name, statistic, _crosses(searched), more, searched.alike)
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    alts = []
    for metric in (first, second):
        scores = searched.scores(metric.name)
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
    x, y = (searched.scores(m.name) for m in (first, second))
    front = searched.on_rows(searched.ds["pareto"]).astype(bool)
    kept = searched.by_row(searched.feasible).astype(bool)
    for row, group in enumerate(searched.row_groups):
        colour, marker, on = searched.colours[group], searched.markers[group], front[row]
        _dots(axes, x[row], y[row], kept[row], colour, "none", marker)
        order = np.argsort(x[row][on])
        axes.plot(
            x[row][on][order],
            y[row][on][order],
            marker=marker,
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
    own: str,
) -> None:
    """Points, those that break a constraint as crosses."""
    for marker, shown in ((own, kept), ("x", ~kept)):
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


def _budget_axis(axes: Axes, findings: Findings) -> None:
    metric = findings.metric
    axes.set_xlabel("points tried")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    reference.draw(axes.axhspan, axes.axhline, findings)
    if metric.bounded:
        low, high = metric.bounds
        axes.set_ylim(low - 0.03 * (high - low), high + 0.05 * (high - low))
