"""Critics at the end: what each one says of every place, for the trials whose films are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from scipy.special import expit

from ganstudy.analysis.classifiers import is_classifier
from ganstudy.film import GRID, grid
from ganstudy.report import prose, style
from ganstudy.report.contours import backdrop, draw_behind, draw_discs
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.scenes import Array, Scene, rule, scenes
from ganstudy.report.sections._base import Chart, Section

LEVELS = 17
"""Contour levels of a surface."""

COLUMNS = 4


def draw(findings: Findings, shown: Sequence[Scene]) -> Drawing:
    """A panel for each scene whose critic judges points: D of a classifier, else the logit."""
    judged = [scene for scene in shown if scene.logits is not None]
    rows = math.ceil(len(judged) / COLUMNS)
    columns = math.ceil(len(judged) / rows)
    titles = [fill(findings.arms[scene.arm], 28) for scene in judged]
    # The layout leaves squares no room for titles: it is what is left of the height.
    height = 3.4 + 0.14 * max(title.count("\n") for title in titles)
    figure = Figure(
        figsize=(2.6 * columns, height * rows),
        layout=ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.07),
    )
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[len(judged) :]:
        axes.set_visible(False)
    for scene, title, axes in zip(judged, titles, panels.flat, strict=False):
        draw_on(axes, scene)
        axes.set_title(title, fontsize=8.5, color=style.INK)
    classifiers = [scene for scene in judged if is_classifier(scene.divergence)]
    parts = []
    if classifiers:
        parts.append(
            "Of a classifier: D(x), the probability that x comes from p; the dashed line is D = ½, "
            "where it cannot tell."
        )
    if len(classifiers) < len(judged):
        whose = "Of every other critic: its" if classifiers else "The critic's"
        scale = ", each on a scale of its own," if len(judged) > 1 else ","
        parts.append(f"{whose} logit{scale} from the lowest to the highest hundredth.")
    parts.append(
        "Dark line: the target. Discs: samples of the generator. The last frame of a trial, on a "
        f"grid of {GRID} by {GRID} points."
    )
    parts.append(rule(findings, shown))
    lacking = [findings.arms[scene.arm] for scene in shown if scene.logits is None]
    if lacking:
        have = (
            "has no panel: its film has" if len(lacking) == 1 else "have no panel: their films have"
        )
        parts.append(f"{prose.names(lacking).unescape()} {have} no critic of points.")
    caption = Markup(" ").join(map(Markup.escape, parts))
    names = [f"{_says(scene)} of {findings.arms[scene.arm]}" for scene in judged]
    said = prose.spans(names, map(_surface, judged))
    alt = f"What critics say at the end over the window of the target, lowest to highest: {said}."
    return Drawing("critics", figure, alt, caption)


def _says(scene: Scene) -> str:
    return "D" if is_classifier(scene.divergence) else "logit"


def _surface(scene: Scene) -> Array:
    """What the critic says of each point of the grid at the end."""
    assert scene.logits is not None
    logits = scene.logits[scene.seen[-1]]
    return np.asarray(expit(logits)) if is_classifier(scene.divergence) else logits


def draw_on(axes: Axes, scene: Scene) -> None:
    """One panel, with a bar of its colours below."""
    assert scene.logits is not None
    frame = scene.seen[-1]
    # The outer half of the outer cells is as their middle.
    logits = np.pad(scene.logits[frame], 1, mode="edge")
    x, y = (
        np.concatenate([[low], own, [high]])
        for own, (low, high) in zip(grid(scene.window, len(logits) - 2), scene.window, strict=True)
    )
    if is_classifier(scene.divergence):
        surface, low, high = np.asarray(expit(logits)), 0.0, 1.0
    else:
        surface = logits
        low, high = np.quantile(logits, [0.01, 0.99]).tolist()
        if low == high:
            low, high = low - 1, high + 1
    filled = axes.contourf(
        *(x, y, np.clip(surface, low, high)),
        levels=np.linspace(low, high, LEVELS),
        cmap="RdBu",
        extend="neither",
    )
    filled.set_rasterized(True)
    if is_classifier(scene.divergence) and (logits > 0).any() and (logits < 0).any():
        axes.contour(x, y, logits, levels=[0.0], colors=style.INK, linewidths=0.8, linestyles="--")
    draw_behind(axes, backdrop(scene.target), scene.window)
    draw_discs(axes, scene.samples[frame], style.INK, size=1.8)
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(filled, ax=axes, orientation="horizontal", fraction=0.06, pad=0.03)
    bar.set_ticks([low, (low + high) / 2, high])
    ends = (low, (low + high) / 2, high)
    bar.set_ticklabels([prose.apart(value, (high - low) / 2) for value in ends])
    bar.ax.tick_params(labelsize=6.5, length=2)
    for text, side in zip(bar.ax.get_xticklabels(), ("left", "center", "right"), strict=True):
        text.set(ha=side)
    where = f", at M-step {scene.steps[frame]:,}" if math.isfinite(scene.diverged_at) else ""
    said = f"{_says(scene)}{where}"
    if outside := scene.outside(frame):
        said += f"; samples: {outside}"
    bar.set_label(said, fontsize=7, color=style.MUTED)
    bar.outline.set_visible(False)


def _judged(findings: Findings) -> list[Scene]:
    return [scene for scene in scenes(findings) if scene.logits is not None]


def _missing(findings: Findings) -> str:
    reason = "no trial has a film with a critic of points: see `record.frames`"
    return "" if _judged(findings) else reason


class Critics(Section):
    """What the critic of one trial of each arm says of every place."""

    place = 120
    label = "Critics"
    heading = "Critics at the end"
    charts = (
        Chart(
            "critics",
            """What the critic of one trial of each arm says of every place at the end.""",
            lambda findings: draw(findings, scenes(findings)),
            lambda axes, findings: draw_on(axes, _judged(findings)[0]),
            missing=_missing,
        ),
    )
