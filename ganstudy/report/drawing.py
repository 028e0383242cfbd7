"""A finished figure with its words, and its forms on disk and in the page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ganstudy.report.style import wrap_labels
from ganstudy.whole_file import write_whole

DPI = 160
"""Resolution of PNGs and of what is rasterised inside SVGs."""


@dataclass(frozen=True)
class Drawing:
    """A figure, what it shows in words (`alt`), and its caption.

    Artwork made of very many points is to be rasterised by the artist, so that the SVG stays small.
    """

    name: str
    figure: Figure
    alt: str
    caption: Markup

    def __post_init__(self) -> None:
        """Nothing is longer than the figure."""
        wrap_labels(self.figure)

    @property
    def width(self) -> int:
        """Natural width in CSS pixels."""
        return round(self.figure.get_figwidth() * 96)

    def save(self, folder: Path) -> None:
        """Write `<name>.png` and `<name>.svg`."""
        # `Figure.savefig` would lay the figure out and draw it twice for each of the two files.
        self.figure.set_dpi(DPI)
        png = io.BytesIO()
        FigureCanvasAgg(self.figure).print_png(png)  # type: ignore[no-untyped-call]  # Matplotlib has not typed it
        write_whole(folder / f"{self.name}.png", png.getvalue(), durable=False)
        self.figure.set_layout_engine("none")
        # Without a date and with a fixed salt for ids, equal data give equal bytes.
        svg = io.BytesIO()
        FigureCanvasSVG(self.figure).print_svg(svg, metadata={"Date": None})  # type: ignore[no-untyped-call]  # Matplotlib has not typed it
        write_whole(folder / f"{self.name}.svg", svg.getvalue(), durable=False)
