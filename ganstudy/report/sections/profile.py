"""Arms by the whole distribution of their trials."""

from __future__ import annotations

import math

import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganstudy.analysis import performance_profile
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections.ranking import axis_label


def draw(findings: Findings) -> Drawing:
    """The share of each arm's trials that score at least a level, over all levels."""
    figure = Figure(figsize=(7.2, 3.3), layout="constrained")
    draw_on(figure.subplots(), findings)
    style.arm_legend(figure, findings.arms)
    caption = Markup(
        "Performance profiles: how many of an arm's trials are as good as a level, from easy on "
        "the left to hard on the right. An arm whose line is above another's everywhere is "
        "better throughout; lines that cross trade typical trials for the best ones."
    )
    alt = (
        f"Performance profiles by {findings.metric.long_name}. Half of an arm's trials are at "
        f"least as good as: {prose.spans(findings.arms, _reached_by_half(findings))}."
    )
    return Drawing("performance_profile", figure, alt, caption)


def _profile(findings: Findings) -> xr.DataArray:
    return performance_profile(findings.ds, settings=findings.settings_used)


def _reached_by_half(findings: Findings) -> list[float]:
    """The hardest level that half of the trials of each arm reach."""
    levels = [row["level"].values[row.values >= 0.5] for row in _profile(findings)]
    sign = findings.metric.sign
    return [sign * max(sign * own) if own.size else math.nan for own in levels]


def draw_on(axes: Axes, findings: Findings) -> None:
    """A line of each arm, falling from easy levels on the left to hard ones on the right."""
    profile = _profile(findings)
    levels = profile["level"].values
    for shares, colour in zip(profile.values, style.arm_colours(len(findings.arms)), strict=True):
        axes.step(levels, shares, where="pre", color=colour)
    if not findings.metric.higher_is_better:
        axes.invert_xaxis()
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.grid(axis="y")
    better = "at least" if findings.metric.higher_is_better else "at most"
    axes.set_ylabel(f"trials that score {better} this")
    axes.set_xlabel(axis_label(findings))
