"""Which factor matters: variance explained, and the score at each value of each axis."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ganstudy.analysis import marginal_means
from ganstudy.analysis.design import factor_dims, label_text
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.explained import (
    SHARED,
    adds_up,
    below_zero,
    drawable,
    of_one_seed,
    of_variance,
    untold,
    with_interval,
)
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section

MOST_VALUES = 24
"""Values of an axis beyond which its marginal means are not drawn."""

MOST_NAMED = 44
"""Characters of a name beside a bar."""

MOST_BARS = 10
"""Effects that the figure shows, the largest first."""


def draw(findings: Findings) -> Drawing:
    """Bars of explained variance, and marginal means with intervals."""
    effects = _largest(findings)
    sizes = {axis: findings.ds.sizes[axis] for axis in factor_dims(findings.ds)}
    factors = [axis for axis, size in sizes.items() if 1 < size <= MOST_VALUES]
    height = max(
        2.6,
        0.9 + 0.3 * (effects.sizes["effect"] + 1),
        0.9 + 0.2 * sum(sizes[axis] + 1 for axis in factors),
    )
    figure = Figure(figsize=(10.4, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1))
    draw_on(left, findings)
    fitted, lost = _means(right, findings, factors)
    shown = [
        f"{of_variance(share)} {name}"
        for name, share in zip(effects["effect"].values, effects["share"].values, strict=True)
    ]
    caption = _caption(findings, effects, sizes, fitted=fitted, lost=lost)
    alt = f"Variance of {findings.metric.long_name} explained: {', '.join(shown)}."
    return Drawing("effects", figure, alt, caption)


def _caption(
    findings: Findings, effects: xr.Dataset, sizes: Mapping[str, int], *, fitted: bool, lost: bool
) -> Markup:
    caption = Markup(
        "Left: share of the variance of scores over all {0} scored {1} that {2} explain{3}{5}. "
        "Right: mean score at each value of an axis{4}."
    ).format(
        int(effects["trials"]),
        prose.several(findings.rival),
        _explaining(findings),
        _intervals(findings, effects),
        f" with its 95% interval over {findings.units}"
        if findings.drawn and findings.seeds > 1
        else "",
        f"; the rest is what differs between {prose.several(findings.rival)} of the same kind, and "
        "higher interactions"
        if adds_up(effects)
        else "",
    )
    if fitted:
        caption += Markup(
            " Where trials have no score, means are by least squares, as if each value had run "
            "where others of its axis did."
        )
    if lost:
        caption += Markup(" {} worse than any number are in no mean.").format(
            prose.capital(prose.several(findings.rival))
        )
    caption += _added_up(findings, effects) + untold(findings)
    if long := [f"{axis} ({size})" for axis, size in sizes.items() if size > MOST_VALUES]:
        caption += Markup(" Without axes of very many values: {}.").format(prose.listing(long))
    if effects.attrs["left_out"]:
        caption += Markup(" Too large to be fitted beside gaps{}: {}.").format(
            ", and in the rest" if adds_up(effects) else "",
            prose.listing(effects.attrs["left_out"]),
        )
    return caption


def draw_on(axes: Axes, findings: Findings) -> None:
    """The left panel: bars of explained variance, the largest first."""
    _bars(axes, _largest(findings))


def draw_shares(findings: Findings) -> Drawing:
    """The left panel alone, for the top of the page."""
    effects = _largest(findings)
    figure = Figure(figsize=(8.2, 0.9 + 0.3 * (effects.sizes["effect"] + 1)), layout="constrained")
    draw_on(figure.subplots(), findings)
    shown = [
        f"{name} {with_interval(findings, effects.sel(effect=name))}"
        for name in effects["effect"].values
    ]
    caption = Markup("Share of the variance of scores that {} explain{}.").format(
        _explaining(findings), _intervals(findings, effects)
    )
    caption += _added_up(findings, effects) + untold(findings)
    alt = f"Variance of {findings.metric.long_name} explained: {'; '.join(shown)}."
    return Drawing("answer", figure, alt, caption)


def _largest(findings: Findings) -> xr.Dataset:
    """The effects that are shown, the largest first; without intervals where nothing is drawn."""
    share = findings.effects["share"].values
    order = np.argsort(-share, kind="stable")[: min(MOST_BARS, int(np.isfinite(share).sum()))]
    effects = findings.effects.isel(effect=order)
    names = [findings.named(name) for name in effects["effect"].values.tolist()]
    effects = effects.assign_coords(effect=names)
    if findings.drawn:
        return effects
    return effects.assign({end: effects[end] * np.nan for end in ("low", "high")})


def _explaining(findings: Findings) -> str:
    """What the variance is shared out among; of one seed, nothing is its own."""
    pairs = "each pair of axes beyond its two axes"
    if of_one_seed(findings.effects):
        return f"each axis and {pairs}"
    return f"each axis, {pairs}, and the {findings.unit}"


def _added_up(findings: Findings, effects: xr.Dataset) -> Markup:
    """What is to be known of shares that do not add up, or that hold more than they say."""
    known = int(np.isfinite(findings.effects["share"]).sum())
    cut = Markup(" The ten largest of {} are drawn").format(known)
    most = Markup("{}.").format(cut) if known > MOST_BARS else Markup("")
    if findings.drawn and of_one_seed(findings.effects):
        text = Markup(" Of one {}, what pairs of axes explain has all of chance in it.")
        return most + text.format(findings.unit)
    if effects.attrs["mostly_missing"]:
        text = Markup(" Most trials are missing, and of so few no interval is known that holds.")
        return most + text
    if not adds_up(findings.effects):
        return most + Markup(" ") + SHARED
    if not below_zero(findings.effects):
        return most
    if most:
        return Markup("{}; all add up to 100%, some of them below zero.").format(cut)
    return Markup(" Estimates below zero are drawn as zero; with them all add up to 100%.")


def _intervals(findings: Findings, effects: xr.Dataset) -> str:
    shown = np.isfinite(effects["low"]).any()
    return f", with 95% intervals over {findings.units}" if shown else ""


def _bars(axes: Axes, effects: xr.Dataset) -> None:
    names = [str(name) for name in effects["effect"].values]
    colours = [style.INK if " × " not in name else style.MUTED for name in names]
    shares = [*effects["share"].values]
    if adds_up(effects):
        names, colours = [*names, "the rest"], [*colours, style.RULE]
        shares.append(float(effects["residual"]))
    shares = [min(max(share, 0.0), 1.0) for share in shares]
    axes.barh(range(len(names)), shares, height=0.6, color=colours)
    ends = shares.copy()
    for row, (low, high) in enumerate(
        zip(effects["low"].values, effects["high"].values, strict=True)
    ):
        if math.isfinite(low):
            axes.plot([low, high], [row, row], color=style.MUTED, linewidth=1.2)
            ends[row] = max(shares[row], float(high))
    for row, (share, end) in enumerate(zip(shares, ends, strict=True)):
        axes.text(end + 0.01, row, of_variance(share), va="center", fontsize=8, color=style.MUTED)
    axes.set_yticks(range(len(names)), [style.short_name(name, MOST_NAMED) for name in names])
    axes.tick_params(axis="y", length=0, labelcolor=style.INK)
    axes.invert_yaxis()
    axes.set_xlim(0, min(1.0, max(ends)) * 1.15 + 0.01)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("variance explained")


def _means(axes: Axes, findings: Findings, factors: list[str]) -> tuple[bool, bool]:
    """Rows for the values of each axis; whether any mean is fitted, and any without the worst."""
    labels: list[str] = []
    row, fitted, lost = 0, False, False
    ticks: list[int] = []
    for axis in factors:
        if row:
            axes.axhline(row - 0.5, color=style.RULE, linewidth=0.8)
        try:
            means = marginal_means(findings.ds, axis)
        except ValueError:
            continue
        fitted |= bool(means["fitted"].any())
        lost |= bool(means["unbounded"].any())
        for place, value in enumerate(means[axis].values.tolist()):
            low, mean, high = (float(means[name][place]) for name in ("low", "mean", "high"))
            if findings.drawn:
                axes.plot(
                    [low, high], [row, row], color=style.MUTED, linewidth=2, solid_capstyle="butt"
                )
            axes.plot([mean], [row], marker="o", markersize=5, color=style.INK)
            name = label_text(value) + ("" if math.isfinite(mean) else ", no score")
            named = f"{axis}  {name}" if place == 0 else name
            labels.append(style.short_name(named, MOST_NAMED))
            ticks.append(row)
            row += 1
    axes.set_yticks(ticks, labels)
    axes.tick_params(axis="y", length=0, labelcolor=style.INK)
    axes.set_ylim(max(row, 1) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(findings.metric.label)
    return fitted, lost


def _missing(findings: Findings) -> str:
    why = "there are no settings, all scores are equal, or no axis can be told from another"
    return "" if drawable(findings) else why


class Effects(Section):
    """Which axis matters, and how."""

    place = 70
    label = "Effects"
    heading = "What explains the score"
    charts = (
        Chart(
            "effects",
            """Which axis matters: variance explained, and the mean at each value of each axis.

            Left, or on `ax`: shares of variance (`ds.gan.factor_effects`); right:
            `ds.gan.marginal_means`.
            """,
            draw,
            draw_on,
            missing=_missing,
            metric=True,
        ),
    )
