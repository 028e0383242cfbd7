"""What the scripts of the page read, in whole units of a square with its origin at the top left."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ganstudy.report.contours import BEHIND, backdrop

__all__ = ["SIDE", "as_json", "placed", "target_path"]

Array = NDArray[np.float64]

SIDE = 1000
"""Width and height of a scene in the units in which the page draws it."""


def target_path(target: str, window: Array) -> str:
    """A target's contours in a window, or samples of it as dots, as the path of an SVG."""
    behind = backdrop(target)
    if behind.points is not None:
        dots = placed(behind.points[:BEHIND], window)
        return "".join(f"M{x} {y}h0" for x, y in dots.tolist())
    lines = [placed(line[:: max(1, len(line) // 120)], window) for line in behind.lines]
    return "".join("M" + "L".join(f"{x} {y}" for x, y in line.tolist()) + "Z" for line in lines)


def placed(points: Array, window: Array) -> NDArray[np.int64]:
    """Whole units; what lies far outside is put far outside."""
    share = (points - window[:, 0]) / (window[:, 1] - window[:, 0])
    share[..., 1] = 1 - share[..., 1]
    return np.round(SIDE * np.clip(share, -4, 5)).astype(np.int64)


def as_json(value: Any) -> Markup:
    """A value as it may stand within a script element."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))
