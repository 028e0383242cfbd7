"""The heat map: the score of every arm at every setting."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from ganstudy.report import prose, reference, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section

MOST_WRITTEN = 48
"""Settings up to which every cell has its value in it, and every column its label."""

COLUMNS_WIDE, LABEL_WIDE = 8.4, 0.4
"""Inches that all columns take at least, and those that a label needs; narrower ones have none."""

TIER, LABEL = 17.0, 8.5
"""Height of one line of column labels, and of their font, in points."""

SLANT, MOST_SLANTED = 35.0, 28
"""Degrees by which labels that would be cut are turned, and the characters that they may have."""


def draw(findings: Findings) -> Drawing:
    """Arms by settings, darker is better, with the mean over seeds written into each cell."""
    arms, settings = len(findings.arms), len(findings.settings)
    tiers = (len(findings.axes) * TIER + _slanted(findings)) / 72
    figure = Figure(
        figsize=(
            max(10.4, 1.8 + 0.62 * settings) if settings <= MOST_WRITTEN else 10.4,
            0.75 + tiers + 0.52 * arms,
        ),
        layout="constrained",
    )
    draw_on(figure.subplots(), findings)
    mean = findings.flat(findings.cells["mean"])
    units = findings.units
    caption = Markup("Mean over {} of each trial's score; darker is better.").format(units)
    diverged = findings.flat(findings.cells["diverged"])
    if (diverged[np.isfinite(mean)] > 0).any():
        counted = "score the worst value" if reference.worst(findings) else "have no score"
        counted += ", where their target has one" * reference.some_lack_worst(findings)
        caption += Markup(" The second line of a cell counts diverged trials, which {}.").format(
            counted
        )
    gaps = int((_scored(findings) < _trials(findings)).sum())
    if settings > MOST_WRITTEN:
        caption = Markup(
            "Mean over {} of each trial's score, {} settings in study order; darker is better, "
            "and a white cell has no score."
        ).format(units, settings)
        if gaps:
            caption += Markup(
                " In {} fewer trials have a score than are planned, and the mean is of those; "
                "settings.csv counts them."
            ).format(prose.plural(gaps, "cell"))
    elif gaps:
        caption += Markup(
            " Where fewer trials have a score than are planned, a cell says of how many its mean "
            "is."
        )
    caption += _beyond(findings, mean)
    alt = (
        f"Heat map of {findings.metric.long_name} for {prose.plural(arms, 'arm')} at "
        f"{prose.plural(settings, 'setting')}, lowest to highest setting: "
        f"{prose.spans(findings.arms, mean)}. The table of all arms has each."
    )
    return Drawing("heatmap", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """A row for each arm, a column for each setting, and a bar of the colours beside them."""
    mean = findings.flat(findings.cells["mean"])
    written = len(findings.settings) <= MOST_WRITTEN
    low, high = _range(findings, mean)
    image = axes.pcolormesh(
        mean,
        vmin=low,
        vmax=high,
        cmap="YlGnBu" if findings.metric.higher_is_better else "YlGnBu_r",
        linewidths=1.5 if written else 0,
        edgecolors="white",
        rasterized=not written,
    )
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    figure = axes.get_figure()
    assert figure is not None
    bar = figure.colorbar(
        image,
        ax=axes,
        label=findings.metric.label,
        # A bar of many rows is as wide as one of few.
        aspect=max(14.0, 4.2 * len(findings.arms)),
        pad=0.015,
        extend={(1, 0): "min", (0, 1): "max", (1, 1): "both"}.get(
            (int((mean < low).any()), int((mean > high).any())), "neither"
        ),
    )
    bar.outline.set_visible(False)
    if written:
        _write(axes, findings, mean)
    style.arm_rows(axes, findings.arms, range(len(findings.arms)), centre=0.5)
    _tiers(axes, findings)


def _range(findings: Findings, mean: NDArray[np.float64]) -> tuple[float, float]:
    """Ends of the colour scale: the metric's bounds where finite, else the data and q = p.

    Without a bound, one cell far beyond the others would leave them all of one colour: the scale
    then ends at Tukey's outer fence, three times the middle half's width beyond it.
    """
    values = mean[np.isfinite(mean)]
    first, third = np.quantile(values, [0.25, 0.75]) if values.size else (0.0, 0.0)
    if third > first:
        values = np.clip(values, first - 3 * (third - first), third + 3 * (third - first))
    if math.isfinite(findings.metric.perfect):
        values = np.append(values, findings.metric.perfect)
    low, high = findings.metric.bounds
    low = low if math.isfinite(low) else float(values.min(initial=0.0))
    high = high if math.isfinite(high) else float(values.max(initial=low))
    return low, high if high > low else low + 1.0


def _beyond(findings: Findings, mean: NDArray[np.float64]) -> Markup:
    """Which cells the colours do not reach, for the caption; empty where they reach all."""
    low, high = _range(findings, mean)
    beyond = int(((mean < low) | (mean > high)).sum())
    if not beyond:
        return Markup("")
    return Markup(" Colours end at {}, and {} beyond {} the last one.").format(
        prose.listing(
            findings.show(end) for end, out in ((low, mean < low), (high, mean > high)) if out.any()
        ),
        prose.plural(beyond, "cell"),
        "has" if beyond == 1 else "have",
    )


def _texts(findings: Findings, mean: NDArray[np.float64]) -> NDArray[np.str_]:
    diverged = findings.flat(findings.cells["diverged"])
    counts = (diverged, _scored(findings), _trials(findings))
    texts = [
        findings.show(value)
        + (f"\n{count} div." if count else "")
        + (f"\n{scored} of {trials}" if scored < trials else "")
        for value, count, scored, trials in zip(
            mean.flat, *(own.flat for own in counts), strict=True
        )
    ]
    return np.asarray(texts).reshape(mean.shape)


def _scored(findings: Findings) -> NDArray[np.int64]:
    """Trials of each cell that have a score, of which its mean is."""
    return findings.flat(findings.cells["seeds"])


def _trials(findings: Findings) -> NDArray[np.int64]:
    """Trials of each cell that are planned."""
    return findings.flat(findings.cells["trials"])


def _write(axes: Axes, findings: Findings, mean: NDArray[np.float64]) -> None:
    """Each value on its cell; why a cell has none: not planned, or nothing recorded."""
    texts, excluded = _texts(findings, mean), findings.excluded_points
    shades = axes.collections[0]
    for at in np.ndindex(*mean.shape):
        empty = "not\nplanned" if excluded[at] else "no\nscore"
        known = bool(np.isfinite(mean[at]))
        axes.text(
            at[1] + 0.5,
            at[0] + 0.5,
            str(texts[at]) if known else empty,
            ha="center",
            va="center",
            fontsize=8.5 if known else 7,
            linespacing=1.25 if known else 1.2,
            color=style.ink_on(shades.to_rgba(mean[at])) if known else style.MUTED,
        )


def _fitting(columns: float) -> int:
    """Characters of a label over a share of all columns."""
    return style.fitting(0.88 * COLUMNS_WIDE * columns, LABEL)


def _slanted(findings: Findings) -> float:
    """Points by which the labels of the last axis are higher where they are slanted; else zero.

    They are where one would be cut: cut, they are often the same.
    """
    settings = len(findings.settings)
    longest = max((len(setting[-1]) for setting in findings.settings if setting), default=0)
    if COLUMNS_WIDE / settings < LABEL_WIDE or longest <= _fitting(1 / settings):
        return 0.0
    return math.sin(math.radians(SLANT)) * 0.6 * LABEL * min(longest, MOST_SLANTED)


def _tiers(axes: Axes, findings: Findings) -> None:
    """Column labels in one line per axis, the slowest axis on top; equal neighbours share one."""
    figure = axes.get_figure(root=True)
    depth, slanted = len(findings.axes), _slanted(findings)
    at_top = axes.get_xaxis_transform()
    for tier, axis in enumerate(findings.axes):
        groups = Counter(setting[: tier + 1] for setting in findings.settings)
        room = COLUMNS_WIDE * min(groups.values()) / len(findings.settings) >= LABEL_WIDE
        last = tier == depth - 1
        height = 4 + TIER * (depth - 1 - tier) + (0 if last else slanted)
        axes.annotate(
            style.short_name(axis, 24) if room else f"{axis} ({findings.ds.sizes[axis]})",
            (0, 1),
            xycoords=at_top,
            xytext=(-16, height + 3),
            textcoords="offset points",
            ha="right",
            fontsize=LABEL,
            color=style.MUTED,
        )
        column = 0
        for prefix, width in groups.items() if room else ():
            middle = column + width / 2
            slant = last and slanted > 0
            most = MOST_SLANTED if slant else _fitting(width / len(findings.settings))
            axes.annotate(
                style.short_name(prefix[-1], most),
                (middle, 1),
                xycoords=at_top,
                xytext=(0, height + 3),
                textcoords="offset points",
                ha="left" if slant else "center",
                rotation=SLANT if slant else 0,
                rotation_mode="anchor",
                fontsize=LABEL,
            )
            if width > 1:
                axes.plot(
                    [column + 0.06, column + width - 0.06],
                    [1, 1],
                    transform=offset_copy(at_top, figure, y=height, units="points"),
                    color=style.RULE,
                    linewidth=0.8,
                    clip_on=False,
                )
            column += width


class SettingScores(Section):
    """The score of every arm at every setting, as a heat map."""

    place = 80
    label = "Settings"
    charts = (
        Chart(
            "heatmap",
            """Score of every arm at every setting, mean over seeds (`ds.gan.setting_scores`).""",
            draw,
            draw_on,
            metric=True,
            single=True,
        ),
    )

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Where there are several settings."""
        return findings.several
