"""Dask workers that share a GPU, leave, come late, die at a bad time, or cannot train."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner
from dask_cluster import Cluster, Shared, dask_cluster, dask_process, end
from distributed import CancelledError, Client, Future, LocalCluster
from processes import kill, running
from scripted import attempts, scripted, tell
from tiny import Listed, trial, write_study
from waiting import wait_until

from ganstudy.cli import main
from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.schedule.clock import Clock
from ganstudy.schedule.executor import Ended, ExecutorError, Task
from ganstudy.schedule.executors.dask import DaskExecutor
from ganstudy.schedule.loop import Limits, train_packs
from ganstudy.trial import ProgramName, Trial

pytestmark = pytest.mark.slow

IN_THREADS: dict[str, Any] = {
    "processes": False,
    "threads_per_worker": 1,
    "protocol": "tcp",
    "dashboard_address": None,
    "scheduler_kwargs": {"dashboard_address": ":0"},
}
"""A `LocalCluster` that starts no process, and that others may join."""


def _task(own: Trial[Any]) -> Task:
    return Task((own,), "eager", (), NO_CHECKPOINTS, None)


# --- a GPU --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """What the tests of this file take a cluster from, one of which has half of it leave."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("locks")))
        clusters = Shared(
            lambda: tmp_path_factory.mktemp("dask"), options=["--preload", "made_up_gpu"]
        )
        yield clusters
        clusters.close()


@pytest.fixture
def gpu(gpus: Shared) -> Cluster:
    """Two workers on a machine with one GPU, which is made up."""
    return gpus.cluster()


def _train_side_by_side(executor: DaskExecutor, folder: Path) -> None:
    both = [scripted(folder, seed, action="stay until told") for seed in range(2)]
    for own in both:
        executor.submit(_task(own))
    wait_until(lambda: all(attempts(own) for own in both))
    tell(folder)
    ended: list[tuple[Hashable, Ended]] = []
    wait_until(lambda: ended.extend(executor.wait(0.2)) or len(ended) == 2)
    assert [one.how for _, one in ended] == ["trained"] * 2


def test_two_workers_share_a_gpu(tmp_path: Path, gpu: Cluster) -> None:
    """The second waited for the first for ever, with a pack that no limit of time could end."""
    with DaskExecutor(2, ("cuda:0",), scheduler=gpu.address) as executor:
        _train_side_by_side(executor, tmp_path)


def test_workers_take_turns_on_a_gpu(tmp_path: Path, gpu: Cluster) -> None:
    """Where there are more of them than are to share it, on somebody else's cluster; one that waits
    for its turn heeds an interruption."""
    packs = [(scripted(tmp_path, seed, seconds=0.5),) for seed in range(3)]
    long = [scripted(tmp_path, 10 + seed, action="stay") for seed in range(2)]
    with DaskExecutor(1, ("cuda:0",), scheduler=gpu.address) as executor:
        found = [record for part in train_packs(Listed(packs), executor) for record in part]
        assert [record.status for record in found] == ["complete"] * 3
        handles = [executor.submit(_task(own)) for own in long]
        wait_until(lambda: sum(executor.clock(one) is not None for one in handles) == 1)
        (waits,) = (one for one in handles if executor.clock(one) is None)
        executor.drain()
        assert executor.wait(0.0) == [(waits, Ended("stopped"))]
    with Client(gpu.address, set_as_default=False) as other:
        wait_until(lambda: not any(other.processing().values()))
    assert sum(map(attempts, long)) == 1


def test_a_gpu_that_workers_lack_ends_the_run_in_words(tmp_path: Path, gpu: Cluster) -> None:
    """What they have is not known where it is asked for; no trial is at fault."""
    given = ["--executor", "dask", "--scheduler", gpu.address, "--devices", "cuda:99"]
    command = ["run", str(write_study(tmp_path)), "--out", str(tmp_path / "run"), *given]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2, result.output
    assert "the worker at tcp://" in result.stderr
    assert "no device 'cuda:99' here; there is cpu, cuda:0" in result.stderr
    assert not list((tmp_path / "run" / "records").glob("*"))


# --- workers that leave, and die ----------------------------------------------------------------


def test_no_time_passes_between_two_workers(tmp_path: Path) -> None:
    """The clock went on when a worker had left, as Slurm's do; what came after was late."""
    own = scripted(tmp_path, 0, action="stay once")
    with (
        LocalCluster(n_workers=1, **IN_THREADS) as here,
        DaskExecutor(1, scheduler=here.scheduler_address) as executor,
        Client(here.scheduler_address, set_as_default=False) as other,
        ThreadPoolExecutor() as threads,
    ):

        def replace_worker() -> None:
            wait_until(lambda: attempts(own))
            other.retire_workers(list(other.nthreads()))
            time.sleep(10.0)
            here.scale(2)  # with the one that has left

        replacing = threads.submit(replace_worker)
        parts = list(train_packs(Listed([(own,)]), executor, limits=Limits(seconds=8.0)))
        replacing.result()
    assert [record.status for part in parts for record in part] == ["complete"]
    assert attempts(own) == 2


def test_a_worker_that_was_restarted_leaves_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time was counted from its own start, and Slurm ended it with its job."""
    begun = time.time() - 3600.0
    monkeypatch.setenv("GANSTUDY_JOB_BEGUN", str(begun))
    hangs = scripted(tmp_path, 0, seconds=600.0)
    with dask_cluster(tmp_path, workers=[()]) as cluster:
        with DaskExecutor(1, scheduler=cluster.address) as executor:
            handle = executor.submit(_task(hangs))
            wait_until(lambda: attempts(hangs))
            executor.kill(handle)
            wait_until(lambda: executor.room() == 1)
        monkeypatch.setattr(DaskExecutor, "lasts", time.time() - begun + 3.0)
        with DaskExecutor(1, scheduler=cluster.address):
            wait_until(lambda: not any(map(running, cluster.nannies)))
            late = time.time() - begun - DaskExecutor.lasts
            assert 0 <= late < 120  # that long before a job ends workers are told to leave


def test_the_clock_of_a_pack_is_that_of_its_worker(tmp_path: Path, gpu: Cluster) -> None:
    """It went on when another worker had taken the pack on, which trains from the beginning."""
    long = trial(0, steps=10**9, record={"every": 10**9, "samples": 40})
    with (
        DaskExecutor(2, scheduler=gpu.address) as executor,
        Client(gpu.address, set_as_default=False) as other,
    ):
        handle = executor.submit(_task(long))

        def stepping() -> Clock | None:
            executor.room()
            clock = executor.clock(handle)
            return clock if clock is not None and clock.stepping else None

        wait_until(stepping)
        (worker,) = (one for one, keys in other.processing().items() if keys)
        moved = time.monotonic()
        other.retire_workers([worker])
        wait_until(lambda: (clock := stepping()) is not None and clock.since > moved)


def test_a_worker_that_has_gone_is_not_restarted(tmp_path: Path) -> None:
    """Dask's KeyError came through to the terminal."""
    hangs = scripted(tmp_path, 0, seconds=600.0)
    cancel = Client.cancel
    with (
        dask_cluster(tmp_path, workers=[()]) as cluster,
        DaskExecutor(1, scheduler=cluster.address) as executor,
    ):

        def cancelled(client: Client, *given: Any, **named: Any) -> Any:
            for process in (*cluster.nannies, *cluster.nannies[0].children(recursive=True)):
                kill(process)
            wait_until(lambda: not client.nthreads())
            return cancel(client, *given, **named)

        handle = executor.submit(_task(hangs))
        wait_until(lambda: attempts(hangs))
        with mock.patch.object(Client, "cancel", cancelled):
            assert "scripted.py" in executor.kill(handle)


@pytest.mark.parametrize("error", [TimeoutError(), CancelledError(), OSError("closed")])
def test_records_that_do_not_come_are_made_again(tmp_path: Path, error: Exception) -> None:
    """As of a worker that has died with them; the run waited for them for as long as a pack takes,
    or ended with a traceback."""
    own, result, asked = scripted(tmp_path, 0), Future.result, []

    def late(future: Future[Any], timeout: float | None = None) -> Any:
        asked.append(timeout)
        if len(asked) == 1:
            raise error
        return result(future, timeout)

    with (
        LocalCluster(n_workers=1, **IN_THREADS) as here,
        DaskExecutor(1, scheduler=here.scheduler_address) as executor,
        mock.patch.object(Future, "result", late),
    ):
        parts = train_packs(Listed([(own,)]), executor)
        assert [record.status for part in parts for record in part] == ["complete"]
    assert None not in asked
    assert attempts(own) == 2


def test_records_that_never_come_end_a_trial_and_not_the_run(tmp_path: Path) -> None:
    """They were made again without a word, for ever."""
    own = scripted(tmp_path, 0)
    with (
        LocalCluster(n_workers=1, **IN_THREADS) as here,
        DaskExecutor(1, scheduler=here.scheduler_address) as executor,
        mock.patch.object(Future, "result", side_effect=TimeoutError),
    ):
        (record,) = (one for part in train_packs(Listed([(own,)]), executor) for one in part)
    assert record.status == "failed"
    assert "its records did not come over the network within 60 s" in record.cause


# --- workers that are not as they should be -----------------------------------------------------


def _broken(folder: Path) -> None:
    (folder / "torch.py").write_text("raise ImportError('no libraries for torch')\n")


def _of_another_version(folder: Path) -> None:
    (about := folder / "ganstudy-0.0.7.dist-info").mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ganstudy\nVersion: 0.0.7\n")


LATE: dict[str, tuple[Callable[[Path], None], ProgramName, str]] = {
    "it is not portable": (lambda folder: None, "portable", "portable program"),
    "it has no torch": (_broken, "eager", "no libraries for torch"),
    "it is of another version": (_of_another_version, "eager", r"ganstudy 0\.0\.7 is installed"),
}


@pytest.mark.parametrize("why", LATE)
def test_a_worker_that_cannot_train_is_no_fault_of_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    """One that joins late is given packs, whatever becomes of its warming up; it ended the run even
    where others go on."""
    make, program, said = LATE[why]
    (folder := tmp_path / "own").mkdir()
    make(folder)
    with (
        LocalCluster(n_workers=0, **IN_THREADS) as here,
        DaskExecutor(1, program=program, scheduler=here.scheduler_address) as executor,
    ):
        asked = [here.scheduler_address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        with monkeypatch.context() as there:
            there.syspath_prepend(folder)
            worker = dask_process("worker", *asked)
        try:
            with pytest.raises(ExecutorError, match=f"the worker at tcp://.*{said}"):
                list(train_packs(Listed([(trial(0),)]), executor, program))
            with pytest.raises(ExecutorError, match=f"the workers of tcp://.* cannot .*{said}"):
                DaskExecutor(1, program=program, scheduler=here.scheduler_address)
            if program == "portable":  # to which this process was not started
                return
            here.scale(1)
            wait_until(lambda: executor.room() == 2)
            stay = [scripted(tmp_path, seed, seconds=0.5) for seed in range(3)]
            parts = list(train_packs(Listed([(own,) for own in stay]), executor, program))
            assert [record.status for part in parts for record in part] == ["complete"] * 3
            assert executor.room() == 1
            assert caplog.text.count("others go on without it") == 1
            if why == "it has no torch":  # no run waits for ever for the other that has gone
                here.scale(0)
                wait_until(lambda: executor.room() == 0)
                with pytest.raises(ExecutorError, match=f"the worker at tcp://.*{said}"):
                    list(train_packs(Listed([(trial(1),)]), executor, program))
        finally:
            end(worker)


def test_a_death_beside_a_worker_that_is_left_out_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask gives the pack to the other meanwhile, which said at once that nobody can train it."""
    (folder := tmp_path / "own").mkdir()
    _of_another_version(folder)
    stay = [scripted(tmp_path, seed, seconds=0.5) for seed in range(3)]
    own = [*stay, scripted(tmp_path, 3, action="kill once", seconds=0.5)]
    workers = []
    with (
        LocalCluster(n_workers=0, **IN_THREADS) as here,
        DaskExecutor(1, scheduler=here.scheduler_address) as executor,
    ):
        asked = [here.scheduler_address, "--nthreads", "1", "--no-dashboard"]
        try:
            with monkeypatch.context() as there:
                there.syspath_prepend(folder)
                workers += [dask_process("worker", *asked, "--no-nanny")]
            workers += [dask_process("worker", *asked, "--nanny")]
            wait_until(lambda: executor.room() == 2)
            found = list(train_packs(Listed([(one,) for one in stay]), executor))
            assert executor.room() == 1
            found += train_packs(Listed([(own[-1],)]), executor)
        finally:
            for worker in workers:
                end(worker)
    assert [record.status for part in found for record in part] == ["complete"] * len(own)
    assert attempts(own[-1]) == 2


@pytest.mark.parametrize("nanny", ["--nanny", "--no-nanny"])
def test_a_worker_that_loses_its_gpu_is_made_anew_or_left_out(tmp_path: Path, nanny: str) -> None:
    """And the packs that it has not begun are trained, whatever becomes of it."""
    own = [scripted(tmp_path, seed, action="lose", seconds=0.5) for seed in range(2)]
    own += [scripted(tmp_path, seed, seconds=0.5) for seed in range(2, 6)]
    with LocalCluster(n_workers=0, **IN_THREADS) as here:
        asked = [here.scheduler_address, "--nthreads", "1", "--no-dashboard", nanny]
        workers = [dask_process("worker", *asked)]
        try:
            with DaskExecutor(1, scheduler=here.scheduler_address) as executor:
                wait_until(lambda: executor.room() == 1)
                if nanny == "--no-nanny":
                    workers += [dask_process("worker", *asked)]
                    wait_until(lambda: executor.room() == 2)
                    own = own[1:]
                parts = list(train_packs(Listed([(one,) for one in own]), executor))
        finally:
            for worker in workers:
                end(worker)
    assert [record.status for part in parts for record in part] == ["complete"] * len(own)
    assert [attempts(one) for one in own] == [1] * len(own)
