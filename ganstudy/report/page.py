"""The page: the answer at its top, then every section that applies."""

from __future__ import annotations

import base64
import html
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ganstudy.cause import harmless
from ganstudy.report.owners import Owners
from ganstudy.report.press import Press
from ganstudy.store import page_files
from ganstudy.whole_file import FULL, write_whole

if TYPE_CHECKING:
    import xarray as xr

    from ganstudy.report.drawing import Drawing
    from ganstudy.report.findings import Findings
    from ganstudy.report.look import Look
    from ganstudy.report.prose import Sentence
    from ganstudy.report.sections import Section

__all__ = ["PageError", "build"]


class PageError(Exception):
    """Sections that could not be made; the page has all others.

    page      its path
    failures  what went wrong, by section
    """

    def __init__(self, page: Path, failures: Mapping[str, str]) -> None:
        said = "; ".join(f"{name} ({cause})" for name, cause in failures.items())
        super().__init__(f"{page}: sections that could not be made: {said}")
        self.page = page
        self.failures = failures


@dataclass(frozen=True)
class Picture:
    """A drawing as a template places it."""

    name: str
    uri: str
    alt: str
    caption: Markup
    width: int


Printing = Callable[["Drawing"], Callable[[], Picture]]
"""Has a drawing printed; what it returns waits for that."""


@dataclass(frozen=True)
class Placed:
    """A section as the page places it; `files` are names of those beside the page, by their text.

    `failure` says why it could not be made, and is empty otherwise.
    """

    name: str
    label: str
    html: Markup
    sentences: list[Sentence] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    files: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


def build(
    dataset: xr.Dataset,
    provenance: Mapping[str, Any],
    destination: Path,
    look: Look | None = None,
    press: Press | None = None,
) -> Path:
    """Write the report of a gathered study, or of one that trains still; the path of its page.

    A search by results is reported as a grid study of its arms, each at its best point, with a
    section on the search.

    `destination/index.html` needs no other file and no network. Every figure lies beside it as PNG
    and SVG, the tables as CSV and LaTeX. Equal inputs give equal bytes; files of an earlier report
    are replaced or removed, by the list that it has left in `files.json`.

    press  prints the figures; by default they are printed here

    Errors  `KeyError` or `ValueError` if the dataset breaks the contract of `ganstudy.open_run`;
            `PageError` once the page is written, if it lacks a section; `OSError` for a full disk.
    """
    from ganstudy.analysis import metric_names
    from ganstudy.analysis.remembered import remembering
    from ganstudy.report.answer import answer, picture
    from ganstudy.report.findings import Findings
    from ganstudy.report.style import figure_style

    destination.mkdir(parents=True, exist_ok=True)
    page_files.note(destination, page_files.made(destination))  # ours, if nothing else is written
    if not metric_names(dataset):
        return _write(destination, _untrained(dataset, provenance, look), [])
    findings = Findings.of(dataset, provenance)
    environment = _environment(
        dataset,
        look,
        **_unfinished(dataset),
        findings=findings,
        metric=findings.metric,
        several=findings.several,
        opened=opening(dataset, destination.parent),
    )
    printing = partial(_printing, press or Press(), destination)
    with remembering(), figure_style():
        drawn = picture(findings)
        printed = None if drawn is None else printing(drawn)
        placed = _placed(findings, environment, printing)
        shown = None if printed is None else printed()
        found = answer(findings, [sentence for own in placed for sentence in own.sentences])
    template = environment.get_template("page.html.j2")
    text = template.render(answer=found, picture=shown, sections=placed)
    index = _write(destination, text, placed, ["answer"] if shown else [])
    if failures := {own.name: own.failure for own in placed if own.failure}:
        raise PageError(index, failures)
    return index


def _unfinished(dataset: xr.Dataset) -> dict[str, int]:
    """Trials that are planned and missing, of a run; runs that are joined need not share points."""
    status = dataset["status"]
    planned = int((status != "excluded").sum())
    return {
        "planned": planned,
        "missing": 0 if "runs" in dataset.attrs else int((status == "missing").sum()),
    }


def opening(dataset: xr.Dataset, run: Path) -> Markup:
    """The call of `ganstudy` that opens the dataset of a page; its quotes stay as they are."""
    paths = dataset.attrs.get("runs", [run.as_posix()])
    verb = "open_runs" if "runs" in dataset.attrs else "open_run"
    words = [json.dumps(path, ensure_ascii=False) for path in paths]
    along = dataset.attrs.get("along")
    text = f"{verb}({', '.join([*words, *([f'along={json.dumps(along)}'] if along else [])])})"
    return Markup(html.escape(text, quote=False))


def _placed(findings: Findings, environment: Any, printing: Printing) -> list[Placed]:
    """Every section that applies, in the order of their places; in the report's style.

    The figures of all are on their way to the press before the first of them is waited for, and
    are asked for from the last one on, which the press has come to least. Those of plug-ins are the
    last throughout, so that no file of the page's own is one of theirs.
    """
    from ganstudy.analysis import along_studies
    from ganstudy.report.sections import family

    studies, owners = along_studies(findings.gathered), Owners()
    begun: list[tuple[type[Section], Callable[[], Placed]]] = []
    for member in sorted(family, key=lambda own: (bool(own.plugin), own.place, own.name)):
        if studies and not member.several:
            continue
        try:  # one section must not take the page with it
            if member.applies(findings):
                section = member(findings)
                pictures = {own.name: printing(own) for own in owners.drawings(section)}
                begun.append((member, partial(_rendered, section, environment, pictures, owners)))
        except Exception as error:
            begun.append((member, partial(_failed, member, environment, error)))
    placed: dict[str, Placed] = {}
    shown = [member for member, _ in begun]
    ours, added = ([own for own in begun if bool(own[0].plugin) is told] for told in (False, True))
    for member, end in (*reversed(ours), *added):
        try:
            placed[member.name] = end()
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:  # no section's fault
                raise
            placed[member.name] = _failed(member, environment, error)
    return [placed[member.name] for member in sorted(shown, key=lambda own: (own.place, own.name))]


def _rendered(
    section: Section,
    environment: Any,
    printed: Mapping[str, Callable[[], Picture]],
    owners: Owners,
) -> Placed:
    """A section whose figures are on disk by the end."""
    pictures = {name: own() for name, own in printed.items()}
    template = environment.select_template([f"{section.name}.html.j2", "section.html.j2"])
    text = template.render(section=section, pictures=pictures, **section.facts())
    sentences, files = [*section.sentences()], dict(section.files())
    _check_added(sentences, files)
    owners.take_files(section, files)
    return Placed(section.name, section.label, Markup(text), sentences, list(pictures), files)


def _check_added(sentences: Sequence[object], files: Mapping[Any, object]) -> None:
    """What a section adds to the page is used where no guard of its own is left.

    Errors  `TypeError` for what is no sentence, and for files other than texts beside the page.
    """
    from ganstudy.report.prose import Sentence

    for own in sentences:
        if not isinstance(own, Sentence) or not all(isinstance(part, str) for part in own):
            raise TypeError(f"sentences should be a list of Sentence (got {own!r})")
    for name, text in files.items():
        if Path(name).name != name or not isinstance(text, str):
            raise TypeError(f"files should be texts by file name (got {name!r}: {text!r:.40})")


def _failed(member: type[Section], environment: Any, error: Exception) -> Placed:
    failure = f"{type(error).__name__}: {error}"
    template = environment.get_template("failure.html.j2")
    text = Markup(template.render(section=member, failure=failure))
    return Placed(member.name, member.label, text, failure=failure)


def _printing(press: Press, destination: Path, drawing: Drawing) -> Callable[[], Picture]:
    """Give a drawing to the press; what is returned waits for it."""
    printed = press.give(drawing, destination)

    def picture() -> Picture:
        printed()
        svg = (destination / f"{drawing.name}.svg").read_bytes()
        uri = "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
        return Picture(drawing.name, uri, drawing.alt, drawing.caption, drawing.width)

    return picture


def _untrained(dataset: xr.Dataset, provenance: Mapping[str, Any], look: Look | None) -> str:
    """The page of a study without a single result."""
    from ganstudy.report import untrained
    from ganstudy.report.tables import provenance_rows

    template = _environment(dataset, look).get_template("untrained.html.j2")
    rows = provenance_rows(provenance)
    return str(template.render(**untrained.words(dataset, look is not None), provenance=rows))


def _write(
    destination: Path, page: str, placed: Sequence[Placed], figures: Sequence[str] = ()
) -> Path:
    """Put page and tables where they belong; of an earlier report nothing else is left.

    What nobody has noted as a report's own stays.
    """
    written = {name: text for own in placed for name, text in own.files.items()}
    for name, text in written.items():
        write_whole(destination / name, text.encode(), durable=False)
    pictures = [*figures, *(name for own in placed for name in own.pictures)]
    kept = {*written, *(f"{name}{suffix}" for name in pictures for suffix in (".png", ".svg"))}
    earlier = page_files.made(destination) - kept
    for path in destination.iterdir():  # the list may be somebody else's, and lead elsewhere
        if path.name in earlier:
            path.unlink()
    page_files.note(destination, kept)
    index = destination / "index.html"
    write_whole(index, page.encode(), durable=False)
    return index


def _environment(dataset: xr.Dataset, look: Look | None, **known: Any) -> Any:
    """Templates, those of sections beside their files, and what all of them may name."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    from ganstudy.report import prose
    from ganstudy.report.sections import family

    folders = [Path(__file__).parent, *(Path(inspect.getfile(member)).parent for member in family)]
    environment = Environment(
        loader=FileSystemLoader(list(dict.fromkeys(folders))),
        autoescape=select_autoescape(enabled_extensions=("html", "html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["capital"] = prose.capital
    environment.filters["counted"] = prose.plural
    environment.filters["several"] = prose.several
    environment.filters["listing"] = prose.listing
    environment.filters["unbroken"] = prose.unbroken
    environment.filters["breakable"] = prose.breakable
    # A question is free text: what a browser, or LaTeX, would not show is told by its code.
    told = {key: harmless(str(dataset.attrs[key])) for key in ("study", "question")}
    environment.globals |= told
    environment.globals |= {"look": look, "missing": 0, **known, "version": version("ganstudy")}
    return environment
