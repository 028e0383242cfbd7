"""The figures of the report, one line each: `plot.heatmap(ds)` draws what `heatmap.png` shows.

ds      what `ganstudy.open_run` returns; of a search, figures of arms show each arm at its best
        point
metric  drawn in place of the study's headline metric
ax      draw there, with the fonts and sizes that are set in matplotlib, and return it: the first
        panel where a figure has several, so that `gallery(ds.sel(divergence=["hinge"]), ax=ax)`
        draws that arm; all but `answer` and `pictures` take it

Without `ax` a figure is made as for the report, in the report's size, and shown where pyplot shows
figures. What returns then is its Axes, or an array of its Axes, row by row, where it has several
panels. What can be missing from a dataset (exact divergences, samples, labels, several objectives)
raises `ValueError` with the reason.

Each section of the report (`ganstudy.report.sections`) brings its figures; their functions are made
here, those of plug-ins once the plug-in is loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis import accessor  # noqa: F401  # for `ds.gan`
from ganstudy.report import style, theory, verdicts
from ganstudy.report.findings import Findings
from ganstudy.report.sections import Chart, family

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from ganstudy.report.drawing import Drawing

Panels = NDArray[np.object_]
"""The Axes of a figure with several panels, row by row."""


def pictures(ds: xr.Dataset) -> dict[str, Panels]:
    """The classical pictures of a theory study by name, such as orbits and phase portraits."""
    found = Findings.of(ds)
    with style.figure_style():
        drawings = theory.drawings(found)
    _refuse("" if drawings else f"the kind {ds.attrs.get('kind')!r} has none")
    return {drawing.name: _shown(drawing) for drawing in drawings}


def answer(ds: xr.Dataset) -> Panels:
    """The picture beside the verdict of the page: arms, what explains the score, or a budget."""
    found = Findings.of(ds)
    with style.figure_style():
        drawing = verdicts.picture(found)
    _refuse("" if drawing else "no arm has a score, or the study asks whether claims hold")
    assert drawing is not None
    return _shown(drawing)


def _charts() -> Iterator[Chart]:
    for section in family:
        yield from section.charts


def _function(chart: Chart) -> Callable[..., Any]:
    """The function of a figure, with the arguments that it can take."""

    def draw(
        ds: xr.Dataset, *names: str, metric: str | None = None, ax: Axes | None = None
    ) -> Axes | Panels:
        found = Findings.of(ds, metric=metric)
        _refuse("" if names else chart.missing(found))
        if ax is None:
            with style.figure_style():
                drawing = chart.draw(found, *names)
            panels = _shown(drawing)
            first: Axes = panels[0]
            return first if chart.single else panels
        chart.draw_on(ax, found, *names)
        if chart.legend:
            style.arm_legend(ax, found.arms, chart.legend, settings=chart.settings(found))
        ax.set_axisbelow(True)
        return ax

    def by_metric(ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None) -> Any:
        return draw(ds, metric=metric, ax=ax)

    def of_curves(ds: xr.Dataset, *names: str, ax: Axes | None = None) -> Any:
        return draw(ds, *names, ax=ax)

    def plain(ds: xr.Dataset, *, ax: Axes | None = None) -> Any:
        return draw(ds, ax=ax)

    own: Callable[..., Any] = by_metric if chart.metric else of_curves if chart.curves else plain
    own.__name__ = own.__qualname__ = chart.name
    own.__doc__ = inspect.cleandoc(chart.about)
    return own


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*(chart.name for chart in _charts()), "answer", "pictures"])
    for chart in _charts():
        if chart.name == name:
            return globals().setdefault(name, _function(chart))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__getattr__("__all__"))


def _refuse(reason: str) -> None:
    if reason:
        raise ValueError(f"nothing to draw: {reason}")


def _shown(drawing: Drawing) -> Panels:
    """The panels of a figure, handed to pyplot, which shows it."""
    plt.figure(drawing.figure)
    visible = [axes for axes in drawing.figure.axes if axes.get_visible()]
    panels = np.empty(len(visible), dtype=object)
    panels[:] = visible
    return panels
