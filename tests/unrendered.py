"""Reports whose figures are not written out, which is what takes their time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from matplotlib.figure import Figure

from ganstudy.report.drawing import Drawing
from ganstudy.report.sections import Section


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
def undrawn() -> Iterator[None]:
    """Reports whose words alone are read: each figure of a section is an empty one of its name."""

    def empty(section: Section) -> list[Drawing]:
        charts = [own for own in section.charts if not own.missing(section.findings)]
        return [Drawing(own.name, Figure(), "", Markup("")) for own in charts]

    with unrendered(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "drawings", empty)
        patch.setattr("ganstudy.report.answer.picture", lambda findings: None)
        yield


def no_build(*given: Any, press: Any) -> Path:
    """Where a page would be that nobody builds."""
    place: Path = given[-1]
    return place / "index.html"


@contextmanager
def pageless() -> Iterator[None]:
    """Runs that say where their page is and build none: it takes longer than their training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.report.build", no_build)
        yield


@contextmanager
def unprinted() -> Iterator[None]:
    """Reports whose figures are laid out, and every artist asked to draw, without a pixel."""

    def lay_out(drawing: Drawing, folder: Path) -> None:
        drawing.figure.draw_without_rendering()
        (folder / f"{drawing.name}.svg").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drawing, "save", lay_out)
        yield
