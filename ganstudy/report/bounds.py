"""What critics claim of their divergence against what it is: bounds beside exact values."""

from __future__ import annotations

import math
from textwrap import fill

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings


def draw(findings: Findings) -> Drawing | None:
    """A panel for each arm: exact value and bound over training, as medians over its trials."""
    if not drawable(findings):
        return None
    ds = findings.ds
    steps = ds["step"].values
    shown = {
        name: findings.flat(ds[name].transpose(..., "seed", "step")).reshape(
            len(findings.arms), -1, len(steps)
        )
        for name in ("exact", "bound")
    }
    known = [arm for arm in range(len(findings.arms)) if np.isfinite(shown["exact"][arm]).any()]
    columns = min(5, len(known))
    rows = math.ceil(len(known) / columns)
    size = (10.4 if columns > 2 else 3.4 * columns, 0.6 + 2.1 * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axes in panels.flat[len(known) :]:
        axes.set_visible(False)
    ends = []
    for arm, axes in zip(known, panels.flat, strict=False):
        axes.set_title(fill(findings.arms[arm], 30), fontsize=8, color=style.INK)
        # Trials whose divergence no grid can tell are left out of both lines.
        both = np.isfinite(shown["exact"][arm]) & np.isfinite(shown["bound"][arm])
        seen = both.any(axis=0)
        for name, line in (("exact", "-"), ("bound", "--")):
            values = np.where(both, shown[name][arm], np.nan)[:, seen]
            median = np.nanmedian(values, axis=0)
            axes.plot(steps[seen], median, line, color=style.INK)
            ends.append((f"{findings.arms[arm]}, {name},", median[-1:]))
        axes.grid(axis="y")
    for axes in panels[-1]:
        axes.set_xlabel("M-step")
    for axes in panels[:, 0]:
        axes.set_ylabel("divergence, nats")
    caption = Markup(
        "Solid: the divergence between p and the generator's law, by quadrature. Dashed: the bound "
        "that the critic has found, on one batch. Medians over settings and seeds. The closer the "
        "two, the nearer the critic is to the one that the theory assumes."
    )
    alt = (
        "Exact divergence and the critic's bound against M-steps, a panel for each arm. At the "
        f"end: {prose.spans(*zip(*ends, strict=True))}."
    )
    return Drawing("bounds", figure, alt, caption)


def drawable(findings: Findings) -> bool:
    """Whether exact values are known."""
    ds = findings.ds
    return "exact" in ds and "bound" in ds and bool(np.isfinite(ds["exact"].values).any())
