"""Density ratios: errors of ratio, gradient and divergences by dimension."""

from __future__ import annotations

from itertools import pairwise
from textwrap import fill

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.theory._grid import Array, recorded

PANELS = {
    "ratio_error_in_sample": "log-ratio, in sample",
    "ratio_error": "log-ratio, out of sample",
    "gradient_error_in_sample": "its gradient, in sample",
    "gradient_error": "its gradient, out of sample",
    "kl_error": "KL(p, q), nats",
    "js_error": "JS(p, q), nats",
}

LAWS_AXIS = "laws"
BUILT_IN = ("logistic", "telescoping", "dre_infinity")
"""Whose features are those of the log-ratio of normal laws."""


def draw(findings: Findings) -> list[Drawing]:
    """A panel for each error, a line for each arm over the settings."""
    figure = Figure(figsize=(10.4, 5.6), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True).T.ravel()
    places = np.arange(len(findings.settings))
    # A line joins the settings that differ by their last axis alone.
    group = [setting[:-1] for setting in findings.settings]
    ends = [0, *(k for k in places[1:] if group[k] != group[k - 1]), len(places)]
    for axes, (name, title) in zip(panels, PANELS.items(), strict=True):
        values = recorded(findings, name)[..., -1]
        for arm, look in enumerate(findings.lines):
            for start, end in pairwise(ends):
                of_arm = values[arm, start:end].mean(-1)
                axes.plot(places[start:end], of_arm, marker="o", markersize=3.5, **look)
        style.log_scale(axes, "y")
        axes.set_title(title)
        axes.set_xticks(places, [setting[-1] if setting else "" for setting in findings.settings])
        axes.grid(axis="y")
        if not name.endswith(("kl_error", "js_error")):
            axes.axhline(1, color=style.MUTED, linewidth=1, linestyle=":")
    for axes in panels[1::2]:
        axes.set_xlabel(findings.axes[-1] if findings.axes else "", labelpad=26 * any(group))
        for start, end in pairwise(ends):
            axes.annotate(
                fill(" · ".join(group[start]).replace("_", " "), 14),
                ((start + end - 1) / 2, 0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(0, -16),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=8,
                color=style.MUTED,
            )
    style.arm_legend(figure, findings.arms)
    caption = Markup(
        "Errors by setting, mean over seeds. Those of the log-ratio and of its gradient are "
        "relative to the truth's root mean square; at 1 (dotted) an estimate is no better than a "
        "constant. logistic, telescoping and dre_infinity are given the features in which the "
        "log-ratio of normal laws is linear: there the answer is built in. Kernel widths are the "
        "median distance, but for ulsif and rulsif, which choose by cross-validation."
    )
    errors = recorded(findings, "ratio_error")[..., -1].mean(-1)
    alt = (
        "Errors of the estimators by setting, six panels. Relative error of the log-ratio out of "
        f"sample: {prose.spans(findings.arms, errors)}."
    )
    return [Drawing("errors", figure, alt, caption)]


def call(_: Findings) -> str:
    """What the sentences rest on."""
    return "ds[['ratio_error', 'gradient_error']].isel(step=-1)"


def sentences(findings: Findings) -> list[Markup]:
    """How much worse the gradient is than the ratio, by arm; the arms for each pair of laws."""
    gradient, ratio = (
        recorded(findings, name)[..., -1] for name in ("gradient_error", "ratio_error")
    )
    parts = []
    for arm, name in enumerate(findings.arms):
        quotient = (gradient[arm] / ratio[arm])[np.isfinite(ratio[arm])]
        if quotient.size:
            parts.append(f"{name} {np.median(quotient):.1f}")
    said = [
        Markup(
            "Relative error of the gradient over that of the log-ratio, out of sample, median "
            "over settings and seeds: {}."
        ).format("; ".join(parts))
    ]
    return said + [_order(findings, laws, ratio) for laws in _laws(findings)]


def _laws(findings: Findings) -> list[str]:
    """The pairs of laws of the study, if they are an axis of it."""
    if LAWS_AXIS not in findings.axes:
        return []
    place = findings.axes.index(LAWS_AXIS)
    return list(dict.fromkeys(setting[place] for setting in findings.settings))


def _order(findings: Findings, laws: str, ratio: Array) -> Markup:
    """The arms by their error with one pair of laws, and who has the answer built in."""
    place = findings.axes.index(LAWS_AXIS)
    own = [setting[place] == laws for setting in findings.settings]
    errors = [
        float(np.nanmean(arm[own])) if np.isfinite(arm[own]).any() else np.inf for arm in ratio
    ]
    ranked = [
        f"{prose.quoted(findings.arms[arm])} {errors[arm]:.2f}"
        for arm in np.argsort(errors, kind="stable")
        if np.isfinite(errors[arm])
    ]
    known = [arm for arm in findings.arms if arm in BUILT_IN] if laws == "normal" else []
    owners = Markup("built into {}").format(prose.names(known) or "no arm")
    return Markup(
        "Laws {}, where the answer is {}: relative error of the log-ratio out of sample, mean over "
        "the other settings and seeds: {}."
    ).format(laws, owners, "; ".join(ranked))
