"""What a section of the report is: when it applies, and what it brings to the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ganstudy.family import Part

if TYPE_CHECKING:
    from ganstudy.report.data_tables import DataTable
    from ganstudy.report.drawing import Drawing
    from ganstudy.report.findings import Findings
    from ganstudy.report.prose import Sentence

__all__ = ["Chart", "Section"]


def _nothing(findings: Findings) -> str:
    return ""


def _none(findings: Findings) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Chart:
    """A figure that the page shows and `ganstudy.plot` draws again.

    name      of its files and of its function in `ganstudy.plot`
    about     what that function says of itself
    draw      the whole figure, in the report's style, size and words; where nothing is missing
    draw_on   one panel of it, on axes of the reader's own
    missing   why there is nothing to draw; empty where there is something
    metric    whether it can draw another metric than the headline one
    curves    whether it can be given names of curves, after the findings
    single    whether it has one panel, so that the function returns it and no array
    legend    what stands for arms in the legend that `draw_on` leaves to be added, as
              `style.arm_legend` has it; empty for none
    settings  names of the settings that this legend has beside the arms
    """

    name: str
    about: str
    draw: Callable[..., Drawing]
    draw_on: Callable[..., None]
    missing: Callable[[Findings], str] = _nothing
    metric: bool = False
    curves: bool = False
    single: bool = False
    legend: str = ""
    settings: Callable[[Findings], Sequence[str]] = _none


class Section(Part):
    """A section of the page; its template is `<name>.html.j2` beside its file, or the plain one.

    place    where it stands: the page has its sections in the order of their places
    label    what the navigation calls it; empty for a section that it leaves out
    heading  of the plain template; by default the label, or the name
    charts   its figures
    several  whether the page of studies joined along `study` has it, which has no others
    """

    place: ClassVar[float] = 1_000.0
    label: ClassVar[str] = ""
    heading: ClassVar[str] = ""
    charts: ClassVar[Sequence[Chart]] = ()
    several: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Errors  `TypeError` for what would keep the page from standing in order."""
        super().__init_subclass__(**options)
        if not isinstance(cls.place, int | float) or not isinstance(cls.label, str):
            got = f"{cls.place!r} and {cls.label!r}"
            raise TypeError(f"place should be a number, and label a text (got {got})")

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Whether the page has it: by default always, or if a figure of its can be drawn."""
        return not cls.charts or any(not chart.missing(findings) for chart in cls.charts)

    def drawings(self) -> list[Drawing]:
        """Its figures, in the report's style.

        Errors  `ValueError` for one with another name than its chart, by which it is drawn anew.
        """
        found = self.findings
        charts = [chart for chart in self.charts if not chart.missing(found)]
        drawn = [chart.draw(found) for chart in charts]
        for chart, own in zip(charts, drawn, strict=True):
            if own.name != chart.name:
                message = f"chart {chart.name!r} draws a figure named {own.name!r}; name it alike"
                raise ValueError(message)
        return drawn

    def sentences(self) -> list[Sentence]:
        """What it adds to the answer at the top of the page; by default nothing."""
        return []

    def tables(self) -> Mapping[str, tuple[DataTable, str]]:
        """Tables by file name, each with its caption, for the plain template; by default none."""
        return {}

    def files(self) -> Mapping[str, str]:
        """Text by file name, beside the page: by default `tables`, as CSV and LaTeX."""
        # Only where there are tables: a section is found without importing what makes them.
        from ganstudy.report import latex

        found = {}
        for name, (table, caption) in self.tables().items():
            found[f"{name}.csv"] = table.csv()
            found[f"{name}.tex"] = latex.plain(self.findings, table, caption, name)
        return found

    def facts(self) -> Mapping[str, Any]:
        """What its template needs beside the findings; by default nothing."""
        return {}

    def call(self, figure: str) -> str:
        """The call that draws a figure of its once more."""
        dataset = "ds" if self.findings.searched is None else "searched"
        return f"ganstudy.plot.{figure}({dataset})"
