"""What scores lie between: that of a perfect generator, as figures draw it, and the worst."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import trial_scores
from ganstudy.analysis.reference import differs_by_target
from ganstudy.report import prose, style
from ganstudy.report.findings import Findings

__all__ = ["all_worst", "draw", "said", "some_lack_worst", "worst"]


def draw(span: Callable[..., Any], line: Callable[..., Any], findings: Findings) -> None:
    """The range over clouds of p as a band with a dotted line within it, or the stated value.

    Nothing where targets have clouds of their own: no generator is perfect at one place for all.

    `span` and `line` are those of axes, along x or along y.
    """
    if differs_by_target(findings.ds, findings.metric.name):
        return
    band = _band(findings)
    if band:
        span(*band, color=style.MUTED, alpha=0.18, linewidth=0)
    value = sum(band) / 2 if band else findings.metric.perfect
    if math.isfinite(value):
        line(value, color=style.MUTED, linewidth=1, linestyle=":")


def said(findings: Findings) -> Markup:
    """What the caption says of it; empty where nothing is drawn."""
    if differs_by_target(findings.ds, findings.metric.name):
        return Markup("")
    if band := _band(findings):
        drawn = "Dotted line and grey band" if band[0] < band[1] else "Dotted line"
        return Markup(" {}: a perfect generator, measured like these.").format(drawn)
    if math.isfinite(findings.metric.perfect):
        goal = "the goal" if findings.theory else "a perfect generator"
        return Markup(" Dotted line: {}.").format(goal)
    return Markup("")


def worst(findings: Findings) -> str:
    """The worst value in words, by target where these differ in it; empty where none has one."""
    every = _worst_of_targets(findings)
    known = [end for end in every if math.isfinite(end)]
    if not known:
        return ""
    low, high = prose.short(min(known)), prose.short(max(known))
    text = low if low == high else f"{low} to {high} by target"
    if len(known) == len(every):
        return text
    return f"{text}, on {len(known)} of {prose.plural(len(every), 'target')}"


def some_lack_worst(findings: Findings) -> bool:
    """Whether some targets have a worst value, and others none."""
    return len(set(map(math.isfinite, _worst_of_targets(findings)))) > 1


def _worst_of_targets(findings: Findings) -> list[float]:
    """The worst value of each target, NaN of one that has none."""
    own, _ = findings.metric.ends(findings.ds)
    # Without targets all points have one, or ends that differ by something else.
    targets = findings.ds.get("target_settings", xr.DataArray("none"))
    texts, ends = (x.values.ravel().tolist() for x in xr.broadcast(targets, xr.DataArray(own)))
    # Text of a point that is excluded is empty.
    known = {(text, str(end)): end for text, end in zip(texts, ends, strict=True) if text}
    return [*known.values()]


def all_worst(findings: Findings) -> bool:
    """Whether every score there is is the worst of its target."""
    score, (own, _) = trial_scores(findings.ds)["score"], findings.metric.ends(findings.ds)
    return bool((score.isnull() | (score == xr.DataArray(own))).all())


def _band(findings: Findings) -> tuple[float, float] | None:
    """Range of the headline metric over clouds of p, where the dataset has them."""
    of_p = findings.scale.sel(metric=findings.metric.name)
    low, high = float(of_p["low"]), float(of_p["high"])
    return (low, high) if math.isfinite(low) else None
