"""Names at the ends of lines: each can be read, and lies as near to its end as others let it."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from ganstudy.report import style
from ganstudy.report.end_labels import apart, end_labels


def test_places_are_moved_least() -> None:
    np.testing.assert_allclose(apart([5.0, 1.0, 9.0], 2, 0, 10), [5, 1, 9])
    np.testing.assert_allclose(apart([5.0, 5.0, 9.0], 2, 0, 10), [4, 6, 9])
    np.testing.assert_allclose(apart([10.0, 9.0], 2, 0, 10), [10, 8])
    np.testing.assert_allclose(apart([1.0, 1.0, 1.0], 2, 0, 2), [-1, 1, 3])


@pytest.mark.parametrize("spread", [0.0, 0.3, 8.0])
def test_names_of_lines_that_end_together_do_not_overlap(spread: float) -> None:
    """Of ten lines, one of which ends earlier, at the lower edge of the panel or over it."""
    with style.figure_style():
        figure = Figure(figsize=(10.4, 4.2), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        ends = [
            (10.0 - 6 * (k == 3), float(np.exp(spread * np.sin(k))), f"pair {k}", "black")
            for k in range(10)
        ]
        for x, y, *_ in ends:
            axes.plot([1, x], [1, y])
        axes.set_xlim(0.5, 12.5)
        axes.set_ylim(1e-4, 1e4)
        end_labels(axes, ends)
        figure.draw_without_rendering()
    # Without the lines that join names to their ends.
    boxes = [Text.get_window_extent(name) for name in axes.texts]
    assert len(boxes) == 10
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    assert all(axes.bbox.y0 - 6 < box.y0 and box.y1 < axes.bbox.y1 + 6 for box in boxes)


@pytest.mark.parametrize("name", ["minimax", "non_saturating, R1 + R2", "“Ωg@8” → 0.5 %"])
def test_a_text_is_as_wide_as_its_strokes(name: str) -> None:
    """By Matplotlib, along each of their curves; what is blank has no width."""
    with style.figure_style():
        drawn = TextPath((0, 0), name, size=9.0).get_extents().width
        assert style.text_width(name, 9.0) == pytest.approx(drawn, rel=1e-9)
        assert style.text_width(" ", 9.0) == style.text_width("", 9.0) == 0
