"""The gallery: final samples of one seed over the target, a row per arm, a column per setting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from ganstudy.analysis import trial_scores
from ganstudy.report import prose, style
from ganstudy.report.contours import (
    backdrop,
    data_descriptions,
    density,
    draw_discs,
    empty_square,
    features_of,
    gone,
    in_a_plane,
)
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import MOST_COLUMNS, MOST_ROWS, how_it_ended, thinned
from ganstudy.report.sections._base import Chart, Section
from ganstudy.targets import target_of

_SMALL = {"size": 1.3, "alpha": 0.45}
"""Discs of panels that stand close together, with thousands in each."""


@dataclass(frozen=True)
class _Cell:
    """What one panel shows."""

    samples: NDArray[np.float32]
    target: str
    status: str
    diverged_at: float


def draw(findings: Findings) -> Drawing:
    """Samples of the first seed."""
    rows = thinned(len(findings.arms), MOST_ROWS)
    columns = thinned(len(findings.settings), MOST_COLUMNS)
    wrapped = len(findings.settings) == 1
    figure, panels = (_wrapped if wrapped else _grid)(findings, rows, columns)
    cells = _Cells(findings)
    for row, arm in enumerate(rows):
        for column, setting in enumerate(columns):
            _panel(panels[row, column], cells[arm, setting], findings.colours[arm])
    last = findings.flat(trial_scores(findings.ds)["last"].isel(seed=0))[np.ix_(rows, columns)]
    alt = (
        f"Final samples over the target, {prose.plural(len(rows), 'arm')} by "
        f"{prose.plural(len(columns), findings.column)}. Their {findings.metric.long_name}, lowest "
        f"to highest: {prose.spans([findings.arms[row] for row in rows], last)}."
    )
    return Drawing("gallery", figure, alt, _caption(findings, len(rows), len(columns)))


def draw_on(axes: Axes, findings: Findings) -> None:
    """The panel of the first arm at the first setting."""
    _panel(axes, _Cells(findings)[0, 0], findings.colours[0])


def _grid(
    findings: Findings, rows: list[int], columns: list[int]
) -> tuple[Figure, NDArray[np.object_]]:
    """Empty panels, a labelled row per arm and a titled column per setting."""
    side = min(1.26, 10.0 / len(columns)) if len(columns) > 2 else 1.8
    size = (0.45 + side * len(columns), 0.25 + 0.15 * len(findings.axes) + side * len(rows))
    figure = Figure(
        figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    )
    panels = figure.subplots(len(rows), len(columns), squeeze=False)
    for row, arm in enumerate(rows):
        label = fill(findings.arms[arm], max(16, round(13 * side)))
        panels[row, 0].set_ylabel(label, fontsize=8.5, color=style.INK)
    for column, setting in enumerate(columns):
        named = zip(findings.axes, findings.settings[setting], strict=True)
        title = "\n".join(_within(axis, value, style.fitting(side, 7)) for axis, value in named)
        panels[0, column].set_title(title, fontsize=7, loc="center", color=style.MUTED)
    return figure, panels


def _within(axis: str, value: str, most: int) -> str:
    """`lr slow`; the value alone where both do not fit."""
    whole = f"{axis} {value}"
    return whole if len(whole) <= most else style.short_name(value, most)


def _wrapped(
    findings: Findings, rows: list[int], columns: list[int]
) -> tuple[Figure, NDArray[np.object_]]:
    """Empty panels for the only setting, a titled panel per arm, side by side."""
    across = min(4, len(rows))
    down = math.ceil(len(rows) / across)
    figure = Figure(figsize=(2.4 * across, 2.6 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).reshape(-1, 1)
    for panel in panels[len(rows) :, 0]:
        panel.set_visible(False)
    for panel, arm in zip(panels[:, 0], rows, strict=False):
        title = fill(findings.arms[arm], 34)
        panel.set_title(title, fontsize=9, loc="center", color=style.INK)
    return figure, panels


class _Cells:
    """Panels by index of arm and setting, for the first seed."""

    def __init__(self, findings: Findings) -> None:
        first = findings.ds.isel(seed=0)
        template = first["status"]
        self.samples = findings.flat(first["samples"].transpose(..., "sample", "feature"))
        self.target = findings.flat(xr.broadcast(first["target_settings"], template)[0])
        self.status = findings.flat(template)
        self.diverged_at = findings.flat(first["diverged_at"])

    def __getitem__(self, key: tuple[int, int]) -> _Cell:
        return _Cell(
            self.samples[key],
            str(self.target[key]),
            str(self.status[key]),
            float(self.diverged_at[key]),
        )


def _panel(axes: Axes, cell: _Cell, colour: str) -> None:
    empty_square(axes)
    # A point that the study excludes has no configuration, and so no target to draw.
    if cell.status != "excluded":
        draw_samples = _histogram if features_of(cell.target) == 1 else _scatter
        draw_samples(axes, cell, colour)
    if cell.status != "complete":
        axes.text(
            0.5,
            0.5,
            how_it_ended(cell.status, cell.diverged_at),
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=7,
            color=style.INK,
            linespacing=1.3,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2},
        )


def _scatter(axes: Axes, cell: _Cell, colour: str) -> None:
    behind = backdrop(cell.target)
    (x, y), half = behind.centre, behind.half_width
    axes.set_xlim(x - half, x + half)
    axes.set_ylim(y - half, y + half)
    axes.add_collection(LineCollection(behind.lines, colors="#4b5563", linewidths=0.5, zorder=3))
    if behind.points is not None:
        draw_discs(axes, behind.points, style.MUTED, zorder=1, **_SMALL)
    if cell.status != "complete":
        return
    # Trials that store fewer samples than others are padded with NaN.
    projected = behind.project(cell.samples)
    points = projected[np.isfinite(projected).all(axis=1)]
    draw_discs(axes, points, colour, zorder=2, **_SMALL)
    _tell_outside(
        axes, 1 - np.mean((np.abs(points - np.asarray(behind.centre)) <= half).all(axis=1))
    )


def _histogram(axes: Axes, cell: _Cell, colour: str) -> None:
    """Heights are densities of all samples, those outside among them, and no bar is cut off."""
    x, height = density(cell.target)
    axes.plot(x, height, color=style.MUTED, linewidth=0.8)
    axes.set_xlim(x[0], x[-1])
    highest = float(height.max())
    if cell.status == "complete":
        known = cell.samples[:, 0][np.isfinite(cell.samples[:, 0])]
        counts, edges = np.histogram(known, bins=60, range=(x[0], x[-1]))
        heights = counts / max(len(known), 1) / np.diff(edges)
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.6)
        highest = max(highest, float(heights.max()))
        _tell_outside(axes, 1 - counts.sum() / max(len(known), 1))
    axes.set_ylim(0, 1.15 * highest)


def _tell_outside(axes: Axes, share: float) -> None:
    """Below the panel, where no sample can be."""
    if share >= 0.01:
        axes.set_xlabel(f"{share:.0%} outside", fontsize=6, loc="right", labelpad=1)


def _caption(findings: Findings, rows: int, columns: int) -> Markup:
    seed = findings.ds["seed"].values[0]
    parts = [
        f"Final samples of {findings.unit} {seed}, the first; no panel was chosen by its looks."
    ]
    known = {features_of(target) for target in findings.targets}
    lines = {target_of(own).has_density for own in findings.targets if features_of(own) == 1}
    if lines:
        stated = {True: "the target's density", False: "a histogram of the target's samples"}
        told = [stated[own] for own in sorted(lines, reverse=True)]
        parts.append(f"Grey line: {' or '.join(told)}.")
    drawn = [own for own in findings.targets if features_of(own) > 1 and not gone(own)]
    ways = {"samples" if backdrop(own).points is not None else "contour" for own in drawn}
    if ways:
        contour = "the contour that holds 98.9% of it"
        how = {"samples": "samples of it", "contour": contour}
        parts.append(f"Grey: the target, as {' or '.join(how[way] for way in sorted(ways))}.")
    if max(known) > 2:
        parts.append(
            f"Of {max(known)} features the target's two leading principal components are drawn."
        )
    parts += [f"Data: {text}." for text in data_descriptions(findings.targets)]
    if left_out := findings.left_out(rows, columns):
        parts.append(left_out)
    return Markup(" ").join(parts)


def _missing(findings: Findings) -> str:
    known = findings.targets
    if "samples" in findings.ds and known and all(map(in_a_plane, known)):
        return ""
    return "the trials keep no samples, or have no target in whose plane they could be drawn"


class Samples(Section):
    """What generators make at the end."""

    place = 100
    label = "Samples"
    heading = "Final samples"
    charts = (
        Chart(
            "gallery",
            """Final samples of the first seed over the target, an arm a row and a setting a column.

            `gallery(ds.sel(seed=[3]))` shows another seed, and so on for arms and settings.
            """,
            draw,
            draw_on,
            missing=_missing,
        ),
    )
