"""A worker that begins before its work is known is used where it fits, and never left behind."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from processes import STUDY, gone
from tiny import Listed, trial, write_study
from waiting import wait_until

from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import train_packs
from ganstudy.schedule.worker_process import begun_ahead


def _workers() -> set[psutil.Process]:
    children = psutil.Process().children()
    # Linux tells the words of a command a moment after it has begun.
    wait_until(lambda: all(map(_words, children)))
    return {own for own in children if "ganstudy.schedule.worker" in _words(own)}


def _words(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):  # as psutil says of one that has ended, too
        return " ".join(process.cmdline())
    return "it has ended"


@pytest.mark.slow
def test_an_executor_has_it_as_its_first_worker() -> None:
    with begun_ahead():
        (begun,) = _workers()
        with LocalExecutor(2) as executor:
            assert len(_workers()) == 2
            assert begun in _workers()
            (record,) = (r for part in train_packs(Listed([(trial(0),)]), executor) for r in part)
            assert record.status == "complete"
        assert _workers() == set()
    with begun_ahead():
        assert begun not in _workers()
    assert _workers() == set()


def test_one_that_was_started_otherwise_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of a worker's environment and the folders of its modules act from its start."""
    with begun_ahead():
        (begun,) = _workers()
        with LocalExecutor(1, program="portable"):
            assert len(_workers()) == 2
        assert _workers() == {begun}
        monkeypatch.setenv("OF_A_PLUGIN", "set when the study was read")
        with LocalExecutor(1):
            assert len(_workers()) == 2
        monkeypatch.undo()
        monkeypatch.syspath_prepend("elsewhere")
        with LocalExecutor(1):
            assert len(_workers()) == 2
        assert _workers() == {begun}
    assert _workers() == set()


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["100", "many"])
def test_a_command_that_trains_nothing_leaves_none(tmp_path: Path, steps: str) -> None:
    """A study that is refused, and a plan of one."""
    study = write_study(tmp_path, STUDY.replace("steps: 100", f"steps: {steps}"))
    (temporary := tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "ganstudy", "run", str(study), "--out", str(tmp_path / "run")]
    if steps == "100":
        command.append("--dry-run")
    run = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path), "TMPDIR": str(temporary)},
    )
    said, _ = run.communicate(timeout=600)
    assert run.returncode == (0 if steps == "100" else 2), said
    assert gone(run)
    assert list(temporary.iterdir()) == []


def test_none_that_cannot_be_started_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever needs a worker says what is wrong; nothing is left of the attempt."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with begun_ahead():
        assert _workers() == set()
        with pytest.raises(FileNotFoundError), LocalExecutor(1):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_it_does_not_outlive_a_command_that_is_killed() -> None:
    code = (
        "import os, signal\n"
        "from ganstudy.schedule.worker_process import begun_ahead\n"
        "with begun_ahead():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code], text=True, start_new_session=True)
    run.wait()
    assert gone(run)
