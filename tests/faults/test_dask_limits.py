"""Somebody else's Dask cluster: limits of time and memory hold, and Ctrl-C leaves it as it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Cluster, dask_cluster
from processes import gone, in_flight, one_long, start
from scripted import attempts, scripted
from tiny import Listed, write_study
from waiting import wait_until

from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.schedule.executor import Ended, Task
from ganstudy.schedule.executors.dask import DaskExecutor
from ganstudy.schedule.loop import Limits, train_packs
from ganstudy.store import RunDirectory
from ganstudy.trial import Record, Trial

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests, each of which must leave it fit for the next."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running
        assert running.scheduler.is_running()
        assert all(nanny.is_running() for nanny in running.nannies)


def _train(
    cluster: Cluster, packs: list[tuple[Trial[Any], ...]], limits: Limits
) -> dict[str, Record]:
    with DaskExecutor(2, scheduler=cluster.address) as executor:
        parts = train_packs(Listed(packs), executor, limits=limits)
        return {record.id: record for part in parts for record in part}


def test_a_trial_that_hangs_is_found(tmp_path: Path, cluster: Cluster) -> None:
    """Its record says where it hung, on another host."""
    good, bad = scripted(tmp_path, 0), scripted(tmp_path, 1, seconds=600.0)
    found = _train(cluster, [(bad,), (good,)], Limits(seconds=2.0))
    assert found[good.id].status == "complete"
    assert found[bad.id].status == "failed"
    assert "TimeLimit: more than 2 s" in found[bad.id].cause
    assert "scripted.py" in found[bad.id].cause
    assert attempts(bad) == 1


def test_shared_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    """The worker ends itself, and its trial is blamed for it; the other one completes."""
    # How often a death is forgiven has tests of its own.
    monkeypatch.setattr("ganstudy.schedule.loop.TRIES", 1)
    greedy = scripted(tmp_path, 0, action="share", gigabytes=1.5)
    frugal = scripted(tmp_path, 1)
    found = _train(cluster, [(greedy,), (frugal,)], Limits(gigabytes=1.2))
    assert found[frugal.id].status == "complete", found[frugal.id].cause
    assert found[greedy.id].status == "failed"
    assert "its worker died" in found[greedy.id].cause


def test_what_waits_behind_a_death_is_not_blamed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A worker may hold one task more than it trains; what it had not begun is handed out again.

    What a trial prints is no answer of the command that has made the cluster.
    """
    kills = scripted(tmp_path, 0, action="kill", seconds=2.0)
    waits = scripted(tmp_path, 1)
    ended: dict[Hashable, Ended] = {}
    with DaskExecutor(1) as executor:
        wait_until(lambda: executor.room() == 1)
        killing, waiting = (
            executor.submit(Task((trial,), "eager", (), NO_CHECKPOINTS, None))
            for trial in (kills, waits)
        )
        while len(ended) < 2:
            ended.update(executor.wait(1.0))
    assert (ended[killing].how, ended[waiting].how) == ("died", "stopped")
    assert (attempts(kills), attempts(waits)) == (1, 0)
    said = capfd.readouterr()
    assert (said.out, said.err.count("has slept")) == ("", 1)


def test_what_leaks_is_missed_by_nobody(tmp_path: Path, cluster: Cluster) -> None:
    """A worker that has kept memory is made anew before the next trial needs it."""
    leaks = [scripted(tmp_path, seed, action="leak", gigabytes=1.4) for seed in range(2)]
    after = [scripted(tmp_path, 10 + seed, action="allocate", gigabytes=1.0) for seed in range(2)]
    packs = [(trial,) for trial in (*leaks, *after)]
    found = _train(cluster, packs, Limits(gigabytes=2.5))
    assert {record.status for record in found.values()} == {"complete"}


def test_ctrl_c_leaves_the_cluster_to_its_others(tmp_path: Path, cluster: Cluster) -> None:
    """Packs keep their state, exit 130; the workers are free at once, and the run continues."""
    study = write_study(tmp_path, one_long(1500))
    out = tmp_path / "run"
    joined = ["--executor", "dask", "--scheduler", cluster.address]
    run = start(study, out, *joined, every=0.05)
    wait_until(lambda: list((out / "records").glob("*.nc")) and in_flight(out))
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=900)
    assert run.returncode == 130, said
    assert "packs in flight keep their state" in said
    assert "Traceback" not in said, said
    assert gone(run)
    assert in_flight(out)
    with DaskExecutor(2, scheduler=cluster.address) as other:
        wait_until(lambda: other.room() == 2)
        trial = scripted(tmp_path, 5)
        assert [len(part) for part in train_packs(Listed([(trial,)]), other)] == [1]
    run = start(study, out, *joined, every=1000.0)
    said, _ = run.communicate(timeout=900)
    assert run.returncode == 0, said
    assert list(RunDirectory(out).recorded().values()) == ["complete"] * 3
