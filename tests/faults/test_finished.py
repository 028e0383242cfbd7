"""A finished run is left as it is, and whatever has changed is noticed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from filled import filled
from tiny import STUDY, write_study

from ganstudy import plugins
from ganstudy.cli import main
from ganstudy.store import RunDirectory, finished, receipts

BUILT: list[Path] = []

SECTION = """\
from ganstudy.report.sections import Section


class Counted(Section):
    place = 145
    label = "Counted"
    heading = "All trials, counted"
"""


@pytest.fixture(autouse=True)
def _build(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that says nothing; it is known when it is built."""

    def build(dataset: object, provenance: object, destination: Path, press: object) -> Path:
        destination.mkdir(exist_ok=True)
        (destination / "index.html").write_text("the page")
        BUILT.append(destination)
        return destination / "index.html"

    BUILT.clear()
    monkeypatch.setattr("ganstudy.report.build", build)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which every trial has a record."""
    out = tmp_path_factory.mktemp("finished") / "run"
    filled(out)
    return out


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """The same, finished here."""
    out = shutil.copytree(whole, tmp_path / "run")
    write_study(tmp_path)
    assert not _asked(out)["current"]
    assert len(BUILT) == 1
    return out


def _asked(out: Path, *more: str) -> dict[str, object]:
    study = out.parent / "tiny.yaml"
    said = CliRunner().invoke(main, ["run", str(study), "--out", str(out), "--json", *more])
    assert said.exit_code == 0, said.output
    answer: dict[str, object] = json.loads(said.stdout)
    return answer


def test_nothing_is_read_of_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither records nor the dataset; the counts are those of before, and a line says why."""
    monkeypatch.setattr(RunDirectory, "read", lambda *_: pytest.fail("reads records"))
    again = _asked(run)
    assert (again["status"], again["trained"], again["current"]) == ({"complete": 8}, 0, True)
    assert len(BUILT) == 1
    study = str(run.parent / "tiny.yaml")
    said = CliRunner().invoke(main, ["run", study, "--out", str(run)])
    assert "8 complete; nothing has changed, so that its dataset and report are left" in said.stdout


def _study(run: Path) -> None:
    write_study(run.parent, STUDY.replace("Which divergence", "Which one"))


def _receipt(run: Path) -> None:
    receipts.write(run / "verification.json", {"when": "now", "verdict": "the same", "trials": []})


def _page(run: Path) -> None:
    (run / "report" / "index.html").write_text("no page")


def _dataset(run: Path) -> None:
    shutil.rmtree(run / "results.zarr")


def _record(run: Path) -> None:
    path = next((run / "records").glob("*.nc"))
    os.utime(path, ns=(0, 0))


def _mark(run: Path) -> None:
    (run / finished.NAME).write_text("{}")


@pytest.mark.parametrize(
    "change", [_study, _receipt, _page, _dataset, _record, _mark], ids=lambda own: own.__name__[1:]
)
def test_what_has_changed_is_noticed(run: Path, change: Callable[[Path], None]) -> None:
    change(run)
    assert not _asked(run)["current"]
    assert len(BUILT) == 2
    assert _asked(run)["current"]
    assert len(BUILT) == 2


@pytest.mark.slow
def test_a_plugin_that_lay_in_a_folder_is_noticed(run: Path) -> None:
    """Its copy beside the run's own study was looked for in that folder, and changed unnoticed."""
    own = run.parent / "own" / "counted.py"
    own.parent.mkdir()
    own.write_text(SECTION)
    write_study(run.parent, f"plugins: [own/counted.py]\n{STUDY}")
    asked = ["run", str(run / "study.yaml"), "--json"]
    try:
        assert not _asked(run)["current"]
        assert json.loads(CliRunner().invoke(main, asked).stdout)["current"]
        (run / own.name).write_text(SECTION.replace("Counted", "Numbered"))
        plugins.forget()
        assert not json.loads(CliRunner().invoke(main, asked).stdout)["current"]
    finally:
        plugins.forget()


@pytest.mark.slow
def test_a_section_that_has_changed_is_kept(run: Path) -> None:
    """The page had the new one, and its next one the old, since trials are the same with both."""
    own = run.parent / "counted.py"
    write_study(run.parent, f"plugins: [counted.py]\n{STUDY}")
    try:
        for heading in ("counted", "numbered"):
            own.write_text(SECTION.replace("counted", heading))
            plugins.forget()
            assert not _asked(run)["current"]
            assert (run / own.name).read_bytes() == own.read_bytes()
        assert _asked(run)["current"]
    finally:
        plugins.forget()


@pytest.mark.slow
def test_another_version_is_noticed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this package, to the last letter, and of what it needs."""
    known = finished.code()
    assert any(words.startswith("xarray ") for words in known)
    for at in range(len(known)):
        monkeypatch.setattr(finished, "code", lambda at=at: [*known[:at], "0", *known[at + 1 :]])
        assert finished.found(RunDirectory(run), RunDirectory(run).read_study()) is None
    monkeypatch.setattr(finished, "code", lambda: known)
    assert finished.found(RunDirectory(run), RunDirectory(run).read_study()) is not None


def test_a_run_that_lacks_trials_is_not_finished(run: Path) -> None:
    """Whatever has been reported of it."""
    next((run / "records").glob("*.nc")).unlink()
    (run / "results.zarr").rename(run.parent / "results.zarr")
    said = CliRunner().invoke(main, ["report", str(run)])
    assert said.exit_code == 0, said.output
    directory = RunDirectory(run)
    assert finished.found(directory, directory.read_study()) is None
