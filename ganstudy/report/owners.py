"""Whose a file beside the page is: each is one section's, and would else be shown in two places."""

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

        self._of = dict.fromkeys(("index.html", page_files.NAME), "the page itself")
        declared = [("answer", "answer")]
        for member in sorted(family, key=lambda own: bool(own.plugin)):
            declared += [(chart.name, member.name) for chart in member.charts]
        for figure, owner in declared:
            for name in _pictures(figure):
                self._of.setdefault(name, f"section {owner}")

    def drawings(self, section: Section) -> Sequence[Drawing]:
        """What a section draws.

        Errors  `ValueError` for a figure with the name of another section's, or of the picture of
                the answer, and for two of one name.
        """
        drawn = section.drawings()
        names = [drawing.name for drawing in drawn]
        for name in names:
            self._claim(section, f"figure {name!r}", _pictures(name))
            if names.count(name) > 1:
                raise ValueError(f"two figures are called {name!r}; rename one")
        return drawn

    def take_files(self, section: Section, names: Iterable[str]) -> None:
        """Note which texts a section puts beside the page.

        Errors  `ValueError` for one with the name of another section's file, or of the page's own.
        """
        for name in names:
            self._claim(section, f"file {name!r}", (name,))

    def _claim(self, section: Section, what: str, names: Iterable[str]) -> None:
        own = f"section {section.name}"
        for name in names:
            # Some file systems do not tell case apart.
            if (owner := self._of.setdefault(name.lower(), own)) != own:
                raise ValueError(f"the {what} is one of {owner}; rename it")


def _pictures(figure: str) -> tuple[str, ...]:
    return f"{figure}.png".lower(), f"{figure}.svg".lower()
