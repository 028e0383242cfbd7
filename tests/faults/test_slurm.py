"""Slurm: a real controller and a real node, whose jobs are cancelled, run out of time, and fail."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import pytest
from click.testing import CliRunner
from processes import (
    BESIDE_OTHERS,
    STUDY,
    check_same_records,
    gone,
    in_flight,
    packs_under_way,
    start,
)
from scripted import Scripted, attempts
from slurm_cluster import Slurm, slurm, why_not
from tiny import Listed, write_study
from waiting import wait_until

from ganstudy import pipeline
from ganstudy.cli import main
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.executors.slurm import SlurmExecutor, seconds_of
from ganstudy.schedule.loop import train_packs
from ganstudy.study import load
from ganstudy.trial import Trial

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.skipif(bool(BESIDE_OTHERS), reason=BESIDE_OTHERS),
]

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join([str(Path(__file__).parent), *sys.path])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with slurm(tmp_path_factory.mktemp("slurm")) as running:
        yield running


@pytest.fixture(autouse=True)
def _without_jobs(
    cluster: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_page: None
) -> Iterator[None]:
    """Each test has the node to itself, and workers that find the tests' own kinds of trial."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", PATH)
    monkeypatch.setattr("ganstudy.schedule.executors.slurm.ASK_SECONDS", 4.0)
    yield
    if left := cluster.jobs():
        cluster.asked("scancel", *left)
    wait_until(lambda: not cluster.jobs("PENDING,CONFIGURING,RUNNING,COMPLETING"))


def test_a_study_survives_what_happens_to_its_jobs(tmp_path: Path, cluster: Slurm) -> None:
    """Interrupted, continued, and a job cancelled: the bits of local workers."""
    study = write_study(tmp_path, STUDY.replace("steps: 100", "steps: 400"))
    out = tmp_path / "run"
    asked = ["--executor", "slurm", "--jobs", "2", "--time", "30", "--mem", "1500M"]
    run = start(study, out, *asked, "--partition", "compute", every=0.5)
    wait_until(lambda: packs_under_way(out, 0.0) == 2 and in_flight(out))
    first = cluster.jobs()
    assert len(first) == 2
    for said in ("NumCPUs=1 ", "TimeLimit=00:30:00", "mem=1500M", "Partition=compute"):
        assert said in cluster.about(first[0])
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=600)
    assert run.returncode == 130, said
    assert "Traceback" not in said, said
    assert gone(run)
    wait_until(lambda: not cluster.jobs())
    assert in_flight(out)

    run = start(study, out, *asked, every=0.5)
    # What the first run has said of its packs may be there still.
    wait_until(lambda: len(cluster.jobs("RUNNING")) == 2 and packs_under_way(out, 0.0) == 2)
    cancelled, _ = cluster.jobs()
    cluster.asked("scancel", cancelled)
    said, _ = run.communicate(timeout=600)
    assert run.returncode == 0, said
    assert "JobState=CANCELLED" in cluster.about(cancelled)
    assert not cluster.jobs()

    calm = pipeline.run(load(study), tmp_path / "calm", workers=2)
    assert calm.done == {"complete": 12}
    check_same_records(out, tmp_path / "calm")


def _in_two_jobs(trial: Trial[Scripted], cluster: Slurm, executor: SlurmExecutor) -> str:
    """Train a trial that stays in its worker at first; the number of the job in which it did."""
    (before,) = cluster.jobs()
    parts = list(train_packs(Listed([(trial,)]), executor))
    assert [record.status for part in parts for record in part] == ["complete"]
    assert attempts(trial) == 2
    assert cluster.jobs() not in ([], [before])
    return before


def test_workers_leave_before_their_time_is_up(tmp_path: Path, cluster: Slurm) -> None:
    """What one has begun is handed to a worker of the job that follows."""
    trial = Trial(Scripted(folder=str(tmp_path), action="stay once"), 0)
    with SlurmExecutor(1, time="0:25") as executor:
        job = _in_two_jobs(trial, cluster, executor)
    # On a busy machine a worker that leaves may take longer than Slurm gives it.
    over = ("JobState=COMPLETED", "JobState=TIMEOUT")
    wait_until(lambda: any(state in cluster.about(job) for state in over))
    said = (Path(tmp_path) / f"slurm-{job}.out").read_text()
    assert "its job is nearly over" in said


def test_a_job_that_slurm_ends_is_followed_by_another(tmp_path: Path, cluster: Slurm) -> None:
    """At its time limit; what was under way is tried again."""
    trial = Trial(Scripted(folder=str(tmp_path), action="stay once"), 0)

    def end_job() -> None:
        wait_until(lambda: attempts(trial) == 1)  # one that had not begun would stay in the next
        (job,) = cluster.jobs("RUNNING")
        cluster.asked("scontrol", "update", f"JobId={job}", "EndTime=now")

    with ThreadPoolExecutor() as threads, SlurmExecutor(1) as executor:
        ending = threads.submit(end_job)
        job = _in_two_jobs(trial, cluster, executor)
        ending.result()
    assert "JobState=TIMEOUT" in cluster.about(job)


def test_one_node_needs_no_cluster(tmp_path: Path, cluster: Slurm) -> None:
    """By the command that the docs print the run is asked to stop in time, and continues then."""
    docs = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^    (sbatch .*)$", docs, re.MULTILINE)
    command = printed.replace("=8", "=2").replace("ganstudy", f"{sys.executable} -m ganstudy")
    sbatch = ["sbatch", "--parsable", *shlex.split(command)[1:]]
    write_study(tmp_path, STUDY.replace("steps: 100", "steps: 1000000"), "study.yaml")
    out = tmp_path / "runs" / "study"
    job = cluster.asked(*sbatch).strip()
    wait_until(lambda: packs_under_way(out) == 2)
    cluster.asked("scontrol", "update", f"JobId={job}", "EndTime=now+119")
    wait_until(lambda: "JobState=FAILED" in cluster.about(job), 200.0)
    assert "ExitCode=130:0" in cluster.about(job)
    assert in_flight(out) == 2
    job = cluster.asked(*sbatch).strip()
    wait_until(lambda: packs_under_way(out, 0.0) == 2)
    assert "Traceback" not in "".join(own.read_text() for own in tmp_path.glob("slurm-*.out"))


FRUITLESS = {
    "no worker starts": (
        "echo no such module >&2; exit 3",
        None,
        r"2 jobs of Slurm in a row .*/slurm-\d+\.out ends with: no such module",
    ),
    "no time for a trial": (
        ":",
        "0:08",
        (
            r"4 jobs of Slurm in a row ended before a pack had got further: their time "
            r"limit is 0:08, of which a worker took \d+ s to begin a pack, and took no step; "
            r"ask for a longer --time; the last was \d+; .*/slurm-\d+\.out ends with"
        ),
    ),
}


@pytest.mark.parametrize("why", FRUITLESS)
def test_jobs_of_which_nothing_comes_end_the_run(tmp_path: Path, cluster: Slurm, why: str) -> None:
    """In words that say why, and name the last line of what the last job has written."""
    prologue, limit, said = FRUITLESS[why]
    script = {"jobqueue.slurm.job-script-prologue": [prologue]}
    trial = Trial(Scripted(folder=str(tmp_path), action="stay"), 0)
    with (
        dask.config.set(script),
        pytest.raises(ExecutorError, match=said),
        SlurmExecutor(1, time=limit) as executor,
    ):
        list(train_packs(Listed([(trial,)]), executor))
    assert (attempts(trial) > 0) == (limit is not None)


def test_no_job_outlives_a_run_that_is_killed(tmp_path: Path, cluster: Slurm) -> None:
    """Its workers leave when its scheduler is gone."""
    study = write_study(tmp_path, STUDY.replace("steps: 100", "steps: 100000"))
    run = start(study, tmp_path / "run", "--executor", "slurm", "--jobs", "2")
    wait_until(lambda: packs_under_way(tmp_path / "run", 0.0) == 2)
    os.killpg(run.pid, signal.SIGKILL)
    wait_until(lambda: not cluster.jobs())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--partition nowhere", "invalid partition specified: nowhere"),
        ("--time 1-0", "Requested time limit is invalid"),
        ("--mem lots", "Invalid --mem specification"),
        ("--mem 900G", "Requested node configuration is not available"),
        ("--jobs 2 --workers 3", "--workers should be a multiple of --jobs"),
    ],
)
def test_what_slurm_refuses_is_told_in_its_words(
    tmp_path: Path, cluster: Slurm, options: str, said: str
) -> None:
    """Exit 2, and no job."""
    given = ["run", str(write_study(tmp_path)), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, [*given, "--executor", "slurm", *options.split()])
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not cluster.jobs()


@pytest.mark.parametrize("limit", ["7", "7:30", "1:02:03", "1-2", "1-2:03", "1-2:03:04", "0"])
def test_a_time_limit_is_what_slurm_makes_of_it(cluster: Slurm, limit: str) -> None:
    """But for seconds, which it rounds up."""
    held = ["sbatch", "--parsable", "--hold", "--partition=endless", f"--time={limit}"]
    job = cluster.asked(*held, "--wrap=true").strip()
    (told,) = re.findall(r"TimeLimit=(\S+)", cluster.about(job))
    rounded = -(-seconds_of(limit) // 60.0) * 60.0 if limit != "0" else seconds_of(limit)
    assert seconds_of(told) == rounded


def test_it_passes_the_suite_of_every_executor(cluster: Slurm, tmp_path: Path) -> None:
    """Which is skipped where there is no Slurm to ask, and leaves what jobs say where it runs."""
    suite = str(ROOT / "tests" / "conformance" / "test_executors.py")
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", suite]
    done = subprocess.run(
        [*command, "-k", "slurm"], cwd=tmp_path, capture_output=True, text=True, timeout=600.0
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d passed", done.stdout)
    assert "skipped" not in done.stdout.splitlines()[-1]
