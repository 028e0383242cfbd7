"""Too simple a model on several modes: what each divergence makes of it."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.theory._grid import Array, arrays, recorded, setting_name

COLUMNS = 4
COVERED, SOUGHT = 0.9, 0.1
"""Coverage of the least covered mode above which a fit covers, and below which it seeks."""

LEVELS = ("a mode is left out by", "a mode is partly covered by", "all modes are covered by")
"""What is said of fits below, between and above these."""


def draw(findings: Findings) -> list[Drawing]:
    """A picture for each setting with a fit: a panel per arm, p in grey, the fits of all seeds."""
    densities, coverage = arrays(findings), _coverage(findings)
    return [
        _fits(findings, densities[:, setting], coverage[:, setting], setting)
        for setting in _fitted(coverage)
    ]


def call(_: Findings) -> str:
    """What the sentences rest on."""
    return "ds['coverage'].isel(step=-1)"


def sentences(findings: Findings) -> list[Markup]:
    """Which objectives cover, seek, or do either, by setting; none where nothing was fitted."""
    coverage = _coverage(findings)
    found = []
    for setting in _fitted(coverage):
        groups: dict[str, list[str]] = {}
        for arm, name in enumerate(findings.arms):
            groups.setdefault(_what(coverage[arm, setting]), []).append(name)
        parts = [
            Markup("{} {}").format(verb, prose.names(names))
            for verb, names in groups.items()
            if verb
        ]
        where = setting_name(findings, setting)
        found.append(
            Markup("{}{}.").format(f"{where}: " if where else "", Markup("; ").join(parts))
        )
    return found


def _coverage(findings: Findings) -> Array:
    """What the least covered mode gets after the last step, `(arms, settings, seeds)`."""
    return recorded(findings, "coverage")[..., -1]


def _fitted(coverage: Array) -> list[int]:
    """Settings at which any arm has a fit."""
    return np.flatnonzero(np.isfinite(coverage).any(axis=(0, 2))).tolist()


def _what(coverage: Array) -> str:
    known = coverage[np.isfinite(coverage)]
    if not known.size:
        return ""
    lowest, highest = np.digitize([known.min(), known.max()], [SOUGHT, COVERED])
    if lowest < highest:
        return "it depends on the start with"
    return f"from {_starts(known.size)} {LEVELS[lowest]}"


def _starts(count: int) -> str:
    return f"each of {count} starts" if count > 1 else "the one start"


def _fits(findings: Findings, densities: Array, coverage: Array, setting: int) -> Drawing:
    rows = math.ceil(len(findings.arms) / COLUMNS)
    figure = Figure(figsize=(10.4, 0.4 + 1.9 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True)
    top = 0.0
    for arm, (axes, name) in enumerate(zip(panels.flat, findings.arms, strict=False)):
        for seed in range(findings.seeds):
            x, p, q = densities[arm, seed].T
            kept = np.isfinite(x)
            if not kept.any():
                continue
            if seed == 0:
                axes.fill_between(x[kept], p[kept], color="#e5e7eb", linewidth=0)
                seen = x[kept][p[kept] > 1e-3 * p[kept].max()]
                reach = 1.3 * float(np.abs(seen).max())
                axes.set_xlim(-reach, reach)
                top = max(top, 1.8 * float(p[kept].max()))
            axes.plot(x[kept], q[kept], color=findings.colours[arm], linewidth=1.3, alpha=0.8)
        known = coverage[arm][np.isfinite(coverage[arm])]
        share = f"least mode gets {known.mean():.2f}" if known.size else "no fit"
        axes.set_title(f"{name}\n{share}", fontsize=8, color=style.INK)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    style.bottom_row(panels, len(findings.arms), "x")
    panels[0, 0].set_ylim(0, top)
    where = setting_name(findings, setting)
    caption = Markup(
        "{}Grey: p. Lines: the fit of each seed after the last step, cut where it is higher than "
        "its panel; seeds differ in their start. Number: the share of its mass that q gives to the "
        "least covered mode, mean over seeds. "
        "After the figure of “Everything about GANs”, “The original definition”."
    ).format(f"{prose.capital(where)}. " if where else "")
    alt = (
        f"Fits on p, a panel for each arm{f', {where}' if where else ''}. Share of the least "
        f"covered mode, lowest to highest seed: {prose.spans(findings.arms, coverage)}."
    )
    return Drawing(f"fits_{setting + 1}", figure, alt, caption)
