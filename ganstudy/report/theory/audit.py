"""Audits: which metric passes which sanity check, and by how much."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.theory._grid import recorded, setting_name

Array = NDArray[np.float64]

_DEEP = 0.2
"""Margin from which on a colour is as deep as it gets."""


def draw(findings: Findings) -> list[Drawing]:
    """The table of metrics and checks."""
    return [_table(findings)]


def call(_: Findings) -> str:
    """What the sentences rest on."""
    return "ds[['shape_margin', 'value_margin']].isel(step=-1).mean('seed')"


def sentences(findings: Findings) -> list[Markup]:
    """How many checks each metric passes, and how often that is what was published."""
    parts = [
        f"{prose.quoted(name)} {int((row >= 0).sum())}"
        for name, row in zip(findings.arms, _margins(findings).min(axis=0), strict=True)
    ]
    said = [
        Markup("Checks passed by the mean margin over {}, of {}: {}.").format(
            findings.units, len(findings.settings), "; ".join(parts)
        ),
    ]
    same, known = _agreement(findings)
    if known.any():
        said.append(
            Markup("{} of {} verdicts on shape and values are the published ones.").format(
                int(same.sum()), int(known.sum())
            )
        )
    return said


def _margins(findings: Findings) -> Array:
    """Of shape and of values, mean over seeds, shape `(2, arms, settings)`."""
    both = [recorded(findings, f"{name}_margin")[..., -1].mean(-1) for name in ("shape", "value")]
    return np.stack(both)


def _agreement(findings: Findings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where our verdict is the published one, and where there is one; `(2, arms, settings)`."""
    published = np.stack(
        [recorded(findings, f"published_{name}")[..., -1].mean(-1) for name in ("shape", "value")]
    )
    known = np.isfinite(published)
    return known & ((_margins(findings) >= 0) == (published > 0.5)), known


def _table(findings: Findings) -> Drawing:
    margins = _margins(findings)
    least = margins.min(axis=0)
    same, known = _agreement(findings)
    other = np.asarray((known & ~same).any(axis=0))
    checks = [setting_name(findings, setting) for setting in range(least.shape[1])]
    passed = [int((row >= 0).sum()) for row in least]
    labels = [f"{name}  {count}" for name, count in zip(findings.arms, passed, strict=True)]
    figure = Figure(figsize=(10.4, 1.9 + 0.32 * len(labels)), layout="constrained")
    axes = figure.subplots()
    shades = TwoSlopeNorm(0.0, -_DEEP, _DEEP)
    image = axes.imshow(np.clip(least, -_DEEP, _DEEP), cmap="PuOr", norm=shades, aspect="auto")
    for row, column in np.ndindex(*least.shape):
        value = float(least[row, column])
        mark = "passes" if value >= 0 else prose.number(value)
        colour = style.ink_on(image.to_rgba(np.clip(value, -_DEEP, _DEEP)))
        mark += "*" if other[row, column] else ""
        axes.text(column, row, mark, ha="center", va="center", fontsize=6.5, color=colour)
    axes.set_xticks(np.arange(len(checks)), checks, rotation=35, ha="right")
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_title(f"checks passed, of {len(checks)}, beside each metric", loc="left")
    figure.colorbar(image, ax=axes, label="margin", shrink=0.8)
    caption = Markup(
        "The smaller of the margins of shape and values, mean over seeds: at 0 or above the metric "
        "passes, below it fails by as much. A known value may be missed by 0.05. {}"
    ).format(
        Markup(
            "An asterisk marks a verdict of shape or values that differs from the published one."
        )
        if known.any()
        else ""
    )
    alt = (
        "Checks passed by each metric: "
        f"{'; '.join(f'{n} {c}' for n, c in zip(findings.arms, passed, strict=True))}. Margins "
        f"from least to most: {prose.spans(findings.arms, least)}."
    )
    return Drawing("audit", figure, alt, caption)
