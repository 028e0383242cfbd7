"""Every section of the report: what it shows, says and brings, on studies of every form."""

from __future__ import annotations

import html
import pickle
from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from markupsafe import Markup
from recomputed import unexplained
from tiny import STUDY, made_up, write_study
from unrendered import undrawn

import ganstudy
from ganstudy import analysis, plot
from ganstudy.analysis.remembered import remembering
from ganstudy.report import build
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.sections import Section, family
from ganstudy.report.style import figure_style
from ganstudy.search import search_of
from ganstudy.store import RunDirectory, gather
from ganstudy.study import load
from ganstudy.trial import Status

FoundT = TypeVar("FoundT")
NOTHING = "it has nothing to say of this study"

SECTIONS = list(family)
TRIAL = STUDY.partition("search:")[0]
"""The tiny study, as far as its search."""
SEARCH = """\
search:
  grid: {divergence: [minimax, wasserstein]}
  bayes:
    space: {generator.lr: {low: 1.0e-4, high: 0.1, log: true}, critic.lr: [0.01, 0.1]}
    trials: 12
    startup: 3
    objective: {maximize: [modes_covered, high_quality]}
seeds: 2
"""
THEORY = """\
question: Which updates?
trial: {kind: tabular, points: 4, steps: 10}
search: {grid: {algorithm: [alternating, descent, practical]}}
seeds: 2
"""
STUDIES = {
    "grid": STUDY.replace("  batch: 16\n", "  batch: 16\n  condition: true\n"),
    "search": TRIAL + SEARCH,
    "settled": STUDY.replace("seeds: 2", "seeds: {until: settled, start: 4, max: 6}"),
    "theory": THEORY,
    "one trial": TRIAL + "seeds: 1\n",
    "images": STUDY.replace("{name: ring, modes: 4}", "digits"),
    "lost": STUDY,
    "table": STUDY.replace("{name: ring, modes: 4}", "{name: file, path: TABLE}"),
}
"""Studies by their form; those of `TRAINED` are trained, the others have made-up records."""
TRAINED = ("grid", "theory", "one trial", "table", "images")
# Their figures are those of others, too.
DRAWN = [
    pytest.param(name, marks=[pytest.mark.slow] * (name in ("grid", "settled", "table")))
    for name in STUDIES
]


def _status(name: str, seed: int) -> Status:
    return "complete" if name != "lost" else "diverged" if seed else "failed"


def _dataset(name: str, folder: Path) -> xr.Dataset:
    """The dataset of a study all of whose trials are recorded; those of `lost` are all lost."""
    folder.mkdir()
    table = folder / "table.csv"
    rows = np.random.default_rng(0).normal(size=(60, 2))
    np.savetxt(table, rows, header="width,height", comments="", delimiter=",")
    study = write_study(folder, STUDIES[name].replace("TABLE", str(table)))
    search, run = search_of(load(study)), RunDirectory(folder / "run")
    with run.locked():
        run.write_study(search)
        while parts := search.ask(2):
            for pack in parts:
                if name in TRAINED:
                    records = pack[0].configuration.train(pack)
                else:
                    records = [made_up(t, _status(name, t.seed)) for t in pack]
                run.write(records)
                search.tell(records)
        return gather(run, search)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Findings]:
    """The findings of each study, by its form."""
    folder = tmp_path_factory.mktemp("studies")
    return {name: Findings.of(_dataset(name, folder / name.replace(" ", "_"))) for name in STUDIES}


@pytest.fixture(scope="module", autouse=True)
def found_once() -> Iterator[None]:
    """As on a page: sections that ask the same of a study have it found once."""
    with remembering():
        yield


def _anew(find: Callable[[], FoundT]) -> FoundT:
    """What is found where nothing is remembered yet, so that it is no copy of what was."""

    def found() -> FoundT:
        with remembering():
            return find()

    # Within a page that remembers, another one would know what it has found.
    return Context().run(found)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.name)
def test_its_figures_have_names_of_their_own(section: type[Section]) -> None:
    """Each is a file beside the page and a function of `ganstudy.plot`; so is no other's."""
    names = [chart.name for chart in section.charts]
    assert len(set(names)) == len(names)
    others = {chart.name for own in SECTIONS if own is not section for chart in own.charts}
    assert set(names) & {*others, "answer"} == set(), "another's, which would be shown in its place"
    assert all(name.isidentifier() for name in names)
    assert set(names) <= set(plot.__all__)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.name)
def test_it_states_what_it_is(section: type[Section]) -> None:
    assert np.isfinite(section.place)
    assert isinstance(section.label, str)
    for chart in section.charts:
        assert chart.about[0].isupper()
        assert chart.about.splitlines()[0].endswith(".")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.name)
def test_it_applies_somewhere_and_says_so_everywhere(
    section: type[Section], found: dict[str, Findings]
) -> None:
    """Of studies without arms, and of those that lost every trial, too."""
    applies = {name: section.applies(findings) for name, findings in found.items()}
    assert set(applies.values()) <= {True, False}
    # Of several machines, or of several runs.
    alone = section.name in ("arithmetic", "runs", "studies")
    assert any(applies.values()) or alone, "on none of the suite's studies"
    for findings in found.values():
        for chart in section.charts:
            reason = chart.missing(findings)
            assert isinstance(reason, str)


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.name)
def test_what_it_says_is_what_its_calls_return(
    section: type[Section], name: str, found: dict[str, Findings]
) -> None:
    """Sentences end, and have no number that the call beside them does not return."""
    findings = found[name]
    if not section.applies(findings):
        pytest.skip(NOTHING)
    ds, own = findings.gathered, section(findings)
    best = analysis.tuned(ds) if analysis.is_search(ds) else ds
    words = {str(x) for dim in ds.dims for x in ds.get(dim, ()) if ds[dim].dtype.kind == "U"}
    sentences = own.sentences()
    for sentence in sentences:
        assert isinstance(sentence, Sentence)
        assert isinstance(sentence.text, Markup)
        assert sentence.text.striptags().rstrip().endswith(".")
        value = eval(sentence.call, {"analysis": analysis, "searched": ds, "ds": best})
        if isinstance(value, int | float | np.generic):
            value = xr.DataArray(value)
        numbers = unexplained(str(sentence.text), value, {*words, *map(str, ds.dims)})
        assert numbers == [], f"{sentence.text}: {sentence.call}"
    assert _anew(section(findings).sentences) == sentences


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.name)
def test_its_files_are_texts_that_do_not_change(
    section: type[Section], name: str, found: dict[str, Findings]
) -> None:
    findings = found[name]
    if not section.applies(findings):
        pytest.skip(NOTHING)
    files = section(findings).files()
    for file, text in files.items():
        assert Path(file).name == file
        assert Path(file).suffix in (".csv", ".tex"), "others of an earlier report would stay"
        assert text.strip()
        assert "<" not in text or file.endswith(".csv"), "no markup in tables for papers"
    assert _anew(section(findings).files) == files
    assert isinstance(section(findings).facts(), dict)


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.name)
def test_its_figures_are_drawn_on_the_page_and_on_axes_of_ones_own(
    section: type[Section], name: str, found: dict[str, Findings]
) -> None:
    """On every study on which nothing is missing; the call that the page shows draws it again."""
    findings = found[name]
    if not section.applies(findings):
        pytest.skip(NOTHING)
    own = section(findings)
    with figure_style():
        drawn = {drawing.name: drawing for drawing in own.drawings()}
    for drawing in drawn.values():
        assert drawing.alt
        assert isinstance(drawing.caption, Markup)
        assert drawing.figure.axes
        assert pickle.dumps(drawing), "another process prints it"
    for chart in section.charts:
        if chart.missing(findings):
            assert chart.name not in drawn
            continue
        _, axes = plt.subplots()
        chart.draw_on(axes, findings, *([findings.metric.name] if chart.curves else []))
        assert axes.has_data()
        ds: Any = findings.gathered
        scope = {"ganstudy": ganstudy, "ds": ds, "searched": ds}
        assert eval(own.call(chart.name), scope) is not None
        plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_the_page_has_every_section_that_applies(
    name: str, found: dict[str, Findings], tmp_path: Path
) -> None:
    """Rendered with its template, and nothing of a label is taken for markup.

    Its figures, which take the time of a page, are drawn by the test above.
    """
    findings = found[name]
    with undrawn():
        page = build(findings.gathered, {}, tmp_path / "report").read_text(encoding="utf-8")
    for section in SECTIONS:
        if section.applies(findings) and section.label:
            assert f">{html.escape(section.label)}<" in page, section.name
    assert "could not be made" not in page
