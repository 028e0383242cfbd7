"""The looks of arms: told apart without a sense of red, green or blue; words read on any colour."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ganstudy.report import colours, style
from ganstudy.report.findings import Findings
from ganstudy.report.sections import settings

# Machado, Oliveira & Fernandes 2009, severity 1, on linear light.
SIGHT = {
    "usual": np.eye(3),
    "without red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}

XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""From linear sRGB; its white is that of D65."""


def cielab(light: ArrayLike) -> NDArray[np.float64]:
    """CIE 1976 from linear light: a distance of 2.3 is just seen."""
    parts = np.cbrt(np.asarray(light) @ XYZ.T / XYZ.sum(axis=1))
    return np.stack(
        [
            116 * parts[..., 1] - 16,
            500 * (parts[..., 0] - parts[..., 1]),
            200 * (parts[..., 1] - parts[..., 2]),
        ],
        axis=-1,
    )


@pytest.mark.parametrize("sight", SIGHT)
def test_arms_of_one_stroke_and_marker_are_told_apart_by_every_reader(sight: str) -> None:
    """Without strokes arms 1 and 4 are 13 apart, 2 and 7 are 11, and lines are thin."""
    srgb = np.array([to_rgb(own) for own in colours.arm_colours(12)])
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = cielab(np.clip(light @ np.transpose(SIGHT[sight]), 0, 1))
    strokes = [str(own["linestyle"]) for own in colours.arm_lines(12)]
    markers = colours.arm_markers(12)
    for one, other in combinations(range(12), 2):
        apart = float(np.linalg.norm(seen[one] - seen[other]))
        alike = strokes[one] == strokes[other], markers[one] == markers[other]
        assert apart > 14 or alike == (False, False), (one, other, apart)


def test_no_arm_is_paler_than_a_line_may_be() -> None:
    """WCAG 2.1, 1.4.11: orange was at 2.6 on white, tan at 2.7 and sky blue at 2.3."""
    own = [to_rgb(colour) for colour in colours.arm_colours(12)]
    assert colours.contrast(own, (1, 1, 1)).min() >= 3


@pytest.mark.parametrize("cmap", ["YlGnBu", "RdBu", "PuOr"])
def test_words_on_a_heat_map_are_read_on_all_its_colours(cmap: str) -> None:
    shades = mpl.colormaps[cmap](np.linspace(0, 1, 256))[:, :3]
    read = [colours.contrast(to_rgb(colours.ink_on(own)), own) for own in shades]
    assert min(map(float, read)) >= 4.5


@pytest.mark.parametrize(("low", "high"), [(0.14, 1.1), (0.2, 8.0), (0.55, 0.95), (30.0, 70.0)])
def test_a_short_logarithmic_axis_has_numbers_to_read_it_by(low: float, high: float) -> None:
    """One power of ten, or none, says nothing of the distance to the others."""
    with style.figure_style():
        axes = Figure().subplots()
        axes.plot([0, 1], [low, high])
        style.log_scale(axes, "y")
        axes.set_ylim(low, high)
        told = [
            text.get_text() for which in "10" for text in axes.get_yticklabels(bool(int(which)))
        ]
    numbers = [float(text) for text in told if text]
    assert len([number for number in numbers if low <= number <= high]) >= 2


@pytest.mark.parametrize("arms", [2, 8, 9, 13, 30])
def test_arms_can_be_told_apart_by_colour(arms: int) -> None:
    """Thirty are as far from each other as the eight of the palette; a ramp has 0.02 for thirty."""
    own = colours.arm_colours(arms)
    assert len(set(own)) == arms
    assert own[: min(arms, 8)] == colours.arm_colours(8)[:arms]
    seen = colours.perceived([to_rgb(colour) for colour in own])
    apart = np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(arms, 1)]
    assert apart.min() > 0.06


def test_colours_are_seen_as_published() -> None:
    """White, black and pure red in OKLab, by the table of its source."""
    expected = [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.628, 0.225, 0.126]]
    assert np.allclose(colours.perceived([[1, 1, 1], [0, 0, 0], [1, 0, 0]]), expected, atol=1e-3)


def test_one_cell_far_beyond_the_others_leaves_them_colours_of_their_own(
    make_study: Callable[..., xr.Dataset],
) -> None:
    axes = {"divergence": ["minimax", "hinge", "f_kl"], "lr": [1, 2, 3, 4]}
    ds = make_study(axes, seeds=2, steps=6, samples=5)
    cells = 1 + np.arange(12.0).reshape(3, 4, 1, 1) / 10
    cells[2, 3] = 1000.0
    ds["mode_kl"][:] = cells
    findings = Findings.of(ds, metric="mode_kl")
    with style.figure_style():
        drawing = settings.draw(findings)
        drawing.figure.draw_without_rendering()
    shades = drawing.figure.axes[0].collections[0].get_facecolors()[:, :3]
    assert np.abs(np.diff(shades[:11], axis=0)).max(axis=1).min() > 0.02
    assert "and 1 cell beyond has the last one" in drawing.caption
    assert "Colours end" not in settings.draw(Findings.of(ds)).caption
