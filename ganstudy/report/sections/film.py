"""How the generator moved, as the page plays it: frame by frame, with z held fixed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.contours import backdrop
from ganstudy.report.findings import Findings
from ganstudy.report.scenes import Array, Scene, rule

SIDE = 1000
"""Width and height of a scene in the units in which the page draws it."""

BEHIND = 600
"""Samples of a target without a density that are drawn behind those of q."""

UNDRAWN = " · no gradient at single points"
"""Of a scene without arrows."""


def player(findings: Findings, shown: Sequence[Scene]) -> dict[str, Any] | None:
    """What the template needs; None where nothing was filmed."""
    if not shown:
        return None
    colours = style.arm_colours(len(findings.arms))
    return {
        "frames": max(len(scene.steps) for scene in shown),
        "particles": max(scene.samples.shape[1] for scene in shown),
        "arrows": any(scene.pull is not None for scene in shown),
        "rule": rule(findings, shown),
        "scenes": [
            {
                "arm": findings.arms[scene.arm],
                "label": scene.label + ("" if scene.pull is not None else UNDRAWN),
                "colour": colours[scene.arm],
                "target": target_path(scene.target, scene.window),
                "dots": backdrop(scene.target).points is not None,
                "alt": (
                    f"{scene.samples.shape[1]} samples of {findings.arms[scene.arm]}, "
                    f"{scene.label}, over the target, in "
                    f"{prose.plural(len(scene.seen), 'frame')} from M-step "
                    f"{scene.steps[scene.seen[0]]:,} to {scene.steps[scene.seen[-1]]:,}"
                ),
            }
            for scene in shown
        ],
        "data": as_json([frames(scene) for scene in shown]),
    }


def frames(scene: Scene) -> dict[str, Any]:
    """A film in whole units of a square with its origin at the top left."""
    diverged = np.isfinite(scene.diverged_at)
    return {
        "diverged": int(scene.diverged_at) if diverged else None,
        "steps": scene.steps,
        "points": [
            _placed(frame, scene.window).ravel().tolist() if at in scene.seen else None
            for at, frame in enumerate(scene.samples)
        ],
        "arrows": _arrows(scene),
    }


def target_path(target: str, window: Array) -> str:
    """A target's contours in a window, or samples of it as dots, as the path of an SVG."""
    behind = backdrop(target)
    if behind.points is not None:
        dots = _placed(behind.points[:BEHIND], window)
        return "".join(f"M{x} {y}h0" for x, y in dots.tolist())
    lines = [_placed(line[:: max(1, len(line) // 120)], window) for line in behind.lines]
    return "".join("M" + "L".join(f"{x} {y}" for x, y in line.tolist()) + "Z" for line in lines)


def _placed(points: Array, window: Array) -> NDArray[np.int64]:
    """Whole units; what lies far outside is put far outside."""
    share = (points - window[:, 0]) / (window[:, 1] - window[:, 0])
    share[..., 1] = 1 - share[..., 1]
    return np.round(SIDE * np.clip(share, -4, 5)).astype(np.int64)


def _arrows(scene: Scene) -> list[list[int] | None] | None:
    if scene.arrows is None:
        return None
    cell = SIDE / scene.arrows.shape[1]
    flipped = scene.arrows * (cell, -cell)
    return [
        np.round(frame).astype(np.int64).ravel().tolist() if np.isfinite(frame).all() else None
        for frame in flipped
    ]


def as_json(value: Any) -> Markup:
    """A value as it may stand within a script element."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))
