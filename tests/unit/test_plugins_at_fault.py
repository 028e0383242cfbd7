"""What the code of a plug-in raises, and prints, outside of the trials that it is part of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from inline import trained_inline
from tiny import STUDY, write_study
from unrendered import unrendered

from ganstudy import plugins
from ganstudy.cli import main

TARGET = """\
import numpy as np

from ganstudy.targets import Target


class Own(Target):
    @property
    def dimension(self):
        {dimension}
        return 2

    def sample(self, rng, count):
        return rng.normal(size=(count, 2)).astype(np.float32)

    def moments(self):
        return np.zeros(2), np.eye(2)
"""
NETWORK = """\
from ganstudy.networks import Network


class Own(Network):
    def shapes(self, architecture, ends):
        return {}["weight"]

    def initialise(self, architecture, ends, rng):
        return {}

    def apply(self, architecture, ends, parameters, x):
        return x
"""
SEARCH = """\
from pydantic import Field

from ganstudy.search.grid import Grid
from ganstudy.study.search_keys import SearchKeys


class Keys(SearchKeys):
    tries: int = Field(1, description="how often")


class Own(Grid):
    keys = Keys

    def {method}(self, *asked):
        print("it is asked")
        return 1 / 0
"""
EXECUTOR = """\
from inline import Inline


class Own(Inline):
    def submit(self, task):
        {submit}
"""
EXPORTER = """\
from ganstudy.export import Exporter


class Own(Exporter):
    def write(self, run, place):
        {write}
"""


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test has loaded is forgotten after it; its runs are in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    yield
    plugins.forget()


def _study(folder: Path, text: str, *changes: tuple[str, str]) -> Path:
    (folder / "own.py").write_text(text)
    study = f"plugins: [own.py]\n{STUDY}"
    for old, new in changes:
        assert old in study
        study = study.replace(old, new)
    return write_study(folder, study)


def _asked(*words: object) -> Result:
    with trained_inline(), unrendered():
        return CliRunner().invoke(main, [str(word) for word in words])


def _named(done: Result, folder: Path, line: int, what: str) -> None:
    """Exit 2 in a message that says at which line of which file, and no traceback."""
    assert done.exit_code == 2, done.output
    assert f"{folder / 'own.py'}:{line}: {what}" in done.stderr
    assert "Traceback" not in done.output


OWN_TARGET = ("target: {name: ring, modes: 4}", "target: own")


@pytest.mark.parametrize("verb", ["check", "plan", "run"])
def test_a_slip_of_a_target_is_told_where_the_study_names_its_file(
    tmp_path: Path, verb: str
) -> None:
    """It ended in a traceback of pydantic."""
    study = _study(tmp_path, TARGET.format(dimension="self.dim"), OWN_TARGET)
    done = _asked(verb, study)
    _named(done, tmp_path, 9, "AttributeError: 'Own' object has no attribute 'dim'")
    assert f"{study}:1: plugins.0: " in done.stderr


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_slip_of_a_network_is_told(tmp_path: Path, verb: str) -> None:
    """Its shapes are asked for where a plan is made, by which a trial costs something."""
    network = ("critic: {width: 4, depth: 1}", "critic: {width: 4, depth: 1, network: own}")
    done = _asked(verb, _study(tmp_path, NETWORK, network))
    _named(done, tmp_path, 6, "KeyError: 'weight'")


@pytest.mark.slow
def test_a_study_whose_plugin_raises_keeps_no_other_of_its_folder_from_being_run(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "studies"
    folder.mkdir()
    network = ("critic: {width: 4, depth: 1}", "critic: {width: 4, depth: 1, network: own}")
    _study(folder, NETWORK, network)
    write_study(folder, STUDY, "zebra.yaml")
    done = _asked("run", folder, "--workers", 1, "--json")
    _named(done, folder, 6, "KeyError: 'weight'")
    studies = json.loads(done.stdout)["studies"]
    assert studies["zebra"]["status"] == {"complete": 8}


SEARCHED = ("search:\n", "search:\n  own: {tries: 2}\n")


@pytest.mark.parametrize("method", ["ask", "tell", "outlook"])
def test_a_search_that_raises_ends_the_run_in_words(tmp_path: Path, method: str) -> None:
    study = _study(tmp_path, SEARCH.format(method=method), SEARCHED)
    done = _asked("run", study, "--workers", 1)
    _named(done, tmp_path, 16, "ZeroDivisionError: division by zero")


def test_an_executor_that_raises_ends_the_run_in_words(tmp_path: Path) -> None:
    study = _study(tmp_path, EXECUTOR.format(submit="raise LookupError('no such host')"))
    done = CliRunner().invoke(main, ["run", str(study), "--workers", "1", "--executor", "own"])
    _named(done, tmp_path, 6, "LookupError: no such host")


@pytest.mark.slow
def test_a_run_is_verified_by_an_executor_of_ones_own(tmp_path: Path) -> None:
    """Its name was checked before the run's plug-ins were loaded."""
    study = _study(tmp_path, EXECUTOR.format(submit="return super().submit(task)"))
    where = ["--workers", "1", "--executor", "own"]
    with unrendered():
        ran = CliRunner().invoke(main, ["run", str(study), *where])
    assert ran.exit_code == 0, ran.output
    plugins.forget()
    run = tmp_path / "runs" / "tiny"
    done = CliRunner().invoke(main, ["verify", str(run), "--trials", "1", *where])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("the same bits: 1 trial trained again")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "why"),
    [
        ("return run.nothing", "own.py:6: AttributeError: 'ExportedRun' object has no"),
        ("import a_package_of_theirs", "export to own needs a_package_of_theirs\n"),
    ],
)
def test_an_exporter_that_raises_says_why(tmp_path: Path, write: str, why: str) -> None:
    """One that named no extra was told to `pip install 'ganstudy[]'`."""
    run = tmp_path / "runs" / "tiny"
    assert _asked("run", _study(tmp_path, EXPORTER.format(write=write))).exit_code == 0
    done = _asked("export", run, "own", "--plugins")
    assert done.exit_code == 2, done.output
    assert why in done.stderr
    assert "pip" not in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["plan", "run", "status", "verify"])
def test_an_answer_in_json_is_all_that_is_printed(tmp_path: Path, verb: str) -> None:
    """Whatever a plug-in prints, and wherever it is asked for it."""
    study = _study(tmp_path, TARGET.format(dimension="print('it is asked')"), OWN_TARGET)
    run = tmp_path / "runs" / "tiny"
    if verb in ("status", "verify"):
        assert _asked("run", study, "--workers", 1).exit_code == 0
    asked = {
        "plan": [study],
        "run": [study, "--workers", 1],
        "status": [run, "--plugins"],
        "verify": [run, "--workers", 1, "--trials", 1],
    }
    done = _asked(verb, *asked[verb], "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
    assert "it is asked" in done.stderr
