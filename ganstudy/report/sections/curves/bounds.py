"""What critics claim of their divergence against what it is: bounds beside exact values."""

from __future__ import annotations

import math
from textwrap import fill

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings

Array = NDArray[np.float64]


def draw(findings: Findings) -> Drawing:
    """A panel for each arm: exact value and bound over training, as medians over its trials."""
    known = _known(findings)
    columns = min(5, len(known))
    rows = math.ceil(len(known) / columns)
    size = (10.4 if columns > 2 else 3.4 * columns, 0.6 + 2.1 * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    style.bottom_row(panels, len(known), "M-step")
    ends = []
    for arm, axes in zip(known, panels.flat, strict=False):
        axes.set_title(fill(findings.arms[arm], 30), fontsize=8, color=style.INK)
        ends += _lines(axes, findings, arm)
    for axes in panels[:, 0]:
        axes.set_ylabel("divergence")
    caption = Markup(
        "Solid: the divergence between p and the generator's law, by quadrature. Dashed: the bound "
        "that the critic has found, on one batch. Medians over {}. The closer the two, the nearer "
        "the critic is to the one that the theory assumes."
    ).format(findings.among)
    alt = (
        "Exact divergence and the critic's bound against M-steps, a panel for each arm. At the "
        f"end: {prose.spans(*zip(*ends, strict=True))}."
    )
    return Drawing("bounds", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """The panel of the first arm that has both."""
    _lines(axes, findings, _known(findings)[0])
    axes.set_xlabel("M-step")
    axes.set_ylabel("divergence")


def missing(findings: Findings) -> str:
    """Why no exact value stands beside a bound; empty where some does."""
    known = {"exact", "bound"} <= set(findings.ds) and _known(findings)
    where = "affine generators have one, and critics of fresh samples a bound"
    return "" if known else f"no exact divergence is known beside a bound; {where}"


def _known(findings: Findings) -> list[int]:
    """Arms with an exact divergence and a bound."""
    both = findings.flat(findings.ds["exact"] + findings.ds["bound"])
    return [arm for arm, values in enumerate(both) if np.isfinite(values).any()]


def _lines(axes: Axes, findings: Findings, arm: int) -> list[tuple[str, Array]]:
    """Exact value and bound over training; returns what each line is, and where it ends."""
    steps = findings.ds["step"].values
    curves = [
        findings.flat(findings.ds[name].transpose(..., "seed", "step"))[arm].reshape(-1, len(steps))
        for name in ("exact", "bound")
    ]
    # Trials whose divergence no grid can tell are left out of both lines.
    both = np.isfinite(curves).all(axis=0)
    seen = both.any(axis=0)
    ends = []
    for name, line, values in zip(("exact", "bound"), ("-", "--"), curves, strict=True):
        median = np.nanmedian(np.where(both, values, np.nan)[:, seen], axis=0)
        axes.plot(steps[seen], median, line, color=style.INK)
        ends.append((f"{name} of {prose.quoted(findings.arms[arm])}", median[-1:]))
    axes.grid(axis="y")
    return ends
