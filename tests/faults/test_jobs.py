"""A folder of studies, killed and interrupted: nothing is lost, nothing is trained twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from inline import trained_inline
from processes import STUDY, check_same_records, dwelling, gone, kill, start
from tiny import write_study
from waiting import wait_until

from ganstudy.cli import main
from ganstudy.job.status import status

SHARED = (
    STUDY.replace("question: Does it survive?\n", "")
    .replace("steps: 100", "steps: 40")
    .replace("every: 25", "every: 10")
    .replace("seeds: 3", "seeds: 2")
)
FIRST = "extends: _shared.yaml\nquestion: Is it killed?\n"
SECOND = "extends: _shared.yaml\nquestion: Is it interrupted?\ntrial: {batch: 16}\n"


def _records(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "records").glob("*.nc")}


@pytest.mark.slow
def test_the_same_command_goes_on(tmp_path: Path, no_page: None) -> None:
    """Killed in its first study, interrupted in its second: the records are those of one go."""
    folder, job = tmp_path / "folder", tmp_path / "job"
    folder.mkdir()
    for name, text in {"_shared": SHARED, "a": FIRST, "b": SECOND}.items():
        write_study(folder, text, f"{name}.yaml")
    first = start(folder, job, workers=1, every=1000.0)
    wait_until(lambda: _records(job / "a"))
    assert kill(psutil.Process(first.pid))
    first.wait(timeout=600)
    assert gone(first)
    assert status(job)["running"] is None
    kept = _records(job / "a")
    # It waits there, or it might have ended before it is interrupted.
    second = start(folder, job, workers=1, every=1000.0, dwell="first record of b")
    dwelling(second)
    assert _records(job / "b")
    assert status(job)["running"] == "b"
    os.killpg(second.pid, signal.SIGINT)
    text, _ = second.communicate(timeout=900)
    assert second.returncode == 130, text
    assert gone(second)
    assert "run the same command to continue" in text
    assert "Traceback" not in text
    assert kept.items() <= _records(job / "a").items()
    said = status(job)
    assert (said["running"], said["studies"]["a"]["status"]) == (None, {"complete": 8})
    assert said["status"]["missing"] > 0
    with trained_inline():
        third = CliRunner().invoke(main, ["run", str(folder), "--out", str(job)])
        assert third.exit_code == 0, third.output
        whole = CliRunner().invoke(main, ["run", str(folder), "--out", str(tmp_path / "whole")])
        assert whole.exit_code == 0, whole.output
    assert status(job)["status"] == {"complete": 16}
    for name in ("a", "b"):
        check_same_records(job / name, tmp_path / "whole" / name)
