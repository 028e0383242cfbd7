"""Whose a figure is: its name is that of a file beside the page, which has one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganstudy.report.drawing import Drawing
    from ganstudy.report.sections import Section

__all__ = ["own_drawings"]


def own_drawings(section: Section) -> Sequence[Drawing]:
    """What a section draws.

    Errors  `ValueError` for a figure with the name of another section's, or of the picture of the
            answer: one would be shown in the other's place. Of two sections the name is that of
            the one that is no plug-in.
    """
    from ganstudy.report.sections import family

    owners = {"answer": "answer"}
    for member in sorted(family, key=lambda own: bool(own.plugin)):
        for chart in member.charts:
            owners.setdefault(chart.name, member.name)
    drawn = section.drawings()
    for drawing in drawn:
        if (owner := owners.get(drawing.name, section.name)) != section.name:
            raise ValueError(f"the figure {drawing.name!r} is one of section {owner}; rename it")
    return drawn
