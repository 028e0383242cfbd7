"""The look of all figures."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from ganstudy.report.colours import EACH as EACH
from ganstudy.report.colours import HATCHES, MARKERS, STROKES
from ganstudy.report.colours import arm_colours as arm_colours
from ganstudy.report.colours import arm_lines as arm_lines
from ganstudy.report.colours import arm_markers as arm_markers
from ganstudy.report.colours import ink_on as ink_on

INK = "#1f2328"
MUTED = "#6b7280"
RULE = "#d5d9df"
FAMILIES = (
    *("Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"),
    # What these lack is looked for in the others, as far as they are installed.
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Noto Sans JP", "Noto Sans SC"),
    *("Source Han Sans", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
    *("IPAGothic", "IPAexGothic", "TakaoGothic", "Hiragino Sans", "Yu Gothic", "MS Gothic"),
    *("PingFang SC", "Microsoft YaHei", "SimHei", "Apple SD Gothic Neo", "Malgun Gothic"),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai"),
    *("Noto Emoji", "Symbola", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Sans Symbols2"),
)

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@contextmanager
def figure_style() -> Iterator[None]:
    """Matplotlib's settings for the report, whatever the user's are; restored afterwards.

    Text is drawn as it is written: a dollar in a label begins no formula.
    """
    known = set(font_manager.get_font_names())
    settings: dict[Any, Any] = {
        "font.family": [family for family in FAMILIES if family in known],
        "text.parse_math": False,
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
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(settings)
        # A sign that no font has is a box in the figure; the page beside it is text, and has it.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def log_scale(axes: Axes, which: str) -> None:
    """A logarithmic `x` or `y` axis, or both (`xy`), its powers of ten as text.

    Where it has fewer than two of these, what lies between is numbered: one alone is no scale.
    """
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        (axes.set_xscale if name == "x" else axes.set_yscale)("log")
        axis.set_major_formatter(FuncFormatter(partial(_on_log_scale, axis, False)))
        axis.set_minor_formatter(FuncFormatter(partial(_on_log_scale, axis, True)))


def _on_log_scale(axis: Axis, minor: bool, value: float, _: int | None = None) -> str:
    low, high = sorted(axis.get_view_interval())
    if low <= 0 or math.floor(math.log10(high)) > math.ceil(math.log10(low)):
        return "" if minor else _power_of_ten(value)
    first = round(value / 10.0 ** math.floor(math.log10(value)), 6) if value > 0 else 0
    return f"{value:g}" if first in (1, 2, 5) or 0 < high < 4 * low else ""


def _power_of_ten(value: float, position: int | None = None) -> str:
    """A power of ten with its exponent raised; nothing for what is none."""
    exponent = round(math.log10(value)) if value > 0 else 0
    if not math.isclose(value, 10.0**exponent, rel_tol=1e-6):
        return ""
    return "10" + str(exponent).translate(_RAISED)


def bottom_row(panels: NDArray[np.object_], used: int, label: str) -> None:
    """Hide the panels beyond `used`; the lowest that is left in each column has ticks and label."""
    for axes in panels.flat[used:]:
        axes.set_visible(False)
    for column in panels[:, :used].T:
        lowest = [axes for axes in column if axes.get_visible()][-1]
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel(label)


LEGEND_LINE = 1.7
"""Height of a line of a legend with the gap above it, in sizes of its font."""


def arm_legend(
    on: Figure | Axes,
    arms: Sequence[str],
    kind: str = "lines",
    only: Sequence[int] | None = None,
    settings: Sequence[str] = (),
) -> None:
    """A legend of the arms: above the panels of a figure, or within a lone panel.

    The figure is as much higher as the legend has lines beyond the first, and its panels no lower.

    kind      what stands for an arm: `lines` of its stroke, its `markers`, or `colours` alone
    only      arms that are drawn, by their numbers; without it all
    settings  of all arms, where there are several: strokes, markers or hatches are then theirs, and
              arms have their colours alone
    """
    looks: list[dict[str, Any]] = [{"color": colour} for colour in arm_colours(len(arms))]
    of_settings = [_of_setting(kind, *own) for own in enumerate(settings) if len(settings) > 1]
    beside = "colours" if of_settings else kind
    if beside == "lines":
        looks = arm_lines(len(arms))
    elif beside == "markers" and len(arms) > EACH:
        markers = arm_markers(len(arms))
        looks = [own | {"marker": marker} for own, marker in zip(looks, markers, strict=True)]
    # Of strokes and markers more is to be seen than of a colour.
    plain = (len(arms) <= EACH and not of_settings) or kind == "colours"
    wide, handle = (3, 1.2) if plain else (2, 2.6)
    handles: list[Artist] = [
        Line2D([], [], linewidth=wide, label=arms[arm], **looks[arm])
        for arm in (range(len(arms)) if only is None else only)
    ]
    handles += of_settings
    names = [str(own.get_label()) for own in handles]
    if isinstance(on, Axes):
        on.legend(handles=handles, handlelength=handle)
        return
    size = float(mpl.rcParams["legend.fontsize"])
    # A column is as wide as its longest name, with the line before it and the gaps around it.
    longest = max(text_width(name, size) for name in names)
    columns = max(
        1, min(len(names), 6, int(72 * on.get_figwidth() / (longest + (3.3 + handle) * size)))
    )
    lines = math.ceil(len(names) / columns)
    on.set_figheight(on.get_figheight() + LEGEND_LINE * size * (lines - 1) / 72)
    on.legend(
        handles=handles,
        loc="outside upper left",
        ncols=columns,
        handlelength=handle,
        columnspacing=1.6,
    )


def _of_setting(kind: str, number: int, name: str) -> Artist:
    """What a legend shows of a setting, in grey as no arm is."""
    if kind == "colours":
        hatch = HATCHES[number % len(HATCHES)]
        return Patch(facecolor=MUTED, edgecolor="white", linewidth=0, hatch=hatch, label=name)
    look: dict[str, Any] = {"marker": MARKERS[number % len(MARKERS)], "linestyle": "none"}
    if kind == "lines":
        look = {"linestyle": STROKES[number % len(STROKES)], "linewidth": 2}
    return Line2D([], [], color=MUTED, label=name, **look)


def text_width(text: str, size: float) -> float:
    """How wide a text is in points, by the ends and control points of the strokes of its letters.

    None of these is further out than its stroke; to walk along each stroke instead took a
    twentieth of the time of a page.
    """
    if not text.strip():
        return 0.0
    path = TextPath((0, 0), text, size=size)
    across = np.asarray(path.vertices)[np.asarray(path.codes) != TextPath.CLOSEPOLY, 0]
    return float(np.ptp(across))


def short_name(text: str, most: int) -> str:
    """A name that fits, cut where it does not; tables have it in full."""
    return (
        text if len(text) <= most else text[: max(most - 1, 1)].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    )


def fitting(inches: float, size: float) -> int:
    """Characters of a size in points that fit into a width, each about 0.55 of the size wide."""
    return max(int(72 * inches / (0.55 * size)), 4)


def wrap_labels(figure: Figure) -> None:
    """Break labels of axes that are longer than their axes: names of metrics can be sentences."""
    wide, high = figure.get_size_inches()
    for axes in figure.axes:
        place = axes.get_position()
        sides = (place.width * wide, 0.0), (place.height * high, 90.0)
        for axis, (inches, along) in zip((axes.xaxis, axes.yaxis), sides, strict=True):
            label = axis.label
            text = label.get_text() if label.get_rotation() == along else ""
            most = fitting(inches, float(label.get_fontsize()))
            if len(text) > 1.15 * most and "\n" not in text:
                lines = fill(text, max(most, _LEAST_LINE), break_on_hyphens=False)
                label.set_text(lines)


_LEAST_LINE = 16
"""Characters below which a line of a label is not cut, in however small a panel."""


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
