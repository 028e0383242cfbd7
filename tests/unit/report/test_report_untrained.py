"""A study of which no trial has a result has a page too, which says what failed and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from scaled_down import STUDIES, scaled_down
from tiny import STUDY, write_study

from ganstudy import open_run
from ganstudy.cli import main
from ganstudy.search import search_of
from ganstudy.store import RunDirectory
from ganstudy.study import Study, load
from ganstudy.trial import Record

EACH = {path.stem: path for path in STUDIES}
CAUSE = "RuntimeError: <no> g++\n\nTraceback (most recent call last):\n ..."


def _failed(study: Study, out: Path) -> None:
    """A run whose trials have all failed."""
    search = search_of(study)
    run = RunDirectory(out)
    with run.locked():
        run.write_study(search)
        trials = {trial.id: trial for pack in search.ask(2) for trial in pack}
        run.write([Record.of_failure(trial, "eager", CAUSE) for trial in trials.values()])


def _reported(out: Path) -> str:
    result = CliRunner().invoke(main, ["report", str(out)])
    assert result.exit_code == 0, result.output
    return (out / "report" / "index.html").read_text(encoding="utf-8")


def _says_why(study: Study, out: Path) -> None:
    _failed(study, out)
    page = _reported(out)
    assert study.file.question.split()[-1].strip("?") in page
    assert "so that there is no answer" in page
    assert "RuntimeError: &lt;no&gt; g++" in page
    assert "<code>ganstudy retry RUN</code>" in page
    assert "Traceback" not in page


@pytest.mark.parametrize("name", ["nash_xy", "tune_wasserstein"])
def test_of_a_theory_and_of_a_search(tmp_path: Path, name: str) -> None:
    _says_why(scaled_down(EACH[name]), tmp_path / "run")


def test_of_a_grid(tmp_path: Path) -> None:
    """With the number of trials and the labels of one; the dataset has the causes."""
    study, out = load(write_study(tmp_path, STUDY)), tmp_path / "run"
    _says_why(study, out)
    page = _reported(out)
    assert "Every trial failed" in page
    assert "8 failed" in page
    assert "divergence minimax, critic_steps 1, seed 0" in page
    assert set(open_run(out)["failure"].values.ravel()) == {"RuntimeError: <no> g++"}


def test_of_a_run_that_has_only_begun(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, STUDY), tmp_path / "run"
    with RunDirectory(out).locked():
        RunDirectory(out).write_study(search_of(load(study)))
    page = _reported(out)
    assert "No trial has a result yet" in page
    assert "8 missing" in page
    assert "What failed" not in page


LIKE_OTHERS = {
    *("grid", "spirals", "swiss_roll", "embedded_mixture", "sprites"),  # the atlas has `ring`
    *("pacgan_stacked_unrolled", "pacgan_stacked_veegan"),  # `stacked_digits`
}
"""What would take five sixths of the time, and differs from another study in its target alone."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EACH.keys() - LIKE_OTHERS))
def test_of_every_study(tmp_path: Path, name: str) -> None:
    _says_why(scaled_down(EACH[name]), tmp_path / "run")
