"""Density ratios: errors of ratio, gradient and divergences by dimension."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from textwrap import fill
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.theory._grid import Array, over_seeds, recorded

PANELS = {
    "ratio_error_in_sample": "log-ratio, in sample",
    "ratio_error": "log-ratio, out of sample",
    "gradient_error_in_sample": "its gradient, in sample",
    "gradient_error": "its gradient, out of sample",
    "kl_error": "KL(p, q), nats",
    "js_error": "JS(p, q), nats",
}

LAWS_AXIS, ESTIMATOR = "laws", "estimator"
FOREIGN = "mixture_and_student"
"""Laws whose log-ratio no estimator has the features of."""
BUILT_IN = ("logistic", "telescoping", "dre_infinity")
"""Whose features are those of the log-ratio of normal laws."""
FOUND = (
    *("neural", "kliep", "lsif", "ulsif", "rulsif", "kernel_mean_matching", "nearest_neighbours"),
)
"""All others; labels of an author's own are in neither."""


def draw(findings: Findings) -> list[Drawing]:
    """A panel for each error, a line for each arm over the settings."""
    figure = Figure(figsize=(10.4, 5.6), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True).T.ravel()
    places = np.arange(len(findings.settings))
    # A line joins the settings that differ by their last axis alone.
    group = [setting[:-1] for setting in findings.settings]
    ends = [0, *(k for k in places[1:] if group[k] != group[k - 1]), len(places)]
    for axes, (name, title) in zip(panels, PANELS.items(), strict=True):
        means = over_seeds(recorded(findings, name)[..., -1])
        for arm, look in enumerate(findings.lines):
            for start, end in pairwise(ends):
                of_arm = means[arm, start:end]
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
    errors = over_seeds(recorded(findings, "ratio_error")[..., -1])
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
    ran = findings.flat(findings.ds["status"] == "complete")
    with np.errstate(invalid="ignore"):  # two errors that are infinite have no quotient
        quotients = [own[of] for own, of in zip(gradient / ratio, ran, strict=True)]
    parts = [
        f"{prose.quoted(name)} {_told(_of_known(np.median, own), 1)}{_unknown(own)}"
        for name, own in zip(findings.arms, quotients, strict=True)
        if own.size
    ]
    said = [
        Markup(
            "Relative error of the gradient over that of the log-ratio, out of sample, median "
            "over settings and seeds: {}."
        ).format("; ".join(parts))
    ]
    ratio = np.where(ran, ratio, np.nan)
    return said + [_order(findings, laws, ratio, ran) for laws in _laws(findings)]


def _of_known(average: Callable[[Array], Any], errors: Array) -> float:
    """An average of the errors that are numbers, infinity among them; NaN where none is."""
    known = errors[~np.isnan(errors)]
    return float(average(known)) if known.size else np.nan


def _told(error: float, decimals: int) -> str:
    return prose.scientific(error) if np.isinf(error) else prose.number(error, decimals)


def _unknown(errors: Array) -> str:
    """How many trials have an error that is no number; empty where none has."""
    count = int(np.isnan(errors).sum())
    return f" (without {prose.plural(count, 'trial')} whose error is no number)" if count else ""


def _laws(findings: Findings) -> list[str]:
    """The pairs of laws of the study, if they are an axis of it."""
    if LAWS_AXIS not in findings.axes:
        return []
    place = findings.axes.index(LAWS_AXIS)
    return list(dict.fromkeys(setting[place] for setting in findings.settings))


def _order(findings: Findings, laws: str, ratio: Array, ran: NDArray[np.bool_]) -> Markup:
    """The arms by their error with one pair of laws, and who has the answer built in."""
    place = findings.axes.index(LAWS_AXIS)
    own = [setting[place] == laws for setting in findings.settings]
    errors = {
        name: values[own][of[own]]
        for name, values, of in zip(findings.arms, ratio, ran, strict=True)
        if of[own].any()
    }
    means = {name: _of_known(np.mean, values) for name, values in errors.items()}
    ranked = [
        f"{prose.quoted(name)} {_told(means[name], 2)}{_unknown(errors[name])}"
        for name in sorted(means, key=lambda name: (np.isnan(means[name]), means[name]))
    ]
    return Markup(
        "Laws {}{}: relative error of the log-ratio out of sample, mean over the other settings "
        "and seeds: {}."
    ).format(laws, _owners(findings, laws), "; ".join(ranked))


def _owners(findings: Findings, laws: str) -> Markup:
    """Into which arms the answer is built; empty where labels do not say what they stand for."""
    estimators = _estimators(findings)
    if laws == "normal" and estimators:
        known = [arm for arm, own in zip(findings.arms, estimators, strict=True) if own in BUILT_IN]
    elif laws == FOREIGN:
        known = []
    else:
        return Markup("")
    return Markup(", where the answer is built into {}").format(prose.names(known) or "no arm")


def _estimators(findings: Findings) -> list[str]:
    """The estimator of each arm: its label on the axis of that name, or what all trials share."""
    shared = json.loads(findings.gathered.attrs.get("shared", "[]"))
    common = [str(value) for key, value, *_ in shared if key == ESTIMATOR]
    own = findings.arms if findings.arm == ESTIMATOR else common * len(findings.arms)
    return own if {*own} <= {*BUILT_IN, *FOUND} else []
