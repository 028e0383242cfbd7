"""Dask: a real scheduler and workers as processes of their own, some of which are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from processes import STUDY, gone, kill, packs_under_way, start, wait_until
from tiny import differences, write_study

from ganstudy.store import RunDirectory

pytestmark = pytest.mark.slow


def _dask(what: str, *arguments: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + what, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.fixture
def cluster() -> Iterator[tuple[str, list[psutil.Process]]]:
    """Address of a scheduler, and the nannies of two workers that have no disk of the run's."""
    with ExitStack() as stack:
        scheduler = _dask("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
        stack.callback(_end, scheduler)
        address = ""
        assert scheduler.stderr is not None
        while "tcp://" not in address:
            address = scheduler.stderr.readline()
        address = "tcp://" + address.split("tcp://")[1].split()[0]
        nannies = []
        for _ in range(2):
            worker = _dask("worker", address, "--nthreads", "1", "--no-dashboard")
            stack.callback(_end, worker)
            nannies.append(psutil.Process(worker.pid))
        yield address, nannies


def _end(process: subprocess.Popen[str]) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    for one in [psutil.Process(process.pid), *children]:
        kill(one)
    process.communicate()


def _worker(nanny: psutil.Process) -> list[psutil.Process]:
    return [c for c in nanny.children() if "multiprocessing.spawn" in " ".join(c.cmdline())]


def test_a_killed_dask_worker_costs_nothing_but_time(
    tmp_path: Path, cluster: tuple[str, list[psutil.Process]]
) -> None:
    """The records that come back are those of local workers, bit for bit."""
    address, nannies = cluster
    study = write_study(tmp_path, STUDY.replace("steps: 100", "steps: 400"))
    out, calm = tmp_path / "run", tmp_path / "calm"
    run = start(study, out, "--executor", "dask", "--scheduler", address, every=0.5)
    wait_until(lambda: packs_under_way(out) == 2)
    for worker in _worker(nannies[0]):
        kill(worker)
    local = start(study, calm, "engine.pack=6", every=1000.0)
    text, _ = run.communicate(timeout=900)
    assert run.returncode == 0, text
    local.communicate(timeout=900)
    expected = {record.id: record for record in RunDirectory(calm).read()}
    found = list(RunDirectory(out).read())
    assert sorted(record.id for record in found) == sorted(expected)
    assert all(differences(record, expected[record.id]) == [] for record in found)
    assert all(nanny.is_running() for nanny in nannies)


def test_a_cluster_of_its_own_is_left_to_nobody(tmp_path: Path) -> None:
    """Interrupted once: packs keep their state, and the cluster is gone with the run."""
    out = tmp_path / "run"
    text = STUDY.replace("steps: 100", "steps: 100000").replace("every: 25", "every: 25000")
    run = start(write_study(tmp_path, text), out, "--executor", "dask", every=1000.0)
    wait_until(lambda: packs_under_way(out) == 2)
    os.killpg(run.pid, 2)
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 130, said
    assert gone(run)
    assert any((out / "checkpoints").iterdir())


def test_no_scheduler_is_an_error_in_words(tmp_path: Path) -> None:
    """Exit 2 and the address."""
    address = "tcp://127.0.0.1:9"
    run = start(
        write_study(tmp_path), tmp_path / "run", "--executor", "dask", "--scheduler", address
    )
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 2, said
    assert address in said
    assert "Traceback" not in said
