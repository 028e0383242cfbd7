"""Curves over training: the headline metric by setting, and everything else by arm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.analysis import (
    RecordedMetric,
    charged_curves,
    in_comparison,
    metric_names,
    trial_scores,
)
from ganstudy.analysis.design import FRESH
from ganstudy.report import prose, reference, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings

MOST_PANELS = 12
"""With more settings than this the curves of the headline metric are averaged over settings."""

MOST_BANDS = 8
"""With more arms than this curves have no bands, which would lie over each other's lines."""

Array = NDArray[np.float64]


def banded(findings: Findings) -> bool:
    """Whether the curves of arms have bands."""
    return len(findings.arms) <= MOST_BANDS


def _is_curve(variable: xr.DataArray) -> bool:
    """Whether it is recorded over steps; a costly metric has its last step alone."""
    recorded = np.isfinite(variable.values).reshape(-1, variable.sizes["step"]).any(axis=0)
    return int(recorded.sum()) >= min(2, len(recorded))


def no_curve(findings: Findings) -> str:
    """Why the headline metric has no curve; empty where it has."""
    variable = findings.ds[findings.metric.name]
    if _is_curve(variable) or not np.isfinite(variable.values).any():
        return ""
    return f"{findings.metric.long_name} is measured at the last step alone"


def draw_score(findings: Findings) -> Drawing:
    """The headline metric over training: a panel per setting, a line per arm, a band over seeds."""
    curves = charged_curves(findings.ds).where(np.isfinite)
    fresh = findings.ds.sizes.get(FRESH, 0)
    averaged = len(findings.settings) > MOST_PANELS or fresh > 0
    if averaged:
        values = _averaged(findings, curves)[:, None]
        own = [findings.averaged_over] if findings.several else []
        own += [prose.plural(fresh, "fresh seed")] if fresh else []
        titles = [f"averaged over {prose.listing(own)}"]
    else:
        values = findings.flat(curves.transpose(..., "seed", "step"))
        titles = [findings.setting_label(setting) for setting in findings.settings]
    columns = min(4, len(titles))
    rows = math.ceil(len(titles) / columns)
    wide = 10.4 if columns > 1 else 6.6
    size = (wide, 0.5 + (2.1 if columns > 1 else 3.2) * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    style.bottom_row(panels, len(titles), "M-step")
    for index, (title, axes) in enumerate(zip(titles, panels.flat, strict=False)):
        axes.set_title(_lines(title, 0.88 * wide / columns), fontsize=8, color=style.INK)
        _score_lines(axes, findings, values[:, index])
    _scaled(panels[0, 0], findings, values)
    for axes in panels[:, 0]:
        axes.set_ylabel(findings.metric.label)
    style.arm_legend(figure, findings.arms)
    where = f", averaged over {findings.column}s" if averaged else ", a panel for each setting"
    last = trial_scores(findings.ds)["last"]
    ends = findings.flat(last.mean("seed"))
    if averaged:
        ends = _compared(findings, last).mean(findings.axes).mean("seed").values
    over = f"The one {findings.unit}" if findings.seeds == 1 else f"Means over {findings.units}"
    infinite = _infinite(findings, [findings.metric.name])
    alt = (
        f"{findings.metric.long_name} against M-steps"
        f"{where if len(findings.settings) > 1 else ''}. {over} at the last record: "
        f"{prose.spans(findings.arms, ends)}.{infinite}"
    )
    return Drawing("curves", figure, alt, _caption(findings, averaged, infinite))


def _caption(findings: Findings, averaged: bool, infinite: str) -> Markup:
    """What lines and bands are, and what became of trials without a score."""
    alone, each, bands = findings.seeds == 1, "each ", ""
    if banded(findings) and not alone:
        bands = f" Band: lowest to highest {findings.unit}."
    what = f"mean over {findings.units}"
    if alone:
        what, each = f"the one {findings.unit}", ""
    over = f", {each}averaged over its {prose.listing(findings.within)}" if averaged else ""
    caption = Markup("Line: {}{}.{}").format(what, over, bands)
    if findings.fitted:
        worse = ", diverged ones apart" if findings.compared.lost.any() else ""
        caption += Markup(
            " Trials that have no score are left out, so that averages are over other trials of "
            "one arm than of another; those of the ranking are not{}."
        ).format(worse)
    if findings.with_status("diverged"):
        ends = "ends" if alone and not averaged else "leaves the mean"
        lacking = f"{ends} at its divergence"
        stays = "stays at the worst value from its divergence on"
        if reference.some_lack_worst(findings):
            stays += f", or {lacking} where its target has none"
        what = stays if reference.worst(findings) else lacking
        caption += Markup(" A diverged trial {}.").format(what)
    return caption + infinite + reference.said(findings)


def _infinite(findings: Findings, names: Sequence[str]) -> str:
    """How many trials of each arm have infinite values, which no line has; empty where none."""
    some = [findings.flat((abs(findings.ds[name]) == math.inf).any("step")) for name in names]
    counts = np.logical_or.reduce(some).reshape(len(findings.arms), -1).sum(axis=1).tolist()
    trials = [
        f"{prose.plural(count, 'trial')} of {prose.quoted(arm)}"
        for arm, count in zip(findings.arms, counts, strict=True)
        if count
    ]
    said = prose.listing(trials).unescape()
    return f" Infinite values are left out, of {said}." if trials else ""


def _lines(title: str, inches: float) -> str:
    """A title no wider than its panel, in whole labels; a dot ends a line of it and begins none."""
    most = style.fitting(inches, 8)
    *others, last = title.split(" · ")
    lines = [""]
    for label in [*(f"{own} ·" for own in others), last]:
        longer = f"{lines[-1]} {label}".lstrip()
        lines = [*lines[:-1], longer] if len(longer) <= most else [*lines, label]
    return "\n".join(fill(line, most) for line in lines if line)


def draw_score_on(axes: Axes, findings: Findings) -> None:
    """The headline metric over training in one panel, each arm averaged over its settings."""
    values = _averaged(findings, charged_curves(findings.ds).where(np.isfinite))
    _score_lines(axes, findings, values)
    _scaled(axes, findings, values)
    axes.set_ylabel(findings.metric.label)
    axes.set_xlabel("M-step")


def other_curves(findings: Findings) -> list[str]:
    """Names of all recorded curves but the headline metric."""
    return [
        str(name)
        for name, variable in findings.ds.data_vars.items()
        if "step" in variable.dims and name != findings.metric.name
        if variable.attrs.get("role") not in ("claim", "tolerance", "orbit") and _is_curve(variable)
    ]


def draw_others(findings: Findings, names: Sequence[str]) -> Drawing:
    """Recorded curves, a panel each: the median trial of each arm and its quartiles."""
    columns = min(4, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(10.4, 0.5 + 2.0 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    style.bottom_row(panels, len(names), "M-step")
    seen = []
    for name, axes in zip(names, panels.flat, strict=False):
        axes.set_title(fill(_title(findings, name), 36), fontsize=8, color=style.INK)
        seen.append((_title(findings, name), _quartile_lines(axes, findings, name)))
    style.arm_legend(figure, findings.arms)
    bands = " Band: the middle half of the trials." if banded(findings) else ""
    caption = Markup("Line: the median over {}.{}").format(findings.among, bands)
    if findings.with_status("diverged"):
        caption += Markup(" A diverged trial is left out from its divergence on.")
    caption += _infinite(findings, names)
    if len(findings.arms) > 1 and any(name.endswith("_loss") for name in names):
        caption += Markup(" Losses of different objectives are not on one scale.")
    alt = (
        "Small panels of what was recorded against M-steps, a line for each arm. Medians of arms "
        f"over all records: {prose.spans(*zip(*seen, strict=True))}."
    )
    return Drawing("diagnostics", figure, alt, caption)


def draw_other_on(axes: Axes, findings: Findings, name: str) -> None:
    """One recorded curve: the median trial of each arm and its quartiles."""
    _quartile_lines(axes, findings, name)
    axes.set_ylabel(_title(findings, name))
    axes.set_xlabel("M-step")


def _title(findings: Findings, name: str) -> str:
    return str(findings.ds[name].attrs.get("long_name", name))


def _averaged(findings: Findings, curves: xr.DataArray) -> Array:
    """Curves averaged over the settings that are compared; `(arms, seeds, steps)`."""
    mean = _compared(findings, curves).mean(findings.axes)
    return np.asarray(mean.transpose(findings.arm, "seed", "step").values)


def _compared(findings: Findings, values: xr.DataArray) -> xr.DataArray:
    """Of trials that take part in comparisons of arms, NaN of others."""
    return values.where(in_comparison(findings.ds, findings.settings_used))


def _score_lines(axes: Axes, findings: Findings, curves: Array) -> None:
    """A line and a band for each arm; `(arms, seeds, steps)`."""
    for arm, look in enumerate(findings.lines):
        _line(axes, findings, curves[arm], look)
    axes.grid(axis="y")
    reference.draw(axes.axhspan, axes.axhline, findings)


def _scaled(axes: Axes, findings: Findings, curves: Array) -> None:
    """Within the bounds of the metric; without, by powers of ten where curves span several, or one
    bad trial would leave the others a single line. Panels that share an axis share its scale.
    """
    if findings.metric.bounded:
        low, high = findings.metric.bounds
        axes.set_ylim(low - 0.03 * (high - low), high + 0.05 * (high - low))
    elif _spans_decades(curves):
        style.log_scale(axes, "y")


def _line(axes: Axes, findings: Findings, curves: Array, look: Mapping[str, Any]) -> None:
    """Mean over seeds with the range of the seeds; `(seeds, steps)`."""
    recorded = np.isfinite(curves)
    if not recorded.any():
        return
    seen = recorded.any(axis=0)
    steps = findings.ds["step"].values[seen]
    kept = np.where(recorded, curves, np.nan)[:, seen]
    low, high = np.fmin.reduce(kept), np.fmax.reduce(kept)
    if banded(findings):
        axes.fill_between(steps, low, high, color=look["color"], alpha=0.16, linewidth=0)
    axes.plot(steps, np.nanmean(kept, axis=0), marker=_mark(steps), **look)


def _mark(steps: NDArray[np.int64]) -> str:
    """A lone record is a line of no length, which nobody would see."""
    return "o" if len(steps) == 1 else ""


def _quartile_lines(axes: Axes, findings: Findings, name: str) -> Array:
    """A line at the median and a band between the quartiles of each arm; returns the medians."""
    quartiles = _quartiles(findings, findings.ds[name])
    for arm, look in enumerate(findings.lines):
        # Runs that are compared may have been recorded at other steps than these.
        seen = np.isfinite(quartiles[1, arm])
        lower, median, upper = quartiles[:, arm, seen]
        steps = findings.ds["step"].values[seen]
        if banded(findings):
            axes.fill_between(steps, lower, upper, color=look["color"], alpha=0.16, linewidth=0)
        axes.plot(steps, median, marker=_mark(steps), **look)
    if _spans_decades(quartiles):
        style.log_scale(axes, "y")
    elif name in metric_names(findings.ds):
        _within(axes, RecordedMetric.of(findings.ds, name).bounds)
    axes.grid(axis="y")
    return np.asarray(quartiles[1])


def _within(axes: Axes, bounds: tuple[float, float]) -> None:
    """No more beyond the bounds of a metric than a line is wide: of a flat one Matplotlib shows as
    much below as above.
    """
    low, high = axes.get_ylim()
    margin = 0.03 * (high - low)
    axes.set_ylim(max(low, bounds[0] - margin), min(high, bounds[1] + margin))


def _quartiles(findings: Findings, variable: xr.DataArray) -> Array:
    """Quartiles over all trials of an arm at each step; `(3, arms, steps)`."""
    over = [*findings.axes, "seed"]
    finite = variable.where(np.isfinite(variable))
    trials = finite.transpose(findings.arm, "step", *over).values
    trials = trials.reshape(*trials.shape[:2], -1)
    quartiles = np.full((3, *trials.shape[:2]), np.nan)
    seen = np.isfinite(trials).any(axis=-1)
    quartiles[:, seen] = np.nanquantile(trials[seen], (0.25, 0.5, 0.75), axis=-1)
    return quartiles


def _spans_decades(quartiles: Array) -> bool:
    finite = quartiles[np.isfinite(quartiles)]
    return bool(finite.size and finite.min() > 0 and finite.max() > 100 * finite.min())
