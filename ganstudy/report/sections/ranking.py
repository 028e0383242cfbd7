"""The ranking: every arm's score with its interval and its seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from ganstudy.analysis.design import seeds_added
from ganstudy.report import accounted, latex, prose, reference, style
from ganstudy.report.data_tables import arm_table
from ganstudy.report.differences import MOST_LISTED
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings, held_out
from ganstudy.report.sections._base import Chart, Section
from ganstudy.report.tables import ranking_table


def draw(findings: Findings) -> Drawing:
    """Points with intervals over seeds, averaged over settings and at each arm's best setting."""
    order = [findings.arms.index(arm) for arm in findings.ranked_arms]
    panels = 2 if findings.choice else 1
    figure = Figure(
        figsize=(10.4, 1.1 + 0.46 * len(order)), layout=ConstrainedLayoutEngine(wspace=0.06)
    )
    axes = figure.subplots(1, panels, sharey=True, sharex=True, squeeze=False)[0]
    ranked = findings.ranked
    draw_on(axes[0], findings)
    if findings.several:
        axes[0].set_title(f"averaged over {findings.averaged_over}")
    if panels == 2:
        best = findings.best.isel({findings.arm: order})
        chosen = ", chosen on other seeds" if held_out(findings) else ""
        axes[1].set_title(f"at its own {findings.at_best}{chosen}")
        others = best.assign(mean=best["held_out"])
        _panel(axes[1], findings, order, others, None)
        _optimistic(axes[1], findings, order, best["mean"].values)
    caption = _caption(findings)
    if panels == 2:
        seen = "of the trials that ran, " if findings.fitted else ""
        caption += Markup(" Right: {}").format(seen)
        if held_out(findings):
            bars = "bars allow for the choice; " if findings.drawn else ""
            caption += Markup(
                "each seed is scored at the setting that the other seeds choose; {}"
            ).format(bars)
        caption += Markup(
            "a hollow diamond is the best mean, of a setting chosen on the same seeds, which is "
            "optimistic."
        )
    means = ", ".join(
        f"{prose.quoted(arm)} {findings.show(float(mean))}"
        for arm, mean in zip(findings.ranked_arms, ranked["mean"].values, strict=True)
    )
    alt = f"Ranking by {findings.metric.long_name}, best first: {means}."
    return Drawing("ranking", figure, alt, caption)


def draw_arms(findings: Findings) -> Drawing:
    """The left panel alone, for the top of the page."""
    figure = Figure(figsize=(8.2, 1.0 + 0.42 * len(findings.arms)), layout="constrained")
    draw_on(figure.subplots(), findings)
    ranked = findings.ranked
    rows = zip(
        findings.ranked_arms,
        *(ranked[name].values.tolist() for name in ("mean", "low", "high")),
        strict=True,
    )
    shown = "; ".join(
        f"{prose.quoted(arm)} "
        + prose.with_limits(findings.together, *(own if findings.drawn else own[:1] * 3))
        for arm, *own in rows
    )
    alt = f"{prose.capital(findings.metric.long_name)} by arm, best first: {shown}."
    return Drawing("answer", figure, alt, _caption(findings))


def _caption(findings: Findings) -> Markup:
    caption = Markup("Point and bar: mean and 95% interval over {0}. Small dots: {0}.")
    if not findings.drawn:
        caption = Markup("Point: mean over {0}. Small dots: {0}.")
    caption = caption.format(findings.units)
    if seeds_added(findings.ds):
        caption += Markup(
            " Bars are those of a fixed number of seeds. Simulated with seeds added until it is "
            "settled, they hold the means of 93 to 95% of arms; of a leader of equal arms, which "
            "its score has picked, in 87% of studies."
        )
    if findings.seeds == 1:
        caption = Markup("Points: the one seed; there is no interval.")
    return caption + _fitted(findings) + _lost(findings) + reference.said(findings)


def _lost(findings: Findings) -> Markup:
    """What is in no mean and in none of the dots, since it has no number."""
    text = Markup(" {} worse than any number are not drawn: {}.")
    what = prose.capital(prose.several(findings.rival))
    known = findings.unbounded.any()
    return text.format(what, accounted.worse(findings)) if known else Markup("")


def _fitted(findings: Findings) -> Markup:
    """Of which arms more is drawn than was seen."""
    arms = findings.fitted
    if not arms:
        return Markup("")
    who = prose.names(arms) if len(arms) <= MOST_LISTED else f"{len(arms)} arms"
    text = " {} {} no score where others have one: what is drawn of {} is by least squares, as if "
    words = ("has", "it", "it") if len(arms) == 1 else ("have", "them", "they")
    return Markup(text + "{} had run there too.").format(who, *words)


def draw_on(axes: Axes, findings: Findings) -> None:
    """The left panel: averages over settings with their intervals and seeds, best arm on top."""
    order = [findings.arms.index(arm) for arm in findings.ranked_arms]
    ranked = findings.ranked
    _panel(axes, findings, order, ranked, ranked["seed_mean"].values)
    style.arm_rows(axes, findings.arms, order)


def _optimistic(
    axes: Axes, findings: Findings, order: list[int], values: NDArray[np.float64]
) -> None:
    """Hollow diamonds at the best means, of settings chosen on the seeds that score them."""
    for row, index in enumerate(order):
        axes.plot(
            [values[row]],
            [row + 0.22],
            marker="D",
            markersize=4,
            markerfacecolor="white",
            markeredgecolor=findings.colours[index],
        )


def _panel(
    axes: Axes,
    findings: Findings,
    order: list[int],
    scores: xr.Dataset,
    seeds: NDArray[np.float64] | None,
) -> None:
    for row, index in enumerate(order):
        colour = findings.colours[index]
        mean, low, high = (float(scores[name].values[row]) for name in ("mean", "low", "high"))
        if seeds is not None:
            axes.plot(
                seeds[row],
                np.full(len(seeds[row]), row + 0.22),
                linestyle="none",
                marker="o",
                markersize=3.5,
                markeredgewidth=0,
                color=colour,
                alpha=0.55,
            )
        if findings.drawn:
            axes.plot([low, high], [row, row], color=colour, linewidth=2.4, solid_capstyle="butt")
        axes.plot(
            [mean],
            [row],
            marker="o",
            markersize=6.5,
            color=colour,
            markeredgecolor="white",
        )
    axes.grid(axis="x")
    reference.draw(axes.axvspan, axes.axvline, findings)
    if findings.metric.bounded:
        low, high = findings.metric.bounds
        axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(findings.metric.label)


class Ranking(Section):
    """Every arm's score, and its paired difference from the best."""

    place = 40
    label = "Ranking"
    charts = (
        Chart(
            "ranking",
            """Every arm's score with its interval and its seeds, best first.

            Left, or on `ax`: averaged over settings (`ds.gan.rank_arms`); right: each arm at its
            own best setting (`ds.gan.best_setting_scores`).
            """,
            draw,
            draw_on,
            metric=True,
        ),
    )

    def files(self) -> dict[str, str]:
        """The ranking, where there are several arms."""
        findings = self.findings
        if len(findings.arms) == 1:
            return {}
        return {
            "ranking.csv": arm_table(findings, findings.ranked).csv(),
            "ranking.tex": latex.ranking(findings),
        }

    def facts(self) -> dict[str, Any]:
        """A row for each arm."""
        return {"ranked": ranking_table(self.findings)}
