"""Dask: a real scheduler and workers as processes of their own, some of which are killed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest
from click.testing import CliRunner
from dask_cluster import Cluster, Shared, dask_cluster, dask_process, end
from distributed import Client, LocalCluster
from distributed.comm import CommClosedError
from inline import trained_inline
from processes import (
    STUDY,
    amid,
    check_same_records,
    gone,
    in_flight,
    kill,
    one_long,
    said_up_to,
    start,
)
from scripted import attempts, scripted, tell
from tiny import Listed, trial, write_study
from waiting import wait_until

from ganstudy import kinds, pipeline, plugins
from ganstudy.cli import main
from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.schedule.devices import Slot
from ganstudy.schedule.executor import ExecutorError, Task
from ganstudy.schedule.executors import dask as schedule_dask
from ganstudy.schedule.executors.dask import DaskExecutor
from ganstudy.schedule.loop import Limits, train_packs
from ganstudy.store import RunDirectory
from ganstudy.study import load
from ganstudy.trial import Trial

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_page")]

LONG = STUDY.replace("steps: 100", "steps: 100000").replace("every: 25", "every: 25000")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """What the tests of this file take a cluster from, which some of them end."""
    clusters = Shared(lambda: tmp_path_factory.mktemp("dask"))
    yield clusters
    clusters.close()


@pytest.fixture
def cluster(shared: Shared) -> Cluster:
    """Two workers, whose current folder is not that of the run."""
    return shared.cluster()


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Of two threads; two tests share it, and leave it whole."""
    folder = tmp_path_factory.mktemp("one")
    with dask_cluster(folder, workers=[()], threads=2) as cluster:
        yield cluster


def _worker(nanny: psutil.Process) -> list[psutil.Process]:
    return [c for c in nanny.children() if "multiprocessing.spawn" in " ".join(c.cmdline())]


def _task(own: Trial[Any]) -> Task:
    return Task((own,), "eager", (), NO_CHECKPOINTS, None)


def _stepping(executor: DaskExecutor, handles: Iterable[Hashable]) -> bool:
    clocks = [executor.clock(handle) for handle in handles]
    return all(clock is not None and clock.stepping for clock in clocks)


def test_the_memory_limit_holds_on_a_cluster(tmp_path: Path, shared: Shared) -> None:
    """A trial that takes too much fails alone, with the allocation as its cause.

    What others have left in a worker may be why: it takes more than one that was used to tell.
    """
    cluster = shared.cluster(unused=True)
    greedy = scripted(tmp_path, 1, action="allocate", gigabytes=3.0)
    frugal = scripted(tmp_path, 2)
    with DaskExecutor(2, scheduler=cluster.address) as executor:
        parts = train_packs(Listed([(greedy,), (frugal,)]), executor, limits=Limits(gigabytes=2.0))
        found = {record.id: record for part in parts for record in part}
    assert found[frugal.id].status == "complete"
    assert found[greedy.id].status == "failed"
    assert "MemoryError" in found[greedy.id].cause
    assert attempts(greedy) <= 3


def test_a_worker_without_its_device_is_no_fault_of_a_trial(cluster: Cluster) -> None:
    """What it lacks is said, and no trial fails for it."""
    script, devices = scripted(Path(), 0), ("cuda:98", "cuda:99")
    with (
        DaskExecutor(2, devices, scheduler=cluster.address) as executor,
        pytest.raises(ExecutorError, match="no device 'cuda:98' here"),
    ):
        list(train_packs(Listed([(script,)]), executor))
    with (
        LocalCluster(
            1, processes=False, dashboard_address=None, scheduler_kwargs={"dashboard_address": ":0"}
        ) as here,
        DaskExecutor(1, scheduler=here.scheduler_address) as executor,
        mock.patch.object(Slot, "leased", side_effect=ExecutorError("cannot hold cuda:0")),
        pytest.raises(ExecutorError, match="cannot hold cuda:0"),
    ):
        list(train_packs(Listed([(script,)]), executor))


def test_a_killed_dask_worker_costs_nothing_but_time(tmp_path: Path, cluster: Cluster) -> None:
    """The records that come back are those of training here, bit for bit."""
    address, _, nannies = cluster
    text = STUDY.replace("steps: 100", "steps: 300").replace("seeds: 3", "seeds: 2")
    study, out = write_study(tmp_path, text), tmp_path / "run"
    run = start(study, out, "--executor", "dask", "--scheduler", address, every=0.05)
    wait_until(lambda: in_flight(out) == 2)
    for worker in _worker(nannies[0]):
        kill(worker)
    text, _ = run.communicate(timeout=900)
    assert run.returncode == 0, text
    with trained_inline():
        calm = pipeline.run(load(study), tmp_path / "calm", workers=1)
    assert calm.done == {"complete": 8}
    check_same_records(out, tmp_path / "calm")
    assert all(nanny.is_running() for nanny in nannies)


def test_a_cluster_of_its_own_is_left_to_nobody(tmp_path: Path) -> None:
    """Interrupted once: what has landed stays, packs keep their state, no process is left."""
    out = tmp_path / "run"
    study = write_study(tmp_path, one_long(100_000))
    run = start(study, out, "--executor", "dask", every=1000.0)
    wait_until(lambda: list((out / "records").glob("*.nc")) and amid(out))
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=900)
    assert run.returncode == 130, said
    assert "Traceback" not in said, said
    assert gone(run)
    assert RunDirectory(out).recorded()
    assert any((out / "checkpoints").iterdir())


# --- several clients on one cluster ---------------------------------------------------------------


def test_workers_are_sent_plugins(tmp_path: Path, one_worker: Cluster) -> None:
    """They see no disk of this process: each trial failed. A worker trains by one text of a file;
    it trained by the first one that it had seen, whatever came later.
    """
    path = tmp_path / "downhill.py"
    text = (Path(__file__).parents[2] / "docs" / "plugins" / path.name).read_text()
    for own in (text, f"{text}\n# changed\n"):
        path.write_text(own)
        plugins.load(path)
        path.unlink()
        one = Trial(kinds.family["downhill"](), 0)
        with DaskExecutor(1, scheduler=one_worker.address) as executor:
            parts = train_packs(Listed([(one,)]), executor)
            if own == text:
                ((record,),) = parts
                assert (record.id, record.settings) == (one.id, one.settings)
                assert record.status == "complete"
            else:
                with pytest.raises(ExecutorError, match=r"a worker cannot .*has changed since"):
                    list(parts)
        plugins.forget()


def test_waiting_for_another_client_is_not_training(tmp_path: Path, cluster: Cluster) -> None:
    """A trial that waited in the cluster's queue was failed at its limit."""
    theirs = [scripted(tmp_path, seed, seconds=7.0) for seed in range(2)]
    ours = scripted(tmp_path, 9)
    with (
        DaskExecutor(2, scheduler=cluster.address) as other,
        DaskExecutor(2, scheduler=cluster.address) as executor,
    ):
        wait_until(lambda: other.room() == 2)
        for trial in theirs:
            other.submit(_task(trial))
        wait_until(lambda: all(attempts(trial) for trial in theirs))
        parts = train_packs(Listed([(ours,)]), executor, limits=Limits(seconds=5.0))
        assert [record.status for part in parts for record in part] == ["complete"]
    assert attempts(ours) == 1


def test_the_pack_of_another_client_goes_on(tmp_path: Path, one_worker: Cluster) -> None:
    """On a worker of two threads, of which one is held up by a pack that was given up."""
    hangs = scripted(tmp_path, 0, seconds=600.0)
    theirs = scripted(tmp_path, 1, action="stay until told")
    with (
        DaskExecutor(2, scheduler=one_worker.address) as other,
        DaskExecutor(2, scheduler=one_worker.address) as executor,
    ):
        wait_until(lambda: other.room() == 2)
        handle = executor.submit(_task(hangs))
        other.submit(_task(theirs))
        wait_until(lambda: attempts(hangs) and attempts(theirs))
        assert "scripted.py" in executor.kill(handle)
        tell(tmp_path)
        ended: list[Any] = []
        wait_until(lambda: ended.extend(other.wait(0.2)) or ended)
        assert [one.how for _, one in ended] == ["trained"]
        # Once it is alone there, the one that hangs ends with its worker.
        wait_until(lambda: executor.room() == 2)
    assert attempts(theirs) == 1


def test_an_interruption_stops_no_pack_of_another_client(cluster: Cluster) -> None:
    """Each has one of the two workers, and one of them is interrupted."""
    with (
        DaskExecutor(2, scheduler=cluster.address) as other,
        DaskExecutor(2, scheduler=cluster.address) as executor,
    ):
        wait_until(lambda: other.room() == 2)
        theirs = other.submit(_task(trial(0, steps=10**6, record={"every": 10**5})))
        wait_until(lambda: (clock := other.clock(theirs)) is not None and clock.stepping)
        ours = executor.submit(_task(trial(1, steps=10**6, record={"every": 10**5})))
        wait_until(lambda: (clock := executor.clock(ours)) is not None and clock.stepping)
        executor.drain()
        ended: list[Any] = []
        wait_until(lambda: ended.extend(executor.wait(0.2)) or ended)
        assert [one.how for _, one in ended] == ["stopped"]
        assert other.wait(5.0) == []


@pytest.mark.parametrize("first", [True, False], ids=["whose packs train", "whose packs wait"])
def test_all_packs_of_an_interrupted_client_stop(cluster: Cluster, first: bool) -> None:
    """Two clients with two packs each. One that waited was never told: it began as another one
    stopped, or stayed in the queue, until the run ended without it."""
    with (
        DaskExecutor(2, scheduler=cluster.address) as other,
        DaskExecutor(2, scheduler=cluster.address) as executor,
    ):
        wait_until(lambda: other.room() == 2)
        long = [_task(trial(n, steps=10**6, record={"every": 10**5})) for n in range(2)]
        handles = {}
        for own in (executor, other) if first else (other, executor):
            handles[own] = list(map(own.submit, long))
            if len(handles) == 1:
                wait_until(lambda own=own: _stepping(own, handles[own]))
        executor.drain()
        ended: list[Any] = []
        wait_until(lambda: ended.extend(executor.wait(0.2)) or len(ended) == 2)
        assert [one.how for _, one in ended] == ["stopped"] * 2
        wait_until(lambda: _stepping(other, handles[other]))
        assert other.wait(5.0) == []


@pytest.mark.parametrize("dies", [2, 100])
def test_a_worker_that_dies_while_one_registers(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, dies: int
) -> None:
    """It is asked again, and given up in words."""
    register, asked = Client.register_plugin, []

    def breaks(self: Client, plugin: Any) -> Any:
        asked.append(plugin)
        if len(asked) <= dies:
            raise CommClosedError("a worker is gone")
        return register(self, plugin)

    monkeypatch.setattr(Client, "register_plugin", breaks)
    if dies == 2:
        with DaskExecutor(1, scheduler=cluster.address):
            assert len(asked) == 3
        return
    with pytest.raises(ExecutorError, match="a worker is gone"):
        DaskExecutor(1, scheduler=cluster.address)


def test_no_scheduler_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2 and the address."""
    monkeypatch.setitem(schedule_dask.CONFIGURATION, "distributed.comm.timeouts.connect", "1s")
    address = "tcp://127.0.0.1:9"
    given = ["--out", str(tmp_path / "run"), "--executor", "dask", "--scheduler", address]
    result = CliRunner().invoke(main, ["run", str(write_study(tmp_path)), *given])
    assert result.exit_code == 2, result.output
    assert address in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("folder", [False, True])
def test_nothing_is_set_aside_where_no_scheduler_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    """The old run was moved away before the new one turned out to have no worker."""
    monkeypatch.setitem(schedule_dask.CONFIGURATION, "distributed.comm.timeouts.connect", "1s")
    (tmp_path / "studies").mkdir()
    study, out = write_study(tmp_path / "studies"), tmp_path / "runs"
    run = out / study.stem if folder else out
    with trained_inline():
        pipeline.run(load(study), run, workers=1)
    asked = str(study.parent if folder else study)
    given = ["--executor", "dask", "--scheduler", "tcp://127.0.0.1:9", "--fresh"]
    result = CliRunner().invoke(main, ["run", asked, "--out", str(out), *given])
    assert result.exit_code == 2, result.output
    assert "no Dask scheduler at tcp://127.0.0.1:9" in result.stderr
    assert result.stderr.endswith("; nothing is set aside\n")
    assert (run / "results.zarr").is_dir()
    assert not list(tmp_path.glob("**/*aside*"))


def test_a_server_that_is_no_scheduler_is_an_error_in_words(tmp_path: Path) -> None:
    """As Dask's own dashboard, a port further; its page was read as the length of a message."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer_as_the_web_does, args=(server,), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        given = ["--out", str(tmp_path / "run"), "--executor", "dask", "--scheduler", address]
        result = CliRunner().invoke(main, ["run", str(write_study(tmp_path)), *given])
    assert result.exit_code == 2, result.exception
    assert f"what answers at {address} is no Dask scheduler" in result.stderr


def _answer_as_the_web_does(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            asked, _ = server.accept()
            asked.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_scheduler_that_dies_ends_the_run_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 and no traceback; the checkpoint of the pack under way is where the run is."""
    monkeypatch.chdir(tmp_path)
    study, out = write_study(tmp_path, LONG), Path("run")
    with dask_cluster(tmp_path, workers=[()]) as cluster:
        run = start(study, out, "--executor", "dask", "--scheduler", cluster.address)
        wait_until(lambda: in_flight(out))
        kill(cluster.scheduler)
        said, _ = run.communicate(timeout=900)
    assert run.returncode == 2, said
    assert "the Dask scheduler is gone; run the same command to continue" in said
    assert "Traceback" not in said, said
    assert gone(run)
    assert set(RunDirectory(out).recorded().values()) <= {"complete"}


# --- what ends the cluster, and comes last --------------------------------------------------------


def test_workers_that_are_all_gone_are_waited_for(tmp_path: Path, cluster: Cluster) -> None:
    """The run says so, finishes with one that comes later, and blames no trial for it."""
    out = tmp_path / "run"
    text = STUDY.replace("steps: 100", "steps: 300").replace("seeds: 3", "seeds: 1")
    study = write_study(tmp_path, text)
    run = start(study, out, "--executor", "dask", "--scheduler", cluster.address, every=0.05)
    wait_until(lambda: in_flight(out) == 2)
    for nanny in cluster.nannies:
        for one in (nanny, *nanny.children(recursive=True)):
            kill(one)
    said_up_to(run, "no workers left")
    worker = dask_process("worker", cluster.address, "--nthreads", "1", "--no-dashboard")
    try:
        said, _ = run.communicate(timeout=900)
    finally:
        end(worker)
    assert run.returncode == 0, said
    assert list(RunDirectory(out).recorded().values()) == ["complete"] * 4
