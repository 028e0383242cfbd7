"""Basins: how high the way out of collapse has to rise, and the landscape of two points."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.theory._grid import arrays, mean_along, over_seeds, recorded

Array = NDArray[np.float64]

_SHOWN = 2.0
"""Highest relative height that figures show: unbounded losses go on to that of their bound."""
_LANDSCAPES = _SAID = 8
"""Arms whose landscape is drawn, and whose heights are said."""


def draw(findings: Findings) -> list[Drawing]:
    """Rises relative to what recovery wins, by setting; the landscapes of the first arms."""
    return [_rises(findings), _landscapes(findings)]


def call(_: Findings) -> str:
    """What the sentences rest on."""
    return "ds[['bad_basins', 'barrier', 'value', 'recovered_value']]"


def sentences(findings: Findings) -> list[Markup]:
    """Which arms have no bad basin in any trial, and the three heights of each arm."""
    basins = recorded(findings, "bad_basins")[..., -1]
    free = [
        name
        for name, counts in zip(findings.arms, basins, strict=True)
        if np.isfinite(counts).all() and not counts.any()
    ]
    said = []
    if free:
        bad = int((basins > 0).any(axis=(1, 2)).sum())
        said.append(
            Markup("No trial of {} has a bad basin; {} of {} {} them.").format(
                prose.names(free),
                bad,
                prose.plural(len(findings.arms), "arm"),
                "has" if bad == 1 else "have",
            )
        )
    recovered, out = recorded(findings, "recovered_value"), recorded(findings, "value")
    heights = np.stack([recovered[..., 0], out[..., 0], _half_way(findings, out)], axis=-1)
    # What finding the best critic leaves open is not told as a height.
    told = np.round(over_seeds(heights)[:, 0], 6) + 0.0
    half = bool((~np.isnan(told[:_SAID, -1])).any())
    told = told if half else told[:, :-1]
    parts = [
        f"{prose.quoted(name)} " + " / ".join(map(prose.short, told[arm]))
        for arm, name in enumerate(findings.arms[:_SAID])
    ]
    said.append(
        Markup("Value at recovery / at collapse{}{}{}: {}.").format(
            " / with a point half the way between" if half else "",
            f", of the {first}" if (first := _first(findings)) else "",
            f" ({findings.setting_label(findings.settings[0])})" if findings.axes else "",
            "; ".join(parts),
        )
    )
    return said


def _half_way(findings: Findings, out: Array) -> Array:
    """Heights half the way out of collapse, `(arms, settings, seeds)`; NaN without such a record.

    A way of an odd number of steps has no such place, and records may leave it out.
    """
    steps = findings.ds["step"].values
    last = np.where(np.isnan(out), 0, steps).max(-1, keepdims=True)
    return mean_along(np.where(2 * steps == last, out, np.nan), -1)


def _first(findings: Findings) -> str:
    """Which arms are drawn and told; empty where all are."""
    count = len(findings.arms)
    return f"first {_SAID} of {count} arms" if count > _SAID else ""


def _relative(findings: Findings, name: str) -> Array:
    """Heights as shares of what recovery wins, shape `(arms, settings, seeds)`."""
    won = recorded(findings, "value")[..., 0] - recorded(findings, "recovered_value")[..., 0]
    return _shares(recorded(findings, name)[..., -1], won)


def _shares(heights: Array, won: Array) -> Array:
    """Infinite where recovery wins nothing, and NaN where there is nothing to overcome either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(heights / won)


def _rises(findings: Findings) -> Drawing:
    rise = over_seeds(_relative(findings, "barrier"))
    arms, places = findings.arms, np.arange(len(findings.arms))[::-1]
    figure = Figure(figsize=(8.6, 1.2 + 0.24 * len(arms)), layout="constrained")
    axes = figure.subplots()
    colours = style.arm_colours(rise.shape[1])
    for setting, colour in enumerate(colours):
        shown = np.minimum(rise[:, setting], _SHOWN)
        beyond = rise[:, setting] > _SHOWN
        offset = 0.12 * (setting - (len(colours) - 1) / 2)
        label = findings.setting_label(findings.settings[setting])
        axes.hlines(places - offset, 0, shown, color=colour, linewidth=1.2)
        for kept, marker in ((~beyond, "o"), (beyond, ">")):
            axes.plot(
                shown[kept],
                (places - offset)[kept],
                color=colour,
                marker=marker,
                linestyle="none",
                markersize=5,
                label=label if marker == "o" else None,
            )
    axes.axvline(0, color=style.MUTED, linewidth=1)
    axes.set_yticks(places, arms)
    axes.set_xlabel("barrier of collapse, as a share of what recovery wins")
    axes.grid(axis="x")
    if len(colours) > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    caption = Markup(
        "How far the best way out of collapse has to rise, divided by the fall from collapse to "
        "recovery. At 0 there is a way that never rises. Arrows go on beyond {:g}. Of an unbounded "
        "loss the rise or the fall grows with the largest logit of a critic."
    ).format(_SHOWN)
    alt = f"Barrier of collapse relative to what recovery wins: {prose.spans(arms, rise)}."
    return Drawing("rises", figure, alt, caption)


def _landscapes(findings: Findings) -> Drawing:
    sections = arrays(findings)[:_LANDSCAPES, 0, 0]
    won = recorded(findings, "value")[:_LANDSCAPES, 0, 0, 0]
    low = recorded(findings, "recovered_value")[:_LANDSCAPES, 0, 0, 0]
    heights = _shares(sections - low[:, None, None], (won - low)[:, None, None])
    columns = min(4, len(heights))
    rows = -(-len(heights) // columns)
    figure = Figure(figsize=(2.5 * columns + 0.6, 2.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    ticks = [0, heights.shape[-1] - 1]
    image = None
    for axes, height, name in zip(panels.ravel(), heights, findings.arms, strict=False):
        image = axes.imshow(height.T, origin="lower", cmap="viridis", vmin=0, vmax=_SHOWN)
        axes.set_title(name, fontsize=8, color=style.INK)
        axes.set_xticks(ticks, ["x₁", "x₂"])
        axes.set_yticks(ticks, ["x₁", "x₂"])
    style.bottom_row(panels, len(heights), "first generated point")
    for axes in panels[:, 0]:
        axes.set_ylabel("second")
    if image is not None:
        figure.colorbar(image, ax=panels, label="height; recovery 0, collapse 1", shrink=0.8)
    caption = Markup(
        "Value at the best critic with a generated point along each axis, between two data points "
        "x₁ and x₂, as a share of what recovery wins ({}). Collapse is in the lower "
        "left and the upper right corner, recovery in the others. A corner that is a pit is a bad "
        "basin; one that lies at the end of an edge of its own height is none.{}"
    ).format(
        ", ".join([*filter(None, [findings.setting_label(findings.settings[0])]), "first seed"]),
        f" The {first}." if (first := _first(findings)) else "",
    )
    alt = (
        "Landscapes of two generated points. Relative heights from least to most: "
        f"{prose.spans(findings.arms[:_LANDSCAPES], heights)}."
    )
    return Drawing("landscapes", figure, alt, caption)
