"""Names beside the ends of lines, each of which can be read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from ganstudy.report import style


def apart(places: ArrayLike, gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Places in their order, moved least, in squares, so that neighbours are a gap or more apart.

    They lie within the limits if there is room for all; their middles do if there is not.
    """
    given = np.asarray(places, np.float64)
    order = np.argsort(given, kind="stable")
    if (np.diff(given[order]) >= gap).all() and (given >= low).all() and (given <= high).all():
        return given
    from scipy.optimize import isotonic_regression

    steps = gap * np.arange(len(given))
    room = max(high - low - gap * (len(given) - 1), 0.0)
    low = (low + high - room - gap * (len(given) - 1)) / 2
    moved = np.empty_like(given)
    # What rises by a gap from each to the next is level once these gaps are taken off.
    moved[order] = steps + np.clip(isotonic_regression(given[order] - steps).x, low, low + room)
    return moved


def end_labels(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names beside the ends of lines, `(x, y, name, colour)` in data; moved where they overlap.

    The limits of the axes are final. Where names are moved, lines join them to their ends.
    """
    if not ends:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    points = 72 / figure.dpi
    at = points * axes.transData.transform([end[:2] for end in ends])
    low, high = points * axes.bbox.y0, points * axes.bbox.y1
    wide = [style.text_width(end[2], _SIZE) for end in ends]
    groups: list[list[int]] = []
    reached = -math.inf
    for index in np.argsort(at[:, 0], kind="stable").tolist():
        if at[index, 0] > reached:
            groups.append([])
        groups[-1].append(index)
        reached = max(reached, at[index, 0] + 3 * _BESIDE + wide[index])
    for group in groups:
        moved = apart(at[group, 1], 1.3 * _SIZE, low, high) - at[group, 1]
        joined = bool(np.abs(moved).max() > 1)
        for index, up in zip(group, moved.tolist(), strict=True):
            x, y, name, colour = ends[index]
            axes.annotate(
                name,
                (x, y),
                xytext=(3 * _BESIDE if joined else _BESIDE, up),
                textcoords="offset points",
                fontsize=_SIZE,
                va="center",
                color=style.INK,
                arrowprops={"color": colour} | _JOINING if joined else None,
            )


_JOINING = {
    "arrowstyle": "-",
    "linewidth": 0.8,
    "shrinkA": 2,
    "shrinkB": 3,
    "relpos": (0, 0.5),
}
"""Of the lines from names to ends: from the middle of the left side."""

_BESIDE = 6.0
"""Points between the end of a line and its name."""

_SIZE = 8.0
"""Points of the names."""
