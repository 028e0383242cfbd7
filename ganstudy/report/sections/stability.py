"""Stability: how often arms diverge, and how often and how far their score falls."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from ganstudy.analysis.design import computed
from ganstudy.report import latex, prose, style
from ganstudy.report.data_tables import arm_table
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section
from ganstudy.report.tables import ArmTable, equilibrium_table, stability_table

Array = NDArray[np.float64]


def draw(findings: Findings) -> Drawing:
    """Share of trials diverged, drops per trial and drawdown, by arm in study order."""
    arms = len(findings.arms)
    stable = findings.stability
    falls = bool(np.isfinite(stable["drops"]).any())
    size = (10.4 if falls else 5.2, 1.1 + 0.5 * arms)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.06))
    panels = figure.subplots(1, 3 if falls else 1, sharey=True, squeeze=False)[0]
    draw_on(panels[0], findings)
    if not falls:
        return _diverged_alone(findings, figure)
    name = findings.metric.long_name
    threshold = prose.short(stable.attrs["threshold"])
    _trials(panels[1], findings, findings.flat(stable["trial_drops"]))
    panels[1].set_xlabel(f"drops by more than {threshold}, per trial")
    _trials(panels[2], findings, findings.flat(stable["trial_drawdown"]))
    panels[2].set_xlabel(f"drawdown of {name}")
    for axes in panels[1:]:
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    caption = Markup(
        "A drop is a step for the worse, a {} of {} by more than {} from one record to the next; "
        "the drawdown of a trial is the largest distance from its best value so far. Discs: share "
        "of the arm's trials that ran; black tick: their mean."
    ).format("fall" if findings.metric.higher_is_better else "rise", name, threshold)
    columns = ("diverged", "trials", "drops", "drawdown")
    alt = "Share of trials diverged, drops per trial and drawdown, by arm: " + "; ".join(
        f"{prose.quoted(arm)} {int(count)} of {int(trials)} diverged, "
        f"{prose.number(drops, 1)} drops, drawdown {findings.show(drawdown)}"
        for arm, count, trials, drops, drawdown in zip(
            findings.arms, *(stable[column].values for column in columns), strict=True
        )
    )
    return Drawing("stability", figure, f"{alt}.", caption)


def _diverged_alone(findings: Findings, figure: Figure) -> Drawing:
    """Of a metric from one record of which nothing can fall to the next."""
    names = (findings.stability[name].values for name in ("diverged", "trials"))
    counts = "; ".join(
        f"{arm} {int(count)} of {int(trials)}"
        for arm, count, trials in zip(findings.arms, *names, strict=True)
    )
    caption = Markup("{} is not recorded twice in a trial: it has no drops to count.").format(
        prose.capital(findings.metric.long_name)
    )
    return Drawing("stability", figure, f"Trials diverged, by arm: {counts}.", caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """The left panel: the share of each arm's trials that diverged."""
    stable = findings.stability
    for row, colour in enumerate(findings.colours):
        count, trials = (int(stable[name].values[row]) for name in ("diverged", "trials"))
        share = count / trials if trials else 0.0
        axes.barh(row, share, height=0.42, color=colour)
        axes.text(
            share + 0.02,
            row,
            f"{count} of {trials}",
            va="center",
            fontsize=8,
            color=style.MUTED,
        )
    axes.set_xlim(0, 1.18)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    axes.set_xlabel("trials diverged")
    axes.spines["left"].set_visible(False)
    style.arm_rows(axes, findings.arms, range(len(findings.arms)))


def _trials(axes: Axes, findings: Findings, values: Array) -> None:
    """Discs with area in proportion to the share of an arm's trials, and a tick at the mean."""
    largest = np.fmax.reduce(values, axis=None, initial=0.0)
    step = largest / 40 or 1.0
    for row, colour in enumerate(findings.colours):
        of_arm = values[row][np.isfinite(values[row])]
        if not of_arm.size:
            continue
        _, bins, counts = np.unique(
            np.round(of_arm / step), return_inverse=True, return_counts=True
        )
        axes.scatter(
            np.bincount(bins, weights=of_arm) / counts,
            np.full(len(counts), row),
            s=420 * counts / of_arm.size,
            color=colour,
            alpha=0.55,
            linewidths=0,
            clip_on=False,
        )
        axes.plot(
            [of_arm.mean()],
            [row],
            marker="|",
            markersize=17,
            markeredgewidth=1.6,
            color=style.INK,
        )
    reach = largest or 1.0
    axes.set_xlim(-0.05 * reach, 1.05 * reach)
    axes.grid(axis="x")


def _means(findings: Findings) -> str:
    """What the numbers of both tables are, for a paper."""
    limits = f", in brackets 95% intervals over {findings.units}," if findings.drawn else ""
    return f"Means{limits} and medians where it says so."


class Stability(Section):
    """How steadily arms train, and how the game between the players behaves."""

    place = 130
    label = "Stability"
    charts = (
        Chart(
            "stability",
            """Share of trials diverged, drops per trial and drawdown (`ds.gan.stability`).""",
            draw,
            draw_on,
            metric=True,
        ),
    )

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Where generators are trained."""
        return not findings.theory

    @cached_property
    def steady(self) -> ArmTable:
        """Divergences, drops and drawdown."""
        return stability_table(self.findings)

    @cached_property
    def game(self) -> ArmTable | None:
        """Cycles, gaps and eigenvalues, where any is known."""
        return equilibrium_table(self.findings)

    def files(self) -> dict[str, str]:
        """Both tables."""
        findings = self.findings
        caption = f"Stability. {_means(findings)}"
        written = {
            "stability.csv": arm_table(findings, findings.stability).csv(),
            "stability.tex": latex.by_arm(findings, self.steady, caption, "stability"),
        }
        if self.game:
            written["game.csv"] = arm_table(findings, findings.equilibrium).csv()
            written["game.tex"] = latex.by_arm(
                findings, self.game, f"The game. {_means(findings)}", "game"
            )
        return written

    def facts(self) -> dict[str, Any]:
        """Both tables, and whether all is computed."""
        return {
            "stability": self.steady,
            "equilibrium": self.game,
            "computed": computed(self.findings.ds),
        }
