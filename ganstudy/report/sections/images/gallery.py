"""The gallery: real images, and the first that each arm makes at each setting."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ganstudy.analysis import trial_scores
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import MOST_COLUMNS, MOST_ROWS, thinned
from ganstudy.report.sections.images.firsts import (
    First,
    firsts,
    panel,
    proportion,
    real,
    samples_of,
    say,
    seen_in_training,
    shown,
    side_within,
    with_images,
)

PIXELS = 400_000
"""Most pixels of the whole figure: larger images are made smaller."""


def draw(findings: Findings) -> Drawing:
    """A row for each arm: real images, then those of each setting."""
    every = firsts(findings)
    rows = thinned(len(findings.arms), MOST_ROWS)
    columns = thinned(len(findings.settings), MOST_COLUMNS)
    down, across = (3, 10) if len(columns) == 1 else (4, 4) if len(columns) < 4 else (3, 3)
    width = min(10.0 / (1 + len(columns)), 1.1 * across / 2)
    # Titles are above the panels: one line for each axis.
    tall = proportion(own.image for row in every for own in row)
    height = width * tall * down / across * len(rows) + 0.15 * max(len(findings.axes), 1) + 0.2
    figure = Figure(
        figsize=(0.3 + width * (1 + len(columns)), height),
        layout=ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.05, wspace=0, hspace=0),
    )
    panels = figure.subplots(len(rows), 1 + len(columns), squeeze=False)
    most = side_within(PIXELS, panels.size * down * across)
    factor = 1
    for line, arm in zip(panels, rows, strict=True):
        row = [every[arm][setting] for setting in columns]
        label = fill(findings.arms[arm], max(14, round(11 * width * down / across)))
        line[0].set_ylabel(label, fontsize=8.5, color=style.INK)
        factor = max(factor, _real(line[0], shown(every[arm]), down * across, across, most))
        for axes, first in zip(line[1:], row, strict=True):
            factor = max(factor, _made(axes, findings, first, down * across, across, most))
    panels[0, 0].set_title("real", fontsize=7, loc="center", color=style.MUTED)
    for axes, setting in zip(panels[0, 1:], columns, strict=True):
        axes.set_title(
            _title(findings, setting, width), fontsize=7, loc="center", color=style.MUTED
        )
    last = findings.flat(trial_scores(findings.ds)["last"].isel(seed=0))[np.ix_(rows, columns)]
    alt = (
        f"Real images beside the first that {prose.plural(len(rows), 'arm')} "
        f"{'makes' if len(rows) == 1 else 'make'} at "
        f"{prose.plural(len(columns), findings.column)}. Their {findings.metric.long_name}, lowest "
        f"to highest: {prose.spans([findings.arms[row] for row in rows], last)}."
    )
    caption = _caption(findings, every, len(rows), len(columns), factor)
    return Drawing("images", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """The images of the first arm that has some."""
    first = with_images(findings)[0]
    _made(axes, findings, first, 16, 4, side_within(PIXELS, 16))


def _title(findings: Findings, setting: int, width: float) -> str:
    named = zip(findings.axes, findings.settings[setting], strict=True)
    most = style.fitting(width, 7)
    return "\n".join(style.short_name(f"{axis} {value}", most) for axis, value in named) or "made"


def _real(axes: Axes, first: First | None, count: int, columns: int, most: int) -> int:
    if first is None or first.target is None or first.image is None:
        say(axes, "")
        return 1
    if first.target.gone:
        say(axes, "gone")
        return 1
    return panel(axes, real(first.target, count), first.image, columns, most)


def _made(axes: Axes, findings: Findings, first: First, count: int, columns: int, most: int) -> int:
    if first.why_empty or first.image is None:
        say(axes, first.why_empty)
        return 1
    return panel(axes, samples_of(findings, first, count), first.image, columns, most)


def _caption(
    findings: Findings, every: list[list[First]], rows: int, columns: int, factor: int
) -> Markup:
    seed = findings.ds["seed"].values[0]
    targets = {own.target for row in every for own in row if own.target is not None}
    beside = "Left of them images of p."
    if all(target.holds_out for target in targets):
        seen = seen_in_training(targets)
        told = f"; {seen}" if seen else ", which no training step has seen"
        beside = f"Left of them held-out images{told}."
    gone = dict.fromkeys(target.gone for target in targets if target.gone)
    parts = [
        f"The first images of {findings.unit} {seed}, the first; none was chosen by its looks.",
        *([f"{why}." for why in gone] or [beside]),
    ]
    if factor > 1:
        parts.append(f"Drawn at 1/{factor} of their size.")
    if left_out := findings.left_out(rows, columns):
        parts.append(left_out)
    return Markup(" ").join(parts)
