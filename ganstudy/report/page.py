"""The page: findings, figures and words put together."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

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
    """Write the report of a gathered study; return the path of its page.

    A search by results is reported as a grid study of its arms, each at its best point, with a
    section on the search.

    `destination/index.html` needs no other file and no network. Every figure lies beside it as PNG
    and SVG, the tables as CSV and LaTeX. Equal inputs give equal bytes; files of an earlier report
    are replaced or removed.

    Errors  `KeyError` or `ValueError` if the dataset breaks the contract of `ganstudy.open_run`.
    """
    from ganstudy.analysis import is_search, tuned
    from ganstudy.report import files, scenes, style, theory
    from ganstudy.report.answer import Sentence, answer
    from ganstudy.report.findings import Findings
    from ganstudy.report.sections import (
        bounds,
        claims,
        critics,
        curves,
        distribution,
        effects,
        film,
        film_stills,
        gallery,
        heatmap,
        labels,
        profile,
        ranking,
        runs,
        search,
        stability,
        trial_details,
    )
    from ganstudy.report.tables import (
        estimates,
        provenance_rows,
        ranking_rows,
        score_table,
    )

    searched = search.Searched.of(dataset) if is_search(dataset) else None
    findings = Findings.of(tuned(dataset) if searched else dataset)
    filmed = scenes.scenes(findings)
    destination.mkdir(parents=True, exist_ok=True)
    with style.figure_style():
        drawings = [
            ranking.draw(findings),
            *(
                draw(searched)
                for draw in (search.draw_budget, search.draw_importances, search.draw_pareto)
                if searched
            ),
            profile.draw(findings) if len(findings.arms) > 1 else None,
            effects.draw(findings),
            heatmap.draw(findings) if len(findings.settings) > 1 else None,
            curves.draw_score(findings),
            curves.draw_others(findings),
            bounds.draw(findings),
            labels.draw(findings),
            gallery.draw(findings),
            film_stills.draw(findings, filmed),
            critics.draw(findings, filmed),
            None if findings.theory else stability.draw(findings),
        ]
        classical = [_picture(drawing, destination) for drawing in theory.drawings(findings)]
        pictures = {drawing.name: _picture(drawing, destination) for drawing in drawings if drawing}
    pictures |= {picture.name: picture for picture in classical}
    colours = style.arm_colours(len(findings.arms))
    found = answer(findings)
    if searched:
        found.sentences.insert(0, Sentence(search.sentence(searched), search.call(searched)))
    compared = runs.Compared.of(findings, provenance)
    if compared:
        counted = "analysis.status_counts(ds).groupby('run').sum().assign_attrs(ds.attrs)"
        found.sentences.insert(0, Sentence(compared.sentence, counted))
    tables = files.Tables.of(findings, searched, colours)
    written = files.files(findings, searched, tables, stability="stability" in pictures)
    for name, text in written.items():
        (destination / name).write_text(text, encoding="utf-8")
    kept = {*written, *(f"{name}{suffix}" for name in pictures for suffix in (".png", ".svg"))}
    for path in destination.iterdir():
        if path.suffix in (".png", ".svg", ".csv", ".tex") and path.name not in kept:
            path.unlink()
    page = _template().render(
        metrics=tables.metrics,
        trials=tables.trials,
        distribution=tables.distribution,
        details=trial_details.embedded(findings),
        details_note=trial_details.note(findings),
        distribution_note=distribution.note(findings),
        estimates=estimates(findings),
        draws=max((n for name, n in dataset.sizes.items() if name == "draw"), default=0),
        findings=findings,
        answer=found,
        searched=searched,
        best=tables.best,
        front=tables.front,
        pictures=pictures,
        film=film.player(findings, filmed),
        classical=[picture.name for picture in classical],
        claims=claims.rows(findings.claims),
        table=score_table(findings, colours),
        ranking=ranking_rows(findings, colours),
        stability=tables.stability,
        equilibrium=tables.game,
        provenance=provenance_rows(provenance),
        compared=compared,
        opened=opening(dataset, destination.parent),
        version=version("ganstudy"),
    )
    index = destination / "index.html"
    partial = destination / "index.html.partial"
    partial.write_text(page, encoding="utf-8")
    partial.replace(index)
    return index


def opening(dataset: xr.Dataset, run: Path) -> Markup:
    """The call of `ganstudy` that opens the dataset of a page; its quotes stay as they are."""
    paths = dataset.attrs.get("runs", [run.as_posix()])
    verb = "open_runs" if "runs" in dataset.attrs else "open_run"
    text = f"{verb}({', '.join(json.dumps(path, ensure_ascii=False) for path in paths)})"
    return Markup(html.escape(text, quote=False))


def _picture(drawing: Drawing, destination: Path) -> Picture:
    uri = drawing.save(destination)
    return Picture(drawing.name, uri, drawing.alt, drawing.caption, drawing.width)


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    from ganstudy.report import prose
    from ganstudy.report.sections.trials import cell_text

    environment = Environment(
        loader=PackageLoader("ganstudy.report", package_path="."),
        autoescape=select_autoescape(enabled_extensions=("html", "html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["capital"] = prose.capital
    environment.filters["cell"] = cell_text
    return environment.get_template("page.html.j2")
