"""The page: findings, figures and words put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from ganstudy.report.drawing import Drawing


@dataclass(frozen=True)
class Picture:
    """A drawing as the template places it."""

    name: str
    uri: str
    alt: str
    caption: str
    width: int


def build(dataset: xr.Dataset, provenance: Mapping[str, Any], destination: Path) -> Path:
    """Write the report of a gathered grid study; return the path of its page.

    `destination/index.html` needs no other file and no network. Every figure lies beside it as PNG
    and SVG. Equal inputs give equal bytes; figures of an earlier report are replaced or removed.

    Errors  `KeyError` or `ValueError` if the dataset breaks the contract of `ganstudy.open_run`.
    """
    from ganstudy.report import (
        claims,
        curves,
        gallery,
        heatmap,
        ranking,
        stability,
        style,
        theory,
    )
    from ganstudy.report.answer import answer
    from ganstudy.report.findings import Findings
    from ganstudy.report.tables import (
        provenance_rows,
        ranking_rows,
        score_table,
        stability_rows,
    )

    findings = Findings.of(dataset)
    destination.mkdir(parents=True, exist_ok=True)
    with style.figure_style():
        drawings = [
            ranking.draw(findings),
            heatmap.draw(findings) if len(findings.settings) > 1 else None,
            curves.draw_score(findings),
            curves.draw_others(findings),
            gallery.draw(findings),
            None if findings.theory else stability.draw(findings),
        ]
        classical = [_picture(drawing, destination) for drawing in theory.drawings(findings)]
        pictures = {drawing.name: _picture(drawing, destination) for drawing in drawings if drawing}
    pictures |= {picture.name: picture for picture in classical}
    for path in destination.iterdir():
        if path.suffix in (".png", ".svg") and path.stem not in pictures:
            path.unlink()
    colours = style.arm_colours(len(findings.arms))
    page = _template().render(
        findings=findings,
        answer=answer(findings),
        pictures=pictures,
        classical=[picture.name for picture in classical],
        claims=claims.rows(findings.claims),
        table=score_table(findings, colours),
        ranking=ranking_rows(findings, colours),
        stability=stability_rows(findings, colours),
        provenance=provenance_rows(provenance),
        run=destination.parent.as_posix(),
    )
    index = destination / "index.html"
    partial = destination / "index.html.partial"
    partial.write_text(page, encoding="utf-8")
    partial.replace(index)
    return index


def _picture(drawing: Drawing, destination: Path) -> Picture:
    uri = drawing.save(destination)
    return Picture(drawing.name, uri, drawing.alt, drawing.caption, drawing.width)


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    from ganstudy.report import prose

    environment = Environment(
        loader=PackageLoader("ganstudy.report", package_path="."),
        autoescape=select_autoescape(enabled_extensions=("html", "html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["capital"] = prose.capital
    return environment.get_template("page.html.j2")
