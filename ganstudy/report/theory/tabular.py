"""The finite game: the collapse orbit, the descent of the cost, and how many D-steps it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import shown_of, thinned
from ganstudy.report.theory._grid import (
    Array,
    diverged,
    last_steps,
    name_of,
    over_seeds,
    recorded,
    setting_name,
    tail,
)

NEAR = 0.01
"""Distance from algorithm 2, in total variation, at which the practical algorithm follows it."""
MOST_ORBITS = 3
STEPS_SHOWN = 40


def draw(findings: Findings) -> list[Drawing]:
    """Three pictures; each only if the study has the trials for it."""
    found = (_collapse(findings), _descent(findings), _critic_steps(findings))
    return [drawing for drawing in found if drawing is not None]


def call(findings: Findings) -> str:
    """What the sentences rest on: the least number of D-steps that is near, by setting."""
    last = last_steps(findings.ds.sizes["step"])
    return (
        f"ds[['critic_steps_taken', 'from_descent']].where(ds['status'] != 'diverged')"
        f".isel(step=slice(-{last}, None)).mean('step').mean('seed')"
        f".pipe(lambda x: x['critic_steps_taken']"
        f".where(x['from_descent'] <= {NEAR}).min('{findings.arm}'))"
    )


def sentences(findings: Findings) -> list[Markup]:
    """How many D-steps bring the practical algorithm to its ideal."""
    needed = _needed(findings)
    if not needed:
        return []
    groups: dict[float, list[str]] = {}
    for setting, count in needed.items():
        groups.setdefault(count, []).append(setting_name(findings, setting))
    parts = [
        Markup("{}{}").format(
            f"{count:.0f}" if np.isfinite(count) else "none of the tried numbers",
            Markup(" for {}").format(prose.names(labels)) if any(labels) else "",
        )
        for count, labels in sorted(groups.items())
    ]
    return [
        Markup(
            "D-steps with which the practical algorithm ends within {} (total variation, mean over "
            "{}{}) of where the best critic leads: {}."
        ).format(NEAR, findings.units, _left_out(findings), prose.listing(parts, last="and"))
    ]


def _needed(findings: Findings) -> dict[int, float]:
    """Least number of D-steps that follows algorithm 2, by setting; infinite if none does."""
    steps, apart = _followed(findings)
    needed = {}
    for index in range(len(findings.settings)):
        tried = np.isfinite(steps[:, index])
        if tried.any():
            near = tried & (apart[:, index] <= NEAR)
            needed[index] = float(steps[near, index].min()) if near.any() else np.inf
    return needed


def _followed(findings: Findings) -> tuple[Array, Array]:
    """D-steps and the distance from algorithm 2, means over seeds; both `(arms, settings)`.

    The distance is that of trials that did not diverge.
    """
    steps, apart = (
        tail(recorded(findings, name)) for name in ("critic_steps_taken", "from_descent")
    )
    return over_seeds(steps), over_seeds(np.where(diverged(findings), np.nan, apart))


def _left_out(findings: Findings) -> str:
    """Of the practical algorithm's trials those that diverged, where there are any."""
    lost = int((diverged(findings) & _has(findings, "critic_steps_taken")).sum())
    return f", without {prose.plural(lost, 'trial')} that diverged" if lost else ""


def _has(findings: Findings, name: str) -> NDArray[np.bool_]:
    """Which trials recorded a number, as those of one algorithm do, `(arms, settings, seeds)`."""
    return np.asarray((~np.isnan(recorded(findings, name))).any(-1))


def _collapse(findings: Findings) -> Drawing | None:
    fullest, support = recorded(findings, "fullest"), recorded(findings, "support")
    # That claim is of algorithm 1 alone; a long step of another may leave a point mass, too.
    alternating = _has(findings, "collapse")[:, :, 0]
    collapsed = alternating & (support[:, :, 0, 1:] < 1 + 1e-6).all(-1)
    places = np.argwhere(collapsed)
    if not len(places):
        return None
    chosen = places[thinned(len(places), MOST_ORBITS)]
    figure = Figure(figsize=(10.4, 2.9), layout="constrained")
    panels = figure.subplots(1, len(chosen), sharey=True, squeeze=False)[0]
    steps = findings.ds["step"].values
    shown = steps <= steps[min(STEPS_SHOWN, len(steps) - 1)]
    for axes, (arm, setting) in zip(panels, chosen, strict=True):
        at = fullest[arm, setting, 0]
        axes.plot(steps[shown][1:], at[shown][1:] + 1, color=style.RULE, linewidth=1)
        axes.plot(
            steps[shown][1:],
            at[shown][1:] + 1,
            linestyle="none",
            marker="o",
            markersize=4,
            color=findings.colours[arm],
        )
        axes.set_title(name_of(findings, arm, setting), fontsize=8, color=style.INK)
        axes.set_xlabel("step")
        axes.grid(axis="y")
    panels[0].set_ylabel("point that holds all mass of q")
    caption = Markup(
        "Algorithm 1, alternating minimization: with the best critic held fixed the best generator "
        "is a point mass, and the next critic sends it elsewhere. It collapses at the first step "
        "and jumps for ever. First seed, recorded steps. {}"
    ).format(shown_of((len(chosen), len(places), "orbit")))
    names = [name_of(findings, arm, setting) for arm, setting in chosen]
    points = [fullest[arm, setting, 0][shown][1:] + 1 for arm, setting in chosen]
    alt = f"The point that holds all mass of q jumps at every step: {prose.spans(names, points)}."
    return Drawing("collapse", figure, alt, caption)


def _descent(findings: Findings) -> Drawing | None:
    cost = recorded(findings, "cost")
    others = _has(findings, "critic_steps_taken") | _has(findings, "collapse")
    descents = _has(findings, "cost") & ~others
    places = np.argwhere(descents.any(-1))
    if not len(places):
        return None
    figure = Figure(figsize=(10.4, 3.8), layout="constrained")
    axes = figure.subplots()
    steps, costs = findings.ds["step"].values, over_seeds(cost)
    for (arm, setting), look in zip(places, style.arm_lines(len(places)), strict=True):
        values = costs[arm, setting]
        label = setting_name(findings, setting)
        axes.plot(
            steps,
            np.maximum(values, 1e-16),
            **look,
            label=label or name_of(findings, arm, setting),
        )
    style.log_scale(axes, "y")
    axes.set_xlabel("step")
    axes.set_ylabel("divergence that the generator descends")
    axes.grid(axis="y")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    lost = int((diverged(findings) & descents).sum())
    caption = Markup(
        "Algorithm 2, generator loss gradient descent with the best critic: the cost of each "
        "objective, mean over seeds. For the non-saturating loss it is C(R) − 2 log 2 = "
        "2 KL((p<sub>R</sub> + p<sub>r</sub>)/2 ‖ p<sub>r</sub>). Costs without a "
        "curvature at the equilibrium (total variation, W₁) stop at a distance of the order of "
        "the step.{}"
    ).format(f" {prose.plural(lost, 'trial')} that diverged count up to there." if lost else "")
    names = [name_of(findings, arm, setting) for arm, setting in places]
    falls = [costs[arm, setting] for arm, setting in places]
    alt = f"Cost with the best critic over steps, lowest to highest: {prose.spans(names, falls)}."
    return Drawing("descent", figure, alt, caption)


def _critic_steps(findings: Findings) -> Drawing | None:
    steps, apart = _followed(findings)
    if not np.isfinite(steps).any():
        return None
    figure = Figure(figsize=(10.4, 3.8), layout="constrained")
    axes = figure.subplots()
    for index, look in enumerate(style.arm_lines(len(findings.settings))):
        label = setting_name(findings, index) or "practical algorithm"
        _line(axes, steps[:, index], apart[:, index], label, look)
    axes.axhline(NEAR, color=style.MUTED, linewidth=1, linestyle=":")
    style.log_scale(axes, "xy")
    ticks = np.unique(steps[np.isfinite(steps)])
    axes.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("D-steps before each M-step")
    axes.set_ylabel("distance from algorithm 2 (total variation)")
    axes.grid(axis="y")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    caption = Markup(
        "The practical algorithm against algorithm 2 from the same start: distance of the two "
        "generators over the last fifth of the steps, mean over {}{}. Dotted line: {}, below "
        "which we say that it follows algorithm 2."
    ).format(findings.units, _left_out(findings), NEAR)
    labels = [
        setting_name(findings, index) or "practical algorithm"
        for index in range(len(findings.settings))
    ]
    alt = (
        f"Distance from algorithm 2 by D-steps, lowest to highest: {prose.spans(labels, apart.T)}."
    )
    return Drawing("critic_steps", figure, alt, caption)


def _line(
    axes: Axes,
    steps: Array,
    apart: Array,
    label: str,
    look: Mapping[str, Any],
) -> None:
    kept = np.isfinite(steps) & np.isfinite(apart)
    if not kept.any():
        return
    order = np.argsort(steps[kept])
    axes.plot(
        steps[kept][order],
        np.maximum(apart[kept][order], 1e-12),
        **look,
        marker="o",
        markersize=4,
        label=label,
    )
