"""Whose a file beside the page is: each is one section's, or it would be shown in two places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.store import page_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ganstudy.report.drawing import Drawing
    from ganstudy.report.sections import Section

__all__ = ["Owners"]


class Owners:
    """Sections by the names of their files beside one page: the figures that they declare from the
    start, those of plug-ins last, and all else as it is made.
    """

    def __init__(self) -> None:
        from ganstudy.report.sections import family

        names = "index.html", page_files.NAME, *_pictures("answer")
        self._of = dict.fromkeys(names, "the page itself")
        self._made: set[str] = set()
        for member in sorted(family, key=lambda own: bool(own.plugin)):
            for chart in member.charts:
                for name in _pictures(chart.name):
                    self._of.setdefault(name, f"section {member.name}")

    def drawings(self, section: Section) -> Sequence[Drawing]:
        """What a section draws.

        Errors  `ValueError` for a figure whose name is taken, by this section or another one, or
                by the picture of the answer.
        """
        drawn = section.drawings()
        for drawing in drawn:
            self._claim(section, f"figure {drawing.name!r}", _pictures(drawing.name))
        return drawn

    def take_files(self, section: Section, names: Iterable[str]) -> None:
        """Note which texts a section puts beside the page.

        Errors  `ValueError` for one whose name is taken, by any section or by the page's own.
        """
        for name in names:
            self._claim(section, f"file {name!r}", (name,))

    def _claim(self, section: Section, what: str, names: Iterable[str]) -> None:
        own = f"section {section.name}"
        for name in names:
            same = name.lower()  # some file systems do not tell case apart
            if (owner := self._of.setdefault(same, own)) != own:
                raise ValueError(f"the {what} would replace one of {owner}; rename it")
            if same in self._made:
                raise ValueError(f"the {what} would replace another of its section; rename one")
            self._made.add(same)


def _pictures(figure: str) -> tuple[str, ...]:
    return f"{figure.lower()}.png", f"{figure.lower()}.svg"
