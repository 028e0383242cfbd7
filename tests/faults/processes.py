"""Runs in processes of their own, to be interrupted, killed and counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from tiny import differences

from ganstudy.store import RunDirectory

BESIDE_OTHERS = (
    "it changes the network, by which other tests go: run this file with `pytest -n0 -m slow`"
    if "PYTEST_XDIST_WORKER" in os.environ
    else ""
)
"""Why a test cannot run beside those of other processes; empty where there are none."""

DRIVER = Path(__file__).with_name("driver.py")

started: list[subprocess.Popen[str]] = []
"""The runs of the test at hand."""

STUDY = """\
question: Does it survive?
trial:
  target: {name: ring, modes: 4}
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 100
  batch: 32
  record: {every: 25, samples: 32}
search:
  grid:
    divergence: [minimax, wasserstein]
    generator.width: [4, 5]
seeds: 3
engine: {program: eager, pack: 2}
"""


def one_long(steps: int) -> str:
    """A study of three trials of which one takes that many steps, and the others soon land."""
    longer = f"{{steps: {steps}, record: {{every: {steps // 4}}}}}"
    return STUDY.replace(
        "    generator.width: [4, 5]\nseeds: 3\n",
        f"    length: {{short: {{}}, long: {longer}}}\n"
        "  exclude: [{divergence: wasserstein, length: long}]\nseeds: 1\n",
    )


def start(
    study: Path, out: Path, *more: str, workers: int = 2, every: float = 0.0, dwell: str = ""
) -> subprocess.Popen[str]:
    """`ganstudy run`, in a process group of its own, as a shell would start it."""
    command = [sys.executable, str(DRIVER), str(every), "run", str(study), "--out", str(out)]
    run = subprocess.Popen(
        [*command, "--workers", str(workers), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(DRIVER.parent), *sys.path]),
            "DWELL": dwell,
        },
    )
    started.append(run)
    return run


def workers(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """The local workers of a run, which have started to listen."""
    try:
        children = psutil.Process(run.pid).children(recursive=True)
        return [c for c in children if "ganstudy.schedule.worker" in " ".join(c.cmdline())]
    except psutil.Error:
        return []


def group(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything alive that the run has started, whoever its parent is now."""
    found = []
    for process in psutil.process_iter():
        try:
            own = os.getsid(process.pid) == run.pid
            if own and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def in_flight(out: Path) -> int:
    """Packs that have begun and have no record, as their checkpoints tell at once."""
    return len([*(out / "checkpoints").glob("*.checkpoint")])


def packs_under_way(out: Path, seconds: float = 1.0) -> int:
    """Packs that have been trained for some seconds, as the run itself says."""
    said = RunDirectory(out).read_heartbeat()
    return sum(pack["seconds"] > seconds for pack in said["packs"]) if said else 0


def amid(out: Path) -> int:
    """Packs that are some steps from their start and far from their end, as the run itself says.

    A heartbeat is up to a second old: packs that are to be found at work then take some seconds.
    """
    said = RunDirectory(out).read_heartbeat()
    return sum(not p["preparing"] and 0.0 < p["share"] < 0.5 for p in said["packs"]) if said else 0


def check_same_records(out: Path, calm: Path) -> None:
    """Two runs hold the same trials, bit for bit."""
    expected = {record.id: record for record in RunDirectory(calm).read()}
    found = list(RunDirectory(out).read())
    assert sorted(record.id for record in found) == sorted(expected)
    assert all(differences(record, expected[record.id]) == [] for record in found)


def dwelling(run: subprocess.Popen[str]) -> str:
    """Wait until a run has come to where it dwells; what it had said before."""
    return said_up_to(run, "dwelling")


def said_up_to(run: subprocess.Popen[str], words: str) -> str:
    """Wait until a run says something; what it has said up to there."""
    assert run.stdout is not None
    said = [""]
    while words not in said[-1]:
        said.append(run.stdout.readline())
        assert said[-1], f"it has not said {words!r}: {''.join(said)}"
    return "".join(said)


def gone(run: subprocess.Popen[str], seconds: float = 120.0) -> bool:
    """Whether no process of the run is left, after some seconds at most."""
    end = time.monotonic() + seconds
    while group(run):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def running(process: psutil.Process) -> bool:
    """Whether a process has not ended, waited for or not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(process: psutil.Process) -> bool:
    """SIGKILL; whether it hit a process that was running."""
    hit = running(process)
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)
    return hit
