"""Reports whose figures are not written out, which is what takes their time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from ganstudy.report.drawing import Drawing


@contextmanager
def unrendered() -> Iterator[dict[str, Figure]]:
    """The figures of reports as they are built, by name."""
    figures: dict[str, Figure] = {}

    def keep(drawing: Drawing, folder: Path) -> None:
        figures[drawing.name] = drawing.figure
        (folder / f"{drawing.name}.svg").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drawing, "save", keep)
        yield figures


@contextmanager
def unprinted() -> Iterator[None]:
    """Reports whose figures are laid out, and every artist asked to draw, without a pixel."""

    def lay_out(drawing: Drawing, folder: Path) -> None:
        drawing.figure.draw_without_rendering()
        (folder / f"{drawing.name}.svg").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drawing, "save", lay_out)
        yield
