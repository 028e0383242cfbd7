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
from ganstudy.report.theory._grid import over_seeds, recorded, setting_name

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
        f"{prose.quoted(name)} {count}"
        for name, count in zip(findings.arms, _passed(findings), strict=True)
    ]
    said = [
        Markup("Checks passed by the mean margin over {}, of {}: {}.").format(
            findings.units, len(findings.settings), "; ".join(parts)
        ),
    ]
    same, known = _agreement(findings)
    if known.any():
        said.append(
            Markup("{} of {} on shape and values {}.").format(
                int(same.sum()),
                prose.plural(int(known.sum()), "verdict"),
                "is the published one" if same.sum() == 1 else "are the published ones",
            )
        )
    return said


def _margins(findings: Findings) -> Array:
    """Of shape and of values, mean over seeds, shape `(2, arms, settings)`; NaN without a trial."""
    both = [recorded(findings, f"{name}_margin")[..., -1] for name in ("shape", "value")]
    return np.stack([over_seeds(own) for own in both])


def _passed(findings: Findings) -> list[str]:
    """Checks that each metric passes: `9`, and `8 of 9` where it was not put to all of them."""
    least = _margins(findings).min(axis=0)
    counts = zip((least >= 0).sum(axis=1), (~np.isnan(least)).sum(axis=1), strict=True)
    return [f"{own} of {of}" if of < least.shape[1] else str(own) for own, of in counts]


def _agreement(findings: Findings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where our verdict is the published one, and where there are both; `(2, arms, settings)`."""
    theirs = [recorded(findings, f"published_{name}")[..., -1] for name in ("shape", "value")]
    published, margins = np.stack([over_seeds(own) for own in theirs]), _margins(findings)
    known = ~np.isnan(published) & ~np.isnan(margins)
    return known & ((margins >= 0) == (published > 0.5)), known


def _table(findings: Findings) -> Drawing:
    margins = _margins(findings)
    least = margins.min(axis=0)
    same, known = _agreement(findings)
    other = np.asarray((known & ~same).any(axis=0))
    checks = [setting_name(findings, setting) for setting in range(least.shape[1])]
    passed = _passed(findings)
    labels = [f"{name}  {count}" for name, count in zip(findings.arms, passed, strict=True)]
    figure = Figure(figsize=(10.4, 1.9 + 0.32 * len(labels)), layout="constrained")
    axes = figure.subplots()
    shades = TwoSlopeNorm(0.0, -_DEEP, _DEEP)
    image = axes.imshow(np.clip(least, -_DEEP, _DEEP), cmap="PuOr", norm=shades, aspect="auto")
    for row, column in np.ndindex(*least.shape):
        value = float(least[row, column])
        mark = "passes" if value >= 0 else prose.number(value)
        shade = image.to_rgba(np.clip(value, -_DEEP, _DEEP))
        colour = style.MUTED if np.isnan(value) else style.ink_on(shade)
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
