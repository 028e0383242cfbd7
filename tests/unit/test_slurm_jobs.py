"""Jobs that follow each other in a queue that is made up: when it is of no use to go on."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import write_study

from ganstudy.cli import main
from ganstudy.schedule import slurm_jobs
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.slurm_jobs import SlurmJobs


class Queue:
    """What Slurm's commands say; of a job that has ended, how."""

    def __init__(self) -> None:
        self.numbers, self.running = count(1), list[str]()
        self.ends: dict[str, str] = {}

    def asked(self, command: list[str], script: str = "") -> str:
        if command[0] == "sbatch":
            if "--test-only" not in command:
                self.running.append(str(next(self.numbers)))
                return f"{self.running[-1]}\n"
            return ""
        if command[0] == "squeue":
            return "".join(f"{job} RUNNING None\n" for job in self.running)
        return f"JobId={command[-1]} JobState={self.ends[command[-1]]}"

    def end(self, how: str) -> None:
        """All that run."""
        self.ends |= dict.fromkeys(self.running, how)
        self.running.clear()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    monkeypatch.setattr(slurm_jobs, "asked", queue.asked)
    return queue


def _jobs(wanted: int = 1) -> SlurmJobs:
    jobs = SlurmJobs("study", "#!/bin/sh", wanted, "0:40")
    jobs.fill()
    return jobs


def _ended(jobs: SlurmJobs, queue: Queue, how: str = "TIMEOUT") -> None:
    """The jobs that are there are joined by workers, and end."""
    jobs.joined(queue.running)
    queue.end(how)
    jobs.look()


SAID = {
    "no worker began a pack": ((), r"which was over before a worker had begun a pack; ask"),
    "none took a step": (
        (False,),
        r"a worker took 21 s to begin a pack, and took no step; ask",
    ),
    "each began anew": ((False, True), r"took 21 s to begin a pack, 30 s to its first step; ask"),
}


@pytest.mark.parametrize("name", SAID)
def test_jobs_without_time_to_train_end_the_run(queue: Queue, name: str) -> None:
    """After four for each that was asked for, in words that say what the time went to."""
    heard, told = SAID[name]
    jobs = _jobs(2)
    for _ in range(3):
        for stepping in heard:
            jobs.heard(["one"], stepping, 0.0, 30.0 if stepping else 21.0)
        _ended(jobs, queue)
        assert len(queue.running) == 2
    wanted = rf"8 jobs of Slurm in a row .* their time limit is 0:40, .*{told} for a longer --time"
    with pytest.raises(ExecutorError, match=wanted):
        _ended(jobs, queue, "COMPLETED")


def test_jobs_that_come_to_something_go_on(queue: Queue) -> None:
    """A pack is taken on where a job before has left it; or one has ended, at last."""
    jobs = _jobs()
    for job in range(20):
        jobs.heard(["one"], False, 30.0 * job, 20.0)
        jobs.heard(["one"], True, 30.0 * job, 20.0)
        _ended(jobs, queue)
    for _ in range(20):
        jobs.got_on()
        for _ in range(3):
            _ended(jobs, queue)


def test_what_ends_before_its_time_is_not_counted(queue: Queue) -> None:
    """Cancelled, out of memory, or with its node: a longer time would be of no use."""
    jobs = _jobs()
    for how in ("CANCELLED", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED") * 3:
        _ended(jobs, queue, how)


def test_jobs_that_no_worker_joins_end_the_run(queue: Queue) -> None:
    """And in other words; one that is joined begins the count anew."""
    jobs = _jobs()
    for _ in range(3):
        queue.end("FAILED")
        jobs.look()
        _ended(jobs, queue, "CANCELLED")
    queue.end("FAILED")
    jobs.look()
    queue.end("FAILED")
    with pytest.raises(ExecutorError, match=re.escape("2 jobs of Slurm in a row ended before a ")):
        jobs.look()


def test_nothing_is_set_aside_where_slurm_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old run was moved away for one of which no job was taken, as where there are fewer cores:
    Slurm was asked for one."""
    scripts: list[str] = []

    def refuses(command: list[str], script: str = "") -> str:
        assert command == ["sbatch", "--test-only"]
        scripts.append(script)
        raise ExecutorError("Slurm refuses: invalid partition")

    monkeypatch.setattr("ganstudy.schedule.slurm_jobs.asked", refuses)
    study, out = write_study(tmp_path), tmp_path / "run"
    out.mkdir()
    command = ["run", str(study), "--out", str(out), "--fresh", "--executor", "slurm"]
    asked = ["--partition", "none", "--time", "1:30:00", "--jobs", "2", "--workers", "14"]
    result = CliRunner().invoke(main, [*command, *asked])
    assert result.exit_code == 2, result.output
    assert result.stderr.endswith("Slurm refuses: invalid partition; nothing is set aside\n")
    assert not list(tmp_path.glob("*aside*"))
    (script,) = scripts
    lines = {*script.splitlines()}
    assert {"#SBATCH -p none", "#SBATCH -t 1:30:00", "#SBATCH --cpus-per-task=7"} <= lines
