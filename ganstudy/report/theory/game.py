"""Two players: phase portraits of the orbits, and their rates beside the eigenvalues."""

from __future__ import annotations

import math
from textwrap import wrap

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganstudy.analysis import trial_scores
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.theory._grid import (
    Array,
    arrays,
    diverged,
    over_seeds,
    recorded,
    setting_name,
)

MOST_COLUMNS = 7
LIMIT = 2.2
WOBBLE = 1e-3
"""On an ellipse the mean distance wobbles by less than this over the averaged steps."""


def draw(findings: Findings) -> list[Drawing]:
    """Orbits, a row of panels for each of up to two settings; then eigenvalues and rates."""
    return [_portraits(findings), _rates(findings)]


def call(_: Findings) -> str:
    """What the sentences rest on."""
    return f"analysis.trial_scores(ds, 'growth')['score'] < {1 - WOBBLE:g}"


def sentences(findings: Findings) -> list[Markup]:
    """With which arms the orbit shrinks in every trial that ran, with which in none."""
    growth = _growth(findings)
    lists: dict[str, list[str]] = {"all": [], "some": [], "none": []}
    for arm, name in enumerate(findings.arms):
        known = growth[arm][~np.isnan(growth[arm])]
        if known.size:
            converging = known < 1 - WOBBLE
            kind = "all" if converging.all() else "some" if converging.any() else "none"
            lists[kind].append(name)
    words = {
        "all": "in every trial with",
        "some": "in some with",
        "none": "in none with",
    }
    parts = [
        Markup("{} {}").format(words[kind], prose.names(those))
        for kind, those in lists.items()
        if those
    ]
    shrinks = Markup(
        "Over the last fifth of the records the distance to the equilibrium shrinks by more than "
        "{:g}% a step {}."
    )
    return [shrinks.format(100 * WOBBLE, Markup("; ").join(parts))] if parts else []


def _growth(findings: Findings) -> Array:
    """Growth per step of each trial, as it is scored; infinite where it diverged, NaN where it did
    not run.
    """
    scores = trial_scores(findings.ds, "growth")
    known = scores["score"].where(~scores["unbounded"], np.inf)
    return np.asarray(findings.flat(known), np.float64)


def _portraits(findings: Findings) -> Drawing:
    theta, psi = recorded(findings, "theta"), recorded(findings, "psi")
    settings = sorted({len(findings.settings) // 4, 3 * len(findings.settings) // 4})
    arms = len(findings.arms)
    columns = arms if arms <= MOST_COLUMNS else math.ceil(arms / 2)
    lines = math.ceil(len(findings.arms) / columns)
    rows = lines * len(settings)
    width = 10.4 / columns
    figure = Figure(figsize=(10.4, 0.3 + (width + 0.6) * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for panel in panels.flat:
        panel.set_visible(False)
    for block, setting in enumerate(settings):
        for arm, name in enumerate(findings.arms):
            axes = panels[block * lines + arm // columns, arm % columns]
            axes.set_visible(True)
            _orbit(axes, theta[arm, setting, 0], psi[arm, setting, 0])
            said = name, *setting_name(findings, setting).split(" · ")
            lines_of = [line for part in said for line in wrap(part, round(14 * width))]
            axes.set_title("\n".join(lines_of), fontsize=7, color=style.INK)
            axes.tick_params(labelbottom=True)
    figure.supylabel("critic ψ", fontsize=9, color=style.MUTED)
    figure.supxlabel("generator θ", fontsize=9, color=style.MUTED)
    caption = Markup(
        "Orbits of the first seed, from the ring (start) over time from light to dark; the cross "
        "is the equilibrium. Grey circle: the orbit of V = xy in continuous time, which neither "
        "converges nor diverges. What is not seen is beyond the panel. {}"
    ).format(findings.left_out(arms, len(settings)))
    distance = np.where(diverged(findings), np.inf, np.hypot(theta, psi)[..., -1])
    ends = distance[:, settings, 0]
    alt = (
        f"Phase portraits, a panel for each arm at {prose.plural(len(settings), 'setting')}. "
        f"Distance to the equilibrium after the last step: {prose.spans(findings.arms, ends)}."
    )
    return Drawing("portraits", figure, alt, caption)


def _orbit(axes: Axes, theta: Array, psi: Array) -> None:
    start = math.hypot(float(theta[0]), float(psi[0])) if np.isfinite(theta[0]) else 1.0
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(start * np.cos(angle), start * np.sin(angle), color=style.RULE, linewidth=1)
    seen = np.isfinite(theta) & np.isfinite(psi)
    axes.plot(theta[seen], psi[seen], color=style.RULE, linewidth=0.6, zorder=1)
    axes.scatter(
        theta[seen],
        psi[seen],
        c=np.arange(seen.sum()),
        cmap="viridis_r",
        s=4,
        linewidths=0,
        zorder=2,
        rasterized=True,
    )
    axes.plot(theta[:1], psi[:1], marker="o", markersize=6, mfc="none", color=style.INK)
    axes.plot([0], [0], marker="+", markersize=9, color=style.INK)
    axes.set_xlim(-LIMIT * start, LIMIT * start)
    axes.set_ylim(-LIMIT * start, LIMIT * start)
    axes.set_box_aspect(1)


def _rates(findings: Findings) -> Drawing:
    values = arrays(findings)[:, :, 0, :4]
    growth = over_seeds(_growth(findings))
    radius = np.hypot(values[..., 0], values[..., 1])
    figure = Figure(figsize=(10.4, 4.8), layout="constrained")
    plane, rates = figure.subplots(1, 2)
    angle = np.linspace(0, 2 * np.pi, 400)
    plane.plot(np.cos(angle), np.sin(angle), color=style.MUTED, linewidth=1)
    colours, markers = findings.colours, findings.markers
    for arm, (colour, marker) in enumerate(zip(colours, markers, strict=True)):
        dots = values[arm].reshape(-1, 2)
        plane.plot(
            dots[:, 0], dots[:, 1], linestyle="none", marker=marker, markersize=4, color=colour,
            alpha=0.6, markeredgewidth=0,
        )  # fmt: skip
        stated = np.where(np.isfinite(radius[arm]), radius[arm], -np.inf).max(-1)
        rates.plot(
            np.where(np.isfinite(stated), stated, np.nan), growth[arm], linestyle="none",
            marker=marker, markersize=5, color=colour, alpha=0.7, markeredgewidth=0,
        )  # fmt: skip
    plane.set_box_aspect(1)
    plane.set_aspect("equal")
    plane.set_xlabel("real part")
    plane.set_ylabel("imaginary part")
    plane.set_title("eigenvalues of the update at the equilibrium")
    both = np.concatenate([growth.ravel(), radius.max(-1).ravel()])
    low, high = (float(limit(both[np.isfinite(both)], initial=1.0)) for limit in (np.min, np.max))
    rates.plot([low, high], [low, high], color=style.RULE, linewidth=1, zorder=0)
    rates.axhline(1, color=style.MUTED, linewidth=1, linestyle=":")
    rates.set_xlabel("spectral radius of the update")
    rates.set_ylabel("measured growth per step")
    rates.set_title("measured against predicted rate, a point per setting")
    rates.grid()
    style.arm_legend(figure, findings.arms, "markers")
    gone, ran = int(np.isinf(growth).sum()), int((~np.isnan(growth)).sum())
    caption = Markup(
        "Left: inside the unit circle the update converges near the equilibrium. Right: growth per "
        "step of the distance over the last steps; on the diagonal the orbit does what the "
        "eigenvalues say. Below it lie orbits that are still far from the equilibrium, where "
        "bounded slopes hold them back, or whose distance wobbles along an ellipse. {}"
    ).format(f"No point where a trial diverged: {gone} of {ran}." if gone else "")
    alt = (
        "Eigenvalues of the update, and measured against predicted rates. Measured growth per step "
        f"over settings: {prose.spans(findings.arms, growth)}."
    )
    return Drawing("rates", figure, alt, caption)
