"""The studies that come with the project: each is valid, and goes from its file to its page."""

from __future__ import annotations

import html
from contextlib import nullcontext
from pathlib import Path

import pytest
from inline import trained_inline
from scaled_down import STUDIES, scaled_down
from tiny import write_study
from unrendered import unprinted

from ganstudy import open_run, pipeline
from ganstudy.engine.packing import packs
from ganstudy.report import prose, style
from ganstudy.report.findings import Findings
from ganstudy.report.theory import supports
from ganstudy.schedule.where import Where
from ganstudy.search import search_of
from ganstudy.search.grid import Grid
from ganstudy.session import first_program
from ganstudy.store import gather
from ganstudy.study import load

QUICK = {"gdpp_ring"}
"""Studies that go to their page whenever tests run; the others do so where slow tests run."""


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study_is_valid(path: Path) -> None:
    study = load(path)
    assert study.file.question.endswith("?")
    assert len({trial.id for trial in Grid(study).trials.values()}) > 0


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_program_is_the_same_for_any_number_of_workers(path: Path) -> None:
    """A trial's bits are: the first promise."""
    search = search_of(load(path))
    trials = [trial for pack in search.outlook(1) for trial in pack]
    cuts = {workers: packs(trials, workers) for workers in (1, 2, 3, 4, 8, 16, 64)}
    found = {first_program(search, parts, Where(n))[0] for n, parts in cuts.items()}
    assert len(found) == 1


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)
        for path in STUDIES
    ],
)
def test_study_goes_from_its_file_to_its_page(tmp_path: Path, path: Path) -> None:
    """Every arm and every setting is trained, gathered and reported, if not for long.

    What every study's figures have in common, that they are printed, is seen of the quick ones.
    """
    study = scaled_down(path)
    with trained_inline(), nullcontext() if path.stem in QUICK else unprinted():
        progress = pipeline.run(study, tmp_path / "run", workers=1)
    assert progress.done["failed"] == 0
    assert progress.done.total() == progress.planned
    page = (tmp_path / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert html.escape(study.file.question, quote=False) in html.unescape(page)
    assert "could not be built" not in page
    names = {label for axis in study.axes for label in axis.labels if isinstance(label, str)}
    assert {name for name in names if name not in html.unescape(page)} == set()


ARMS = """\
question: Is the words' order that of the numbers?
trial: {kind: supports, steps: 4, record: {every: 2}}
search:
  grid:
    divergence: [minimax, non_saturating, wasserstein]
    distance: [0.25, 0.5, 1.0]
seeds: 2
"""


@pytest.mark.slow
def test_arms_keep_their_own_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many arms as distances: nothing but the numbers tells one order from the other."""
    monkeypatch.setattr(pipeline, "report", gather)
    with trained_inline():
        pipeline.run(load(write_study(tmp_path, ARMS)), tmp_path / "run", workers=1)
    dataset = open_run(tmp_path / "run").compute()
    with style.figure_style():
        signal, _ = supports.draw(Findings.of(dataset))
    ends = dataset["generator_gradient"].isel(step=-1)
    rows = [ends.sel(divergence=arm).values for arm in dataset["divergence"].values]
    assert prose.spans(dataset["divergence"].values, rows) in signal.alt
