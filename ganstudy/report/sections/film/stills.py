"""How the generator moved, as it is printed: the first, a middle and the last frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ganstudy.film import grid
from ganstudy.report import prose, style
from ganstudy.report.contours import backdrop, draw_behind, draw_discs
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.scenes import Scene, rule


def draw(findings: Findings, shown: Sequence[Scene]) -> Drawing:
    """First, middle and last frame of each scene."""
    across = 2 if len(shown) > 1 else 1
    down = -(-len(shown) // across)
    figure = Figure(
        figsize=(5.2 * across, 0.1 + 1.86 * down),
        layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.03, wspace=0, hspace=0),
    )
    panels = figure.subplots(down, 3 * across, squeeze=False).reshape(-1, 3)
    for panel in panels[len(shown) :].flat:
        panel.set_visible(False)
    for scene, row in zip(shown, panels, strict=False):
        for axes, frame in zip(row, _three(scene), strict=True):
            _still(axes, scene, frame, findings.colours[scene.arm])
            said = ", ".join(filter(None, [f"M-step {scene.steps[frame]:,}", scene.outside(frame)]))
            axes.set_title(said, fontsize=7, color=style.MUTED)
        row[0].set_ylabel(findings.arms[scene.arm], fontsize=8.5, color=style.INK)
    moved = [findings.arms[scene.arm] for scene in shown if scene.pull is not None]
    caption = Markup(
        "First, middle and last frame. Discs: {} samples of the generator, their latent noise held "
        "fixed. {}{}"
    ).format(shown[0].samples.shape[1], _arrows(moved, len(shown)), rule(findings, shown))
    trials = "; ".join(
        f"{findings.arms[scene.arm]} ({scene.label}) at M-steps "
        + prose.listing(f"{scene.steps[frame]:,}" for frame in _three(scene)).unescape()
        for scene in shown
    )
    field = " and the field of generator gradients" if moved else ""
    return Drawing("film", figure, f"Samples over the target{field}: {trials}.", caption)


def _arrows(moved: Sequence[str], scenes: int) -> Markup:
    """What arrows are, and of which arms they are drawn; empty where they are of none."""
    if not moved:
        return Markup("")
    which = Markup(", of {} alone").format(prose.names(moved)) if len(moved) < scenes else ""
    return Markup(
        "Arrows{}: where an M-step draws a sample, minus the gradient of the generator's loss in "
        "its position, with lengths in proportion to the root of its size. "
    ).format(which)


def _three(scene: Scene) -> tuple[int, int, int]:
    """The first, a middle and the last frame before any divergence."""
    seen = scene.seen
    return seen[0], seen[len(seen) // 2], seen[-1]


def draw_on(axes: Axes, findings: Findings, scene: Scene) -> None:
    """The last frame of one scene."""
    _still(axes, scene, scene.seen[-1], findings.colours[scene.arm])


def _still(axes: Axes, scene: Scene, frame: int, colour: str) -> None:
    draw_behind(axes, backdrop(scene.target), scene.window)
    if scene.arrows is not None:
        count = scene.arrows.shape[1]
        x, y = np.meshgrid(*grid(scene.window, count))
        cell = (scene.window[:, 1] - scene.window[:, 0]) / count
        u, v = np.moveaxis(scene.arrows[frame] * cell, -1, 0)
        axes.quiver(
            *(x, y, u, v),
            pivot="mid",
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.004,
            color="#9ca3af",
            rasterized=True,
            zorder=2,
        )
    draw_discs(axes, scene.samples[frame], colour, size=2.0)
