"""The one look that each arm has everywhere, and what can be read on a colour."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import ArrayLike, NDArray

PALETTE = (
    *("#0173b2", "#cc8304", "#02996f", "#ab649d"),
    *("#c65700", "#499cca", "#b78357", "#949494"),
)
"""Okabe and Ito's hues in seaborn's colour-blind shades: blue, orange, green, pink, vermilion, sky,
tan and grey. Three were paler than 3 : 1 on white; these are darker, as are those that would no
longer be apart from them without a sense of red, green or blue.
"""

EACH = 3
"""Arms that share a stroke and a marker: what some readers see in one colour differs in these."""

STROKES: tuple[Any, ...] = (
    *("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2))),
    *((0, (9, 2)), (0, (1, 4)), (0, (5, 1.2, 1, 1.2, 1, 1.2)), (0, (9, 2, 3, 2))),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "*", "<")
HATCHES = ("", "////", "....", "xxxx", "----", "||||", "\\\\\\\\", "oo")

LOOKS = len(STROKES)
"""Settings that figures can tell apart, as many by markers and by hatches."""


def arm_colours(arms: int) -> list[str]:
    """One colour per arm, in study order; past eight, each as far from the others as can be."""
    return _colours(arms).copy()


def arm_lines(arms: int) -> list[dict[str, Any]]:
    """Colour and stroke of each arm's line, whole for the first three."""
    strokes = (STROKES[arm // EACH % len(STROKES)] for arm in range(arms))
    return [
        {"color": colour, "linestyle": stroke}
        for colour, stroke in zip(arm_colours(arms), strokes, strict=True)
    ]


def arm_markers(arms: int) -> list[str]:
    """The marker of each arm's points."""
    return [MARKERS[arm // EACH % len(MARKERS)] for arm in range(arms)]


@lru_cache(maxsize=16)
def _colours(arms: int) -> list[str]:
    chosen = [to_rgb(colour) for colour in PALETTE[:arms]]
    if arms > len(PALETTE):
        levels = np.linspace(0.0, 1.0, 14)
        cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
        seen = perceived(cube)
        # Neither black, as text is, nor too pale for a line on white.
        fit = (seen[:, 0] > 0.25) & (contrast(cube, _WHITE) >= 3)
        cube, seen = cube[fit], seen[fit]
        apart = np.linalg.norm(seen[:, None] - perceived(chosen), axis=-1).min(axis=1)
        while len(chosen) < arms:
            farthest = int(apart.argmax())
            chosen.append(tuple(cube[farthest].tolist()))
            apart = np.minimum(apart, np.linalg.norm(seen - seen[farthest], axis=-1))
    return [to_hex(colour) for colour in chosen]


def perceived(colours: ArrayLike) -> NDArray[np.float64]:
    """Colours where distances are as they look, OKLab: lightness and two opponents.

    Shapes  `(*, 3) -> (*, 3)`, from sRGB.
    Source  Ottosson 2020, "A perceptual color space for image processing".
    """
    return np.asarray(np.cbrt(_linear(colours) @ _CONES.T) @ _OPPONENTS.T)


def contrast(colours: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """How much lighter one colour is than another, or darker: 1 to 21; text needs 4.5, a line 3.

    Shapes  `(*, 3), (3,) -> (*)`, from sRGB.
    Source  WCAG 2.1, "contrast ratio".
    """
    own, from_other = (_linear(those) @ _LUMINANCE + 0.05 for those in (colours, other))
    return np.asarray(np.maximum(own, from_other) / np.minimum(own, from_other))


def ink_on(colour: ArrayLike) -> str:
    """Black or white, whichever is read better on a colour: its contrast is 4.58 or more."""
    black, white = (contrast(ground, np.asarray(colour)[:3]) for ground in (_BLACK, _WHITE))
    return "black" if black >= white else "white"


def _linear(colours: ArrayLike) -> NDArray[np.float64]:
    srgb = np.asarray(colours, np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])

_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OPPONENTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_BLACK, _WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
