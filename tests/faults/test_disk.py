"""Disks that fill up and lie, directories that belong to somebody else, and asking meanwhile."""

from __future__ import annotations

import errno
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filled import filled
from inline import trained_inline
from markupsafe import Markup
from matplotlib.figure import Figure
from processes import STUDY as LONGER
from processes import packs_under_way, start
from tiny import STUDY, write_study
from waiting import wait_until

from ganstudy import open_run, store
from ganstudy.cli import main
from ganstudy.report.drawing import Drawing
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, records
from ganstudy.study import load
from ganstudy.trial import SCHEMA, Record
from ganstudy.whole_file import write_whole

pytestmark = pytest.mark.usefixtures("no_page")

SMALL = STUDY.replace("[minimax, wasserstein]", "[minimax]").replace("[1, 2]", "[1]")


@pytest.fixture
def inline() -> Iterator[None]:
    """Train without the seconds that a worker takes to start."""
    with trained_inline():
        yield


def _run(study: Path, out: Path, *more: str) -> Result:
    result = CliRunner().invoke(
        main, ["run", str(study), *more, "--out", str(out), "--workers", "1", "--json"]
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def _answer(result: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def _fill(run: RunDirectory, study: Path) -> list[Record]:
    """Records of all trials of a study, made up."""
    made_up = [
        Record.of_failure(trial, "eager", "made up") for trial in Grid(load(study)).trials.values()
    ]
    with run.locked():
        run.write_study(Grid(load(study)))
        run.write(made_up)
    return made_up


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_file_system_that_cannot_wait_for_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The file is in place by then; the run ended. What its disk cannot do is told."""
    fsync = os.fsync

    def no_folder(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(file)

    monkeypatch.setattr("os.fsync", no_folder)
    refused = pytest.raises(OSError, match=str(tmp_path))
    with refused if number == errno.EIO else nullcontext():
        write_whole(tmp_path / "whole", b"content")
    assert (tmp_path / "whole").read_bytes() == b"content"


@contextmanager
def _full_disk(size: int) -> Iterator[None]:
    """No file of this process can be longer than some bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        # Python cuts what it compiles as it imports, and does not notice: later imports fail.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "dont_write_bytecode", True)
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("inline")
def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear message, exit 2, no half file; and the run continues when there is space again."""
    study, out = write_study(tmp_path, STUDY), tmp_path / "run"
    write = RunDirectory.write
    written: list[int] = []

    def one_fits(self: RunDirectory, pack: list[Record], again: Collection[str]) -> None:
        """The disk fills up after the first pack."""
        if written:
            with _full_disk(2000):
                write(self, pack, again)
        write(self, pack, again)
        written.append(len(pack))

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "write", one_fits)
        result = _run(study, out)
    assert result.exit_code == 2
    assert "the disk is full" in result.stderr
    assert "run the same command to continue" in result.stderr
    assert "Traceback" not in result.stderr
    kept = {path.name for path in (out / "records").iterdir()}
    assert len(kept) == 1
    assert sum(written) == len(RunDirectory(out).recorded())
    assert _answer(again := _run(study, out))["trained"] == 8 - sum(written)
    assert again.exit_code == 0
    assert kept < {path.name for path in (out / "records").iterdir()}


def test_nothing_of_a_file_that_does_not_fit_is_left(tmp_path: Path) -> None:
    """Neither half a record nor its temporary file."""
    study, run = write_study(tmp_path, SMALL), RunDirectory(tmp_path / "run")
    made_up = _fill(run, study)
    before = sorted(path.name for path in run.records.iterdir())
    with (
        pytest.raises(store.RunError, match="the disk is full"),
        run.locked(),
        _full_disk(1000),
    ):
        run.write(made_up[:1])
    assert sorted(path.name for path in run.records.iterdir()) == before


def test_a_disk_that_is_full_while_results_are_gathered(tmp_path: Path) -> None:
    """The dataset stays what it was, with nothing beside it; with space it is gathered."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    _fill(RunDirectory(out), study)
    assert _run(study, out).exit_code == 1
    before = sorted(path.name for path in out.iterdir())
    marked = out / "results.zarr" / "marked"
    marked.touch()
    with _full_disk(100):
        result = _run(study, out)
    assert result.exit_code == 2
    assert "the disk is full" in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in out.iterdir()) == before
    assert marked.exists()
    assert _run(study, out).exit_code == 1
    assert not marked.exists()
    assert open_run(out)["status"].shape == (1, 1, 2)


@pytest.mark.parametrize("name", ["quick", "atlas"])
def test_a_new_study_that_does_not_fit_leaves_nothing(tmp_path: Path, name: str) -> None:
    """Neither a file that is empty nor a part of a folder: the same command works with space."""
    command = ["new", str(tmp_path / "mine"), "--from", name]
    with _full_disk(100):
        result = CliRunner().invoke(main, command)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert result.stderr.startswith(command[1])
    assert list(tmp_path.iterdir()) == []
    assert CliRunner().invoke(main, command).exit_code == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", [["list", "kinds"], ["--help"], ["schema"]])
def test_output_that_goes_to_a_full_disk(verb: list[str], unbuffered: str) -> None:
    """A line on standard error, whether Python writes at once or as it ends."""
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "ganstudy", *verb]
        own = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=own)
    assert (done.returncode, done.stderr) == (2, "No space left on device\n")


@pytest.mark.slow
def test_a_disk_that_is_full_while_the_report_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page stays what it was."""
    monkeypatch.undo()
    out = tmp_path / "run"
    filled(out, SMALL)
    assert CliRunner().invoke(main, ["report", str(out)]).exit_code == 0
    page = out / "report" / "index.html"
    before = page.read_bytes()
    with _full_disk(20_000):
        result = CliRunner().invoke(main, ["report", str(out)])
    assert result.exit_code == 2
    assert "the disk is full" in result.stderr
    assert page.read_bytes() == before
    assert CliRunner().invoke(main, ["report", str(out)]).exit_code == 0


def test_a_figure_that_does_not_fit_stays_what_it_was(tmp_path: Path) -> None:
    """As does one whose printing was interrupted: a picture was cut off in its middle."""
    figure = Figure(figsize=(1, 1))
    for size in (100, 700):
        for name in ("a.png", "a.svg"):
            (tmp_path / name).write_text("earlier")
        with _full_disk(size), pytest.raises(OSError, match=r"a\.(png|svg)"):
            Drawing("a", figure, "Nothing.", Markup("Nothing.")).save(tmp_path)
        assert (tmp_path / "a.svg").read_text() == "earlier"
        assert size > 100 or (tmp_path / "a.png").read_text() == "earlier"
        assert {own.name for own in tmp_path.iterdir()} == {"a.png", "a.svg"}


def test_a_run_that_cannot_be_written_to_is_an_error_in_words(tmp_path: Path) -> None:
    """As on a disk that is mounted for reading; asking still works."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    _fill(RunDirectory(out), study)
    (out / ".lock").unlink()
    (out / ".lock").mkdir()
    for arguments in (["run", str(study), "--out", str(out)], ["report", str(out)]):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert "cannot hold a run" in result.stderr
    assert CliRunner().invoke(main, ["status", str(out)]).stdout.startswith("2 failed")


@pytest.mark.slow
@pytest.mark.usefixtures("inline")
def test_a_damaged_record_is_trained_again(tmp_path: Path) -> None:
    """Named, set aside, and replaced by the same bits."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    assert _run(study, out).exit_code == 0
    (path,) = (out / "records").glob("*.nc")
    (before,) = [{i: e.status for i, e in records.index(path).items()}]
    path.write_bytes(path.read_bytes()[:-1])
    assert json.loads(CliRunner().invoke(main, ["status", str(out), "--json"]).stdout)[
        "status"
    ] == {"missing": 2}
    result = _run(study, out)
    assert _answer(result)["trained"] == 2
    assert [p.name for p in (out / "damaged").iterdir()] == [path.name]
    assert RunDirectory(out).recorded() == before


def test_a_run_of_another_schema_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ids mean something else; every verb says so, and nothing is touched."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("ganstudy.store.records.SCHEMA", 0)
        _fill(RunDirectory(out), study)
    kept = {path: path.read_bytes() for path in out.rglob("*.nc")}
    for arguments in (
        ["run", str(study), "--out", str(out), "--workers", "1"],
        ["status", str(out)],
        ["report", str(out)],
        ["retry", str(out)],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert f"schema 0, and this ganstudy has {SCHEMA}" in result.stderr
    assert {path: path.read_bytes() for path in out.rglob("*.nc")} == kept


def test_another_study_is_refused_with_what_differs(tmp_path: Path) -> None:
    """No trial in common: the settings are listed with both values, and nothing is trained."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    _fill(RunDirectory(out), study)
    kept = (out / "study.yaml").read_text()
    result = _run(study, out, "trial.batch=32", "seeds=[7]", "trial.generator.lr=0.5")
    assert result.exit_code == 2
    for line in (
        "  batch: 16 there, 32 asked",
        "  seeds: 0, 1 there, 7 asked",
        "  generator.lr: 0.001 there, 0.5 asked",
    ):
        assert line in result.stderr.splitlines()
    assert "steps" not in result.stderr
    assert (out / "study.yaml").read_text() == kept


def test_a_study_whose_records_have_gone_is_no_other_study(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of an extension are left: what the run says itself is what is reported."""
    study, run = write_study(tmp_path, SMALL), RunDirectory(tmp_path / "run")
    _fill(run, write_study(tmp_path, SMALL.replace("seeds: 2", "seeds: [2, 3]"), "more.yaml"))
    with run.locked():
        run.write_study(Grid(load(study)))
    result = CliRunner().invoke(main, ["report", str(run.path)])
    assert result.exit_code == 0, result.stderr
    assert "has records of 2 trials that this study does not plan" in caplog.text


def test_a_finished_run_is_not_written_again(tmp_path: Path) -> None:
    """Where nothing is missing, study.yaml and resolved.yaml stay as they are."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    _fill(RunDirectory(out), study)
    before = [(out / name).stat().st_mtime_ns for name in ("study.yaml", "resolved.yaml")]
    assert _run(study, out).exit_code == 1
    after = [(out / name).stat().st_mtime_ns for name in ("study.yaml", "resolved.yaml")]
    assert before == after


@pytest.mark.slow
def test_status_while_it_runs(tmp_path: Path) -> None:
    """From another process: counts, packs under way, and nothing once it has ended."""
    text = LONGER.replace("steps: 100", "steps: 100000").replace("every: 25", "every: 25000")
    out = tmp_path / "run"
    run = start(write_study(tmp_path, text), out)
    wait_until(lambda: packs_under_way(out) == 2)
    found = json.loads(CliRunner().invoke(main, ["status", str(out), "--json"]).stdout)
    assert found["status"] == {"missing": 12}
    assert found["running"]["process"] == run.pid
    assert [pack["trials"] for pack in found["running"]["packs"]] == [2, 2]
    assert "running for" in CliRunner().invoke(main, ["status", str(out)]).stdout
    second = _run(tmp_path / "tiny.yaml", out)
    assert second.exit_code == 2
    assert "another ganstudy is running here" in second.stderr
    run.kill()
    run.communicate()
    result = CliRunner().invoke(main, ["status", str(out)])
    assert result.stdout.splitlines()[:2] == ["12 missing", "not running"]


def test_no_worker_is_started_where_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finished run costs no processes."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    _fill(RunDirectory(out), study)

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(LocalExecutor, "__init__", refuse)
    assert _answer(_run(study, out))["trained"] == 0
