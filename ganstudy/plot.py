"""The figures of the report, one line each: `plot.heatmap(ds)` draws what `heatmap.png` shows.

ds      what `ganstudy.open_run` returns; of a search, figures of arms show each arm at its best
        point
metric  drawn in place of the study's headline metric
ax      draw there, with the fonts and sizes that are set in matplotlib, and return it: the first
        panel where a figure has several, so that `gallery(ds.sel(divergence=["hinge"]), ax=ax)`
        draws that arm; all but `pictures` take it

Without `ax` a figure is made as for the report, in the report's size, and shown where pyplot shows
figures. What returns then is its Axes, or an array of its Axes, row by row, where it has several
panels. What can be missing from a dataset (exact divergences, samples, labels, several objectives)
raises `ValueError` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ganstudy.analysis import is_search, tuned
from ganstudy.report import style, theory
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.scenes import scenes
from ganstudy.report.sections import bounds as _bounds
from ganstudy.report.sections import critics as _critics
from ganstudy.report.sections import curves as _curves
from ganstudy.report.sections import effects as _effects
from ganstudy.report.sections import film_stills as _film_stills
from ganstudy.report.sections import gallery as _gallery
from ganstudy.report.sections import heatmap as _heatmap
from ganstudy.report.sections import labels as _labels
from ganstudy.report.sections import profile as _profile
from ganstudy.report.sections import ranking as _ranking
from ganstudy.report.sections import search as _search
from ganstudy.report.sections import stability as _stability
from ganstudy.report.sections.search import Searched

__all__ = [
    "bounds",
    "budget",
    "critics",
    "curves",
    "diagnostics",
    "effects",
    "film",
    "gallery",
    "heatmap",
    "importances",
    "labels",
    "pareto",
    "performance_profile",
    "pictures",
    "ranking",
    "stability",
]

Panels = NDArray[np.object_]
"""The Axes of a figure with several panels, row by row."""


@overload
def ranking(ds: xr.Dataset, metric: str | None = None, *, ax: Axes) -> Axes: ...
@overload
def ranking(ds: xr.Dataset, metric: str | None = None, *, ax: None = None) -> Panels: ...
def ranking(ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None) -> Axes | Panels:
    """Every arm's score with its interval and its seeds, best first.

    Left, or on `ax`: averaged over settings (`ds.gan.rank_arms`); right: each arm at its own best
    setting (`ds.gan.best_setting_scores`).
    """
    found = _findings(ds, metric)
    if ax is not None:
        return _onto(ax, _ranking.draw_on, found)
    return _panels(_ranking.draw, found)


def performance_profile(
    ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """The share of each arm's trials that score at least a level (`ds.gan.performance_profile`)."""
    found = _findings(ds, metric)
    if ax is not None:
        return _onto(ax, _profile.draw_on, found, legend=found.arms)
    return _panel(_profile.draw, found)


@overload
def effects(ds: xr.Dataset, metric: str | None = None, *, ax: Axes) -> Axes: ...
@overload
def effects(ds: xr.Dataset, metric: str | None = None, *, ax: None = None) -> Panels: ...
def effects(ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None) -> Axes | Panels:
    """Which axis matters: variance explained, and the mean at each value of each axis.

    Left, or on `ax`: shares of variance (`ds.gan.factor_effects`); right: `ds.gan.marginal_means`.
    """
    found = _findings(ds, metric)
    _need(_effects.drawable(found), "there are no settings, or all scores are equal")
    if ax is not None:
        return _onto(ax, _effects.draw_on, found)
    return _panels(_effects.draw, found)


def heatmap(ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None) -> Axes:
    """The score of every arm at every setting, mean over seeds (`ds.gan.setting_scores`)."""
    found = _findings(ds, metric)
    if ax is not None:
        return _onto(ax, _heatmap.draw_on, found)
    return _panel(_heatmap.draw, found)


@overload
def curves(ds: xr.Dataset, metric: str | None = None, *, ax: Axes) -> Axes: ...
@overload
def curves(ds: xr.Dataset, metric: str | None = None, *, ax: None = None) -> Panels: ...
def curves(ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None) -> Axes | Panels:
    """A metric over training: a line for each arm with a band from its lowest to its highest seed.

    A panel for each setting; on `ax`, or with many settings, arms are averaged over settings.
    """
    found = _findings(ds, metric)
    if ax is not None:
        return _onto(ax, _curves.draw_score_on, found, legend=found.arms)
    return _panels(_curves.draw_score, found)


@overload
def diagnostics(ds: xr.Dataset, *names: str, ax: Axes) -> Axes: ...
@overload
def diagnostics(ds: xr.Dataset, *names: str, ax: None = None) -> Panels: ...
def diagnostics(ds: xr.Dataset, *names: str, ax: Axes | None = None) -> Axes | Panels:
    """Losses, gradients and all else that is recorded: each arm's median trial and its quartiles.

    names  variables with a dimension `step`, by default all but the headline metric; on `ax` one

    Errors  `KeyError` for a name that is not recorded.
    """
    found = _findings(ds)
    recorded = [str(name) for name in ds.data_vars if "step" in ds[name].dims]
    for name in names:
        if name not in recorded:
            raise KeyError(f"no curve {name!r}; the dataset has {', '.join(recorded)}")
    if ax is not None:
        _need(len(names) == 1, "one axes takes one curve; name it")
        return _onto(ax, _curves.draw_other_on, found, names[0], legend=found.arms)
    chosen = names or _curves.other_curves(found)
    _need(bool(chosen), "nothing but the headline metric is recorded over training")
    return _panels(_curves.draw_others, found, chosen)


@overload
def bounds(ds: xr.Dataset, *, ax: Axes) -> Axes: ...
@overload
def bounds(ds: xr.Dataset, *, ax: None = None) -> Panels: ...
def bounds(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes | Panels:
    """What critics claim of their divergence against its exact value, a panel for each arm."""
    found = _findings(ds)
    _need(_bounds.drawable(found), "no exact divergence is known; affine generators have one")
    if ax is not None:
        return _onto(ax, _bounds.draw_on, found)
    return _panels(_bounds.draw, found)


def labels(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Conditional generators label by label: the share of samples that are true to their label."""
    found = _findings(ds)
    reason = f"no trial is conditional, or there are more than {_labels.MOST_LABELS} labels"
    _need(_labels.drawable(found), reason)
    if ax is not None:
        return _onto(ax, _labels.draw_on, found)
    return _panel(_labels.draw, found)


@overload
def gallery(ds: xr.Dataset, *, ax: Axes) -> Axes: ...
@overload
def gallery(ds: xr.Dataset, *, ax: None = None) -> Panels: ...
def gallery(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes | Panels:
    """Final samples of the first seed over the target, an arm a row and a setting a column.

    `gallery(ds.sel(seed=[3]))` shows another seed, and so on for arms and settings.
    """
    found = _findings(ds)
    _need(_gallery.drawable(found), "the trials keep no samples, or have no target to draw")
    if ax is not None:
        return _onto(ax, _gallery.draw_on, found)
    return _panels(_gallery.draw, found)


@overload
def critics(ds: xr.Dataset, *, ax: Axes) -> Axes: ...
@overload
def critics(ds: xr.Dataset, *, ax: None = None) -> Panels: ...
def critics(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes | Panels:
    """What the critic of one trial of each arm says of every place at the end."""
    found = _findings(ds)
    judged = [scene for scene in scenes(found) if scene.logits is not None]
    _need(bool(judged), "no trial has a film with a critic of points: see `record.frames`")
    if ax is not None:
        return _onto(ax, _critics.draw_on, judged[0])
    return _panels(_critics.draw, found, judged)


@overload
def film(ds: xr.Dataset, *, ax: Axes) -> Axes: ...
@overload
def film(ds: xr.Dataset, *, ax: None = None) -> Panels: ...
def film(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes | Panels:
    """First, middle and last frame of how one generator of each arm moved, over its gradients.

    On `ax` the last frame.
    """
    found = _findings(ds)
    shown = scenes(found)
    _need(bool(shown), "no trial has a film: see `record.frames`")
    if ax is not None:
        return _onto(ax, _film_stills.draw_on, found, shown[0])
    return _panels(_film_stills.draw, found, shown)


@overload
def stability(ds: xr.Dataset, metric: str | None = None, *, ax: Axes) -> Axes: ...
@overload
def stability(ds: xr.Dataset, metric: str | None = None, *, ax: None = None) -> Panels: ...
def stability(
    ds: xr.Dataset, metric: str | None = None, *, ax: Axes | None = None
) -> Axes | Panels:
    """Share of trials diverged, drops per trial and drawdown (`ds.gan.stability`)."""
    found = _findings(ds, metric)
    if ax is not None:
        return _onto(ax, _stability.draw_on, found)
    return _panels(_stability.draw, found)


@overload
def budget(ds: xr.Dataset, *, ax: Axes) -> Axes: ...
@overload
def budget(ds: xr.Dataset, *, ax: None = None) -> Panels: ...
def budget(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes | Panels:
    """Best score so far against the number of points that a search tried, with held-out scores.

    Left, or on `ax`: the best point so far (`analysis.best_by_budget`); right: every point.
    """
    found = _searched(ds)
    if ax is not None:
        return _onto(ax, _search.draw_budget_on, found, legend=found.arm_names)
    return _panels(_search.draw_budget, found)


def importances(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """How much each parameter of a search decides (`analysis.importances`)."""
    found = _searched(ds)
    _need(_search.has_importances(found), "too few points have a score, or all scores are equal")
    if ax is not None:
        return _onto(ax, _search.draw_importances_on, found, legend=found.arm_names)
    return _panel(_search.draw_importances, found)


def pareto(ds: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """All points of a search by its first two objectives, with the Pareto front of each arm."""
    found = _searched(ds)
    _need(_search.has_front(found), "the search has one objective")
    if ax is not None:
        return _onto(ax, _search.draw_pareto_on, found, legend=found.arm_names)
    return _panel(_search.draw_pareto, found)


def pictures(ds: xr.Dataset) -> dict[str, Panels]:
    """The classical pictures of a theory study by name, such as orbits and phase portraits."""
    found = _findings(ds)
    with style.figure_style():
        drawings = theory.drawings(found)
    _need(bool(drawings), f"the kind {ds.attrs.get('kind')!r} has none")
    return {drawing.name: _shown(drawing) for drawing in drawings}


def _findings(ds: xr.Dataset, metric: str | None = None) -> Findings:
    grid = tuned(ds) if is_search(ds) else ds
    return Findings.of(grid if metric is None else grid.assign_attrs(score=metric))


def _searched(ds: xr.Dataset) -> Searched:
    _need(is_search(ds), "the study is a grid, not a search")
    return Searched.of(ds)


def _need(possible: bool, reason: str) -> None:
    if not possible:
        raise ValueError(f"nothing to draw: {reason}")


def _panels(draw: Callable[..., Drawing | None], *arguments: object) -> Panels:
    with style.figure_style():
        drawing = draw(*arguments)
    assert drawing is not None
    return _shown(drawing)


def _panel(draw: Callable[..., Drawing | None], *arguments: object) -> Axes:
    first = _panels(draw, *arguments)[0]
    assert isinstance(first, Axes)
    return first


def _shown(drawing: Drawing) -> Panels:
    """The panels of a figure, handed to pyplot, which shows it."""
    plt.figure(drawing.figure)
    visible = [axes for axes in drawing.figure.axes if axes.get_visible()]
    panels = np.empty(len(visible), dtype=object)
    panels[:] = visible
    return panels


def _onto(
    ax: Axes, draw: Callable[..., None], *arguments: object, legend: Sequence[str] | None = None
) -> Axes:
    draw(ax, *arguments)
    if legend is not None:
        style.arm_legend(ax, legend)
    ax.set_axisbelow(True)
    return ax
