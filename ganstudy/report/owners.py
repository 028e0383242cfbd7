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
        self._claim(section, [(f"figure {own.name!r}", _pictures(own.name)) for own in drawn])
        return drawn

    def take_files(self, section: Section, names: Iterable[str]) -> None:
        """Note which texts a section puts beside the page.

        Errors  `ValueError` for one whose name is taken, by any section or by the page's own.
        """
        self._claim(section, [(f"file {name!r}", (name,)) for name in names])

    def _claim(self, section: Section, claims: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Take all names, or none: a section that fails leaves the others theirs."""
        own, taken = f"section {section.name}", set[str]()
        for what, names in claims:
            for name in map(str.lower, names):  # some file systems do not tell case apart
                if (owner := self._of.get(name, own)) != own:
                    raise ValueError(f"the {what} would replace one of {owner}; rename it")
                if name in self._made | taken:
                    message = f"the {what} would replace another of its section; rename one"
                    raise ValueError(message)
                taken.add(name)
        self._of |= dict.fromkeys(taken, own)
        self._made |= taken


def _pictures(figure: str) -> tuple[str, ...]:
    return f"{figure.lower()}.png", f"{figure.lower()}.svg"
