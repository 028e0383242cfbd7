"""The look of all figures, and the one colour that each arm has everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

INK = "#1f2328"
MUTED = "#6b7280"
RULE = "#d5d9df"
FAMILIES = ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"]

ORDER = (0, 1, 2, 4, 3, 9, 5, 7)
"""Order in which seaborn's colour-blind palette is used: neighbours differ in lightness too."""


def arm_colours(arms: int) -> list[str]:
    """One colour per arm, in study order; past eight arms, steps of a lightness ramp."""
    if arms <= len(ORDER):
        palette = sns.color_palette("colorblind").as_hex()
        return [str(palette[index]) for index in ORDER[:arms]]
    return [str(colour) for colour in sns.color_palette("viridis", arms).as_hex()]


@contextmanager
def figure_style() -> Iterator[None]:
    """Matplotlib's settings for the report, restored afterwards."""
    known = set(font_manager.get_font_names())
    settings: dict[Any, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": [family for family in FAMILIES if family in known],
        "font.size": 9.0,
        "axes.titlesize": 9.0,
        "axes.titleweight": "normal",
        "axes.titlelocation": "left",
        "axes.labelsize": 9.0,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": RULE,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": False,
        "grid.color": "#eceef1",
        "grid.linewidth": 0.8,
        "text.color": INK,
        "xtick.color": RULE,
        "ytick.color": RULE,
        "xtick.labelcolor": MUTED,
        "ytick.labelcolor": MUTED,
        "xtick.labelsize": 8.0,
        "ytick.labelsize": 8.0,
        "xtick.major.size": 3.0,
        "ytick.major.size": 3.0,
        "legend.frameon": False,
        "legend.fontsize": 9.0,
        "lines.linewidth": 1.6,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.fonttype": "path",
        "svg.hashsalt": "ganstudy",
        "axes.unicode_minus": True,
    }
    with mpl.rc_context(settings):
        yield


def bottom_row(panels: NDArray[np.object_], used: int, label: str) -> None:
    """Hide the panels beyond `used`; the lowest that is left in each column has ticks and label."""
    for axes in panels.flat[used:]:
        axes.set_visible(False)
    for column in panels.T:
        lowest = [axes for axes in column if axes.get_visible()][-1]
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel(label)


def arm_legend(on: Figure | Axes, arms: Sequence[str]) -> None:
    """A legend of the arms: above the panels of a figure, or within a lone panel."""
    handles = [
        Line2D([], [], color=colour, linewidth=3, label=arm)
        for arm, colour in zip(arms, arm_colours(len(arms)), strict=True)
    ]
    if isinstance(on, Axes):
        on.legend(handles=handles, handlelength=1.2)
        return
    size = float(mpl.rcParams["legend.fontsize"])
    # A column is as wide as its longest name, with the line before it and the gaps around it.
    longest = max(TextPath((0, 0), arm or " ", size=size).get_extents().width for arm in arms)
    columns = int(72 * on.get_figwidth() / (longest + 4.5 * size))
    on.legend(
        handles=handles,
        loc="outside upper left",
        ncols=max(1, min(len(arms), 6, columns)),
        handlelength=1.2,
        columnspacing=1.6,
    )


def arm_rows(axes: Axes, arms: Sequence[str], order: Sequence[int], centre: float = 0.0) -> None:
    """Label rows from the top with arms, each with a mark in its colour; row k is at k + centre."""
    colours = arm_colours(len(arms))
    rows = [row + centre for row in range(len(order))]
    axes.set_yticks(rows, [fill(arms[index], 40) for index in order])
    axes.tick_params(axis="y", length=0, pad=16, labelsize=9, labelcolor=INK)
    axes.set_ylim(rows[-1] + 0.5, -0.5 + centre)
    figure = axes.get_figure(root=True)
    assert figure is not None
    beside = offset_copy(axes.get_yaxis_transform(), figure, x=-9, units="points")
    for row, index in zip(rows, order, strict=True):
        axes.plot(
            [0],
            [row],
            marker="s",
            markersize=6,
            color=colours[index],
            clip_on=False,
            transform=beside,
        )
