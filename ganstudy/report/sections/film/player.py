"""How the generator moved, as the page plays it: frame by frame, with z held fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganstudy.report import prose
from ganstudy.report.contours import backdrop
from ganstudy.report.embedded import SIDE, as_json, placed, target_path
from ganstudy.report.findings import Findings
from ganstudy.report.scenes import Scene, rule

UNDRAWN = " · no gradient at single points"
"""Of a scene without arrows."""


def player(findings: Findings, shown: Sequence[Scene]) -> dict[str, Any]:
    """What the template needs."""
    return {
        "frames": max(len(scene.steps) for scene in shown),
        "particles": max(scene.samples.shape[1] for scene in shown),
        "arrows": any(scene.pull is not None for scene in shown),
        "rule": rule(findings, shown),
        "scenes": [
            {
                "arm": findings.arms[scene.arm],
                "label": scene.label + ("" if scene.pull is not None else UNDRAWN),
                "colour": findings.colours[scene.arm],
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
            placed(frame, scene.window).ravel().tolist() if at in scene.seen else None
            for at, frame in enumerate(scene.samples)
        ],
        "arrows": _arrows(scene),
    }


def _arrows(scene: Scene) -> list[list[int] | None] | None:
    if scene.arrows is None:
        return None
    cell = SIDE / scene.arrows.shape[1]
    flipped = scene.arrows * (cell, -cell)
    return [
        np.round(frame).astype(np.int64).ravel().tolist() if np.isfinite(frame).all() else None
        for frame in flipped
    ]
