"""Trials that hang, crash or take too much memory: found, recorded with their cause, and alone."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from inline import Inline
from scripted import attempts, scripted
from tiny import Listed, trial

from ganstudy.engine.checkpoints import NO_CHECKPOINTS, Stopped
from ganstudy.engine.packing import packs
from ganstudy.forecast import Forecast
from ganstudy.progress import Progress
from ganstudy.schedule import gpu
from ganstudy.schedule.clock import Begun, Clock
from ganstudy.schedule.devices import Slot
from ganstudy.schedule.executor import Ended, ExecutorError, Task, attempt
from ganstudy.schedule.executors import local
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import (
    COMPILE_SECONDS,
    TRIES,
    Limits,
    Running,
    Waiting,
    again,
    train_packs,
)
from ganstudy.system import WINDOWS
from ganstudy.trial import Record, Trial


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    """One worker, whatever earlier tests have done to it."""
    with LocalExecutor(1) as shared:
        yield shared


def _train(
    executor: LocalExecutor, limits: Limits, *packs: Sequence[Trial[Any]]
) -> dict[str, Record]:
    parts = train_packs(Listed([tuple(pack) for pack in packs]), executor, limits=limits)
    return {record.id: record for part in parts for record in part}


@pytest.mark.slow
def test_a_trial_that_hangs_is_found(tmp_path: Path, executor: LocalExecutor) -> None:
    """The pack is halved at the time limit; the record of the one at fault says where it hung."""
    other, bad = scripted(tmp_path, 0), scripted(tmp_path, 7, seconds=600.0)
    found = _train(executor, Limits(seconds=1.0), [other, bad])
    assert found[other.id].status == "complete"
    assert found[bad.id].status == "failed"
    assert "TimeLimit: more than 1 s" in found[bad.id].cause
    assert "scripted.py" in found[bad.id].cause


@pytest.mark.slow
def test_no_file_is_left_where_a_hanging_trial_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was in the temporary folder, where it stayed once all were killed. Windows, which has no
    files without a name, may lose it to whoever tidies that folder, and goes on."""
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    other, bad = scripted(tmp_path, 0), scripted(tmp_path, 7, seconds=600.0)

    def no_file(running: Sequence[Running]) -> None:
        for own in folder.glob("*.stack"):
            own.unlink()
            assert WINDOWS

    with LocalExecutor(1) as executor:
        source = Listed([(other,), (bad,)])
        parts = train_packs(source, executor, limits=Limits(seconds=1.0), beat=no_file)
        found = {record.id: record for part in parts for record in part}
    assert found[other.id].status == "complete"
    assert found[bad.id].cause.startswith("TimeLimit: more than 1 s")
    assert WINDOWS or "scripted.py" in found[bad.id].cause


@pytest.mark.slow
def test_colour_images_train_within_two_gigabytes(executor: LocalExecutor) -> None:
    """A pack of DCGANs for 64x64 pixels, a thousand samples of each measured."""
    player = {"network": "dcgan", "width": 16, "depth": 4}
    shared: dict[str, Any] = {
        "target": {"name": "sprites", "size": 64, "noise": 0.001},
        "generator": player,
        "critic": player,
        "batch": 64,
        "steps": 2,
        "record": {"every": 2, "samples": 1000, "metrics": ["modes_covered"]},
    }
    (pack,) = packs([trial(seed, **shared) for seed in range(2)], 1)
    assert len(pack) == 2
    found = _train(executor, Limits(gigabytes=2.0), pack)
    assert [record.status for record in found.values()] == ["complete"] * 2


@pytest.mark.slow
def test_a_trial_that_takes_all_memory_is_found(tmp_path: Path, executor: LocalExecutor) -> None:
    """An allocation beyond the limit fails in its own trial, and leaves the machine alone."""
    other = scripted(tmp_path, 1, action="allocate", gigabytes=0.1)
    bad = scripted(tmp_path, 7, action="allocate", gigabytes=3.0)
    found = _train(executor, Limits(gigabytes=2.0), [bad, other])
    assert found[other.id].status == "complete"
    assert found[bad.id].status == "failed"
    first = found[bad.id].cause.splitlines()[0]
    assert first.startswith("engine.memory_limit: 2 GiB were not enough: ")
    assert "MemoryError" in first


@pytest.mark.slow
def test_a_limit_below_what_a_worker_takes_is_refused(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    """Each trial failed, since a thread could not be started; with what is said they train."""
    own = scripted(tmp_path, 0)
    with pytest.raises(ExecutorError, match=r"engine\.memory_limit: a worker") as refused:
        _train(executor, Limits(gigabytes=0.1), [own])
    said = re.search(
        r"GiB before it trains anything; set ([0-9.]+) or more, not 0.1$", str(refused.value)
    )
    assert said is not None
    found = _train(executor, Limits(gigabytes=float(said[1])), [own])
    assert found[own.id].status == "complete"


# --- a worker that has kept what it should have given back ----------------------------------------


@pytest.mark.slow
def test_trials_that_leak_harm_no_other(tmp_path: Path, executor: LocalExecutor) -> None:
    """The worker lived on with what had leaked, and every trial after them failed."""
    bad = scripted(tmp_path, 0, action="leak", gigabytes=4.0)
    good = scripted(tmp_path, 1, action="allocate", gigabytes=0.5)
    found = _train(executor, Limits(gigabytes=2.0), [bad, good])
    assert found[bad.id].status == "failed"
    assert "MemoryError" in found[bad.id].cause
    assert found[good.id].status == "complete"


@pytest.mark.slow
def test_a_worker_that_has_grown_is_made_anew(tmp_path: Path, executor: LocalExecutor) -> None:
    """Before the next trial misses what it has kept."""
    leak = scripted(tmp_path, 0, action="leak", gigabytes=1.4)
    after = scripted(tmp_path, 1, action="allocate", gigabytes=1.0)
    found = _train(executor, Limits(gigabytes=2.5), [leak], [after])
    assert [record.status for record in found.values()] == ["complete"] * 2
    assert attempts(after) == 1


@pytest.mark.slow
def test_a_gpus_worker_in_which_a_trial_has_failed_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kernel has run into, its process is told again by whatever it asks of the GPU."""
    slot = Slot("cpu:0", tmp_path / "GPU-aaaa.0.lock")  # whose worker is asked as on a GPU
    monkeypatch.setattr("ganstudy.schedule.executors.local.slots", lambda *_: [slot])
    guilty = scripted(tmp_path, 0, action="raise and spoil")
    other = scripted(tmp_path, 1, action="raise unless fresh")
    with LocalExecutor(1) as executor:
        parts = list(train_packs(Listed([(guilty,), (other,)]), executor))
    found = {record.id: record.status for part in parts for record in part}
    assert found == {guilty.id: "failed", other.id: "complete"}
    assert (attempts(guilty), attempts(other)) == (2, 1)  # once in a worker after its own


@pytest.mark.slow
def test_a_gpu_that_can_do_nothing_ends_the_run_and_fails_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is lost, or whose memory others hold: all trials failed, each in a new worker."""
    slot = Slot("cuda:99", tmp_path / "GPU-aaaa.0.lock")
    monkeypatch.setattr("ganstudy.schedule.executors.local.slots", lambda *_: [slot])
    pack = tuple(scripted(tmp_path, seed, action="raise") for seed in range(6))
    with LocalExecutor(1) as executor, pytest.raises(ExecutorError, match="cuda:99 cannot be used"):
        list(train_packs(Listed([pack]), executor))
    assert not any(map(attempts, pack))


@pytest.mark.parametrize(
    ("device", "spoilt"), [("cpu", False), ("cpu:0", False), ("cuda:99", True)]
)
def test_a_slip_in_a_trial_spoils_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, spoilt: bool
) -> None:
    """On a GPU one that all trials of a pack have made a new process for each of them, and for each
    half of the pack: worth it only where the device fails at anything else, too.
    """
    monkeypatch.setattr("ganstudy.schedule.memory.has_grown", lambda: False)
    good, guilty = (scripted(tmp_path, 1),), (scripted(tmp_path, 0, action="raise"),)
    attempt(Task(good, "eager", (), NO_CHECKPOINTS, None), "cpu")  # no worker's first task
    said = iter(["", "lost"])
    if spoilt:
        monkeypatch.setattr("ganstudy.schedule.gpu.trouble", lambda device: next(said))
    ended = attempt(Task(guilty, "eager", (), NO_CHECKPOINTS, None), device)
    assert (ended.how, ended.spoilt) == ("raised", spoilt)


def test_a_worker_that_has_lost_its_gpu_blames_no_trial(tmp_path: Path) -> None:
    """One that stays, as a Dask worker does without a nanny, had it fail a trial that was tried
    there for the last time, or for a cause for which another had failed."""
    good, other = scripted(tmp_path, 1), scripted(tmp_path, 0, action="raise")
    attempt(Task((good,), "eager", (), NO_CHECKPOINTS, None), "cpu")  # no worker's first task
    ended = attempt(Task((other,), "eager", (), NO_CHECKPOINTS, None, fresh=True), "cuda:99")
    assert (ended.is_for_worker, attempts(other)) == (True, 0)


def test_a_pack_that_was_told_to_stop_is_no_worker_that_cannot_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its worker has kept memory, and is better made anew."""

    def stopped(*_: object) -> None:
        raise Stopped

    monkeypatch.setattr("ganstudy.schedule.memory.has_grown", lambda: True)
    monkeypatch.setattr("scripted.Scripted.train", stopped)
    ended = attempt(Task((scripted(tmp_path, 0),), "eager", (), NO_CHECKPOINTS, None), "cpu")
    assert (ended.how, ended.spoilt, ended.is_for_worker) == ("stopped", True, False)


def test_a_worker_that_loses_its_gpu_between_packs_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It ended the run, though a new process has the GPU again."""
    own = [scripted(tmp_path, seed, action="lose") for seed in range(3)]
    with LocalExecutor(1) as executor:
        parts = list(train_packs(Listed([(one,) for one in own]), executor))
    assert [record.status for part in parts for record in part] == ["complete"] * 3
    assert [attempts(one) for one in own] == [1, 1, 1]
    assert caplog.text.count("cpu cannot be used: it is lost; a worker is started anew") == 2


def test_a_gpu_that_is_left_on_another_stream_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a recording that has failed, on which the next pack would be computed."""
    zeros = torch.zeros(1)
    monkeypatch.setattr("torch.zeros", lambda *_, **__: zeros)
    monkeypatch.setattr("torch.cuda.default_stream", lambda device: 0)
    for stream in (0, 7):
        monkeypatch.setattr("torch.cuda.current_stream", lambda device, own=stream: own)
        assert bool(gpu.trouble("cuda:0")) == (stream != 0)


@pytest.mark.slow
def test_a_trial_is_blamed_by_a_fresh_worker_only(tmp_path: Path, executor: LocalExecutor) -> None:
    """Unless others have failed there in the same way."""
    first = scripted(tmp_path, 0)
    victim = scripted(tmp_path, 1, action="raise unless fresh")
    guilty = [scripted(tmp_path, 2, action="raise", steps=steps) for steps in (1, 2, 3)]
    packs = [[first], [victim], *([trial] for trial in guilty)]
    found = _train(executor, Limits(), *packs)
    assert {own.id: own.status for own in found.values()} == {
        **{trial.id: "complete" for trial in (first, victim)},
        **{trial.id: "failed" for trial in guilty},
    }
    assert attempts(victim) == 2
    assert sum(map(attempts, guilty)) == 4


@pytest.mark.slow
def test_shared_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: LocalExecutor
) -> None:
    """The kernel's limit on data does not know it."""
    # How often a death is forgiven has tests of its own.
    monkeypatch.setattr("ganstudy.schedule.loop.TRIES", 1)
    trial = scripted(tmp_path, 0, action="share", gigabytes=1.5)
    other = scripted(tmp_path, 1)
    found = _train(executor, Limits(gigabytes=1.2), [trial], [other])
    assert found[trial.id].status == "failed"
    assert "engine.memory_limit, shared memory included" in found[trial.id].cause
    assert found[other.id].status == "complete"


@pytest.mark.slow
def test_a_kill_by_the_kernel_is_said_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a counter of such kills that has moved since the worker was started."""
    counted = iter(range(100))
    monkeypatch.setattr("ganstudy.schedule.worker_process.kills", lambda: next(counted))
    monkeypatch.setattr("ganstudy.schedule.loop.TRIES", 1)
    with LocalExecutor(1) as executor:
        found = _train(executor, Limits(), [scripted(tmp_path, 0, action="kill")])
    (record,) = found.values()
    assert "SIGKILL; the kernel has killed a process for lack of memory" in record.cause


# --- a trial's own steps -------------------------------------------------------------------------


@pytest.mark.slow
def test_what_a_trial_may_take_does_not_depend_on_its_pack(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    """A pack that takes longer than one trial may is halved, and blamed for nothing."""
    good = [scripted(tmp_path, seed, seconds=2.5) for seed in range(2)]
    found = _train(executor, Limits(seconds=4.5), good)
    assert {record.status for record in found.values()} == {"complete"}
    assert sum(map(attempts, good)) > len(good)


def test_preparation_and_compilation_are_not_its_steps() -> None:
    long_ago = time.monotonic() - 100.0
    limits = Limits(seconds=8.0)
    assert limits.passed(Clock(True, long_ago), "compiled")
    assert limits.passed(Clock(True, long_ago), "eager")
    assert limits.passed(Clock(False, long_ago), "eager")
    assert not limits.passed(Clock(False, long_ago), "compiled")
    assert limits.passed(Clock(False, long_ago - COMPILE_SECONDS), "compiled")
    assert not limits.passed(None, "eager")
    assert not Limits().passed(Clock(True, long_ago), "eager")


class _Slow(Inline):
    """Two workers; pack 0 hangs, and while it is killed the other one ends, and time passes."""

    def open(self) -> None:
        """Both have room for one pack."""
        super().open()
        self.under_way: dict[int, Task] = {}
        self.begun, self.passed = 0, 0.0

    def room(self) -> int:
        """What no pack takes."""
        return 2 - len(self.under_way)

    def submit(self, task: Task) -> Hashable:
        """It is under way, by its number: sets of small numbers are in order."""
        handle, self.begun = self.begun, self.begun + 1
        self.under_way[handle] = task
        return handle

    def clock(self, handle: Hashable) -> Clock | None:
        """That of pack 0 is three seconds ahead."""
        return Clock(True, time.monotonic() - self.passed - (3.0 if handle == 0 else 0.0))

    def kill(self, handle: Hashable) -> str:
        """Takes as long as a Dask worker takes to start anew."""
        self.passed += 10.0
        for other, task in self.under_way.items():
            if other != handle:
                self.ended.append((other, attempt(task, "cpu", lambda begun: None)))
        self.under_way = {}
        return ""


@pytest.mark.slow
def test_a_process_that_was_stopped_has_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: LocalExecutor
) -> None:
    """By Ctrl-Z, with its workers: after `fg` every pack had passed its limit."""
    plainly, wait, ahead = time.monotonic, local.wait, [0.0]
    own = scripted(tmp_path, 0, seconds=2.0)

    def stopped_once(*arguments: Any) -> Any:
        heard = wait(*arguments)
        if attempts(own) and not ahead[0]:
            ahead[0] = 1000.0
        return heard

    monkeypatch.setattr(time, "monotonic", lambda: plainly() + ahead[0])
    monkeypatch.setattr(local, "wait", stopped_once)
    found = _train(executor, Limits(seconds=100.0), [own])
    assert found[own.id].status == "complete"
    assert attempts(own) == 1
    assert ahead[0]


def test_what_ends_while_another_is_killed_is_not_late(tmp_path: Path) -> None:
    """The clock of a trial that had completed went on until a killed worker was back."""
    bad, good = scripted(tmp_path, 0), scripted(tmp_path, 1)
    with _Slow(2) as executor:
        parts = list(train_packs(Listed([(bad,), (good,)]), executor, limits=Limits(seconds=2.0)))
    found = {record.id: record.status for part in parts for record in part}
    assert found == {bad.id: "failed", good.id: "complete"}


def test_steps_of_earlier_sessions_count() -> None:
    clock = Clock.started(Begun(stepping=True, earlier=100.0))
    assert clock.seconds >= 100.0
    late, pack = Ended("late"), (scripted(Path(), 0),)
    # What another pack has left behind says nothing of what the trial needs alone.
    assert again(Running(pack, 1, begun=7), late, set()) == [Waiting(pack)]
    assert again(Running(pack, 1, begun=0), late, set()) == []


def test_what_another_worker_takes_on_has_a_clock_of_its_own() -> None:
    """Where that trains from the beginning, the steps of the first one counted twice."""
    clock = Clock.started(Begun(stepping=True, earlier=100.0, share=0.5))
    clock = Clock.started(Begun(stepping=False), clock)
    assert not clock.stepping
    assert clock.seconds < 50.0
    clock = Clock.started(Begun(stepping=True, earlier=10.0, share=0.1), clock)
    assert 10.0 <= clock.seconds < 60.0
    assert clock.first_share == 0.1


def test_memory_that_others_have_left_in_a_worker_is_told_by_several() -> None:
    """A pack on a Dask cluster met the same worker twice before that was made anew, and failed."""
    pack, short = (scripted(Path(), 0),), Ended("raised", cause="MemoryError: 1 GiB")
    assert again(Running(pack, 1, begun=0), short, set()) == [Waiting(pack, 1, fresh=True)]
    met = Running(pack, 1, begun=0, fresh=True)
    assert again(met, short, set()) == [Waiting(pack, 2, fresh=True)]
    assert again(replace(met, tries=TRIES), short, set()) == []
    assert again(met, replace(short, fresh=True), set()) == []


def test_the_first_estimate_leaves_out_the_start_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was 7 minutes for a run of 75 seconds."""
    monkeypatch.setattr(time, "monotonic", lambda: 5000.0)
    packs = [(scripted(Path(), seed),) for seed in range(4)]
    progress = Progress(4, "eager", "", workers=2, forecast=Forecast("eager", packs))
    progress.started -= 1000.0
    progress.forecast.watch([Running(pack, 1, begun=0, started=5000.0) for pack in packs[:2]])
    assert progress.seconds_left is None
    progress.forecast.ended(packs[0], 3.0)
    progress.forecast.watch([Running(pack, 1, begun=0, started=5000.0) for pack in packs[2:3]])
    assert progress.seconds_left == pytest.approx(6.0)


@pytest.mark.slow
def test_workers_that_do_not_start_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not started for ever."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr("ganstudy.schedule.executors.local.STARTS", 2)
    monkeypatch.setattr(sys, "executable", str(python))
    with (
        LocalExecutor(1) as executor,
        pytest.raises(ExecutorError, match="exit code 3"),
    ):
        list(train_packs(Listed([(scripted(Path(), 0),)]), executor))


LIMITS = """\
import resource
from ganstudy.schedule import memory
_, hard = resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_DATA, (2**32, hard))
for gigabytes in (None, 2.0, 8.0, None):
    memory.limit(gigabytes)
    print(*resource.getrlimit(resource.RLIMIT_DATA)[:1])
"""


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the kernel bounds nothing")
def test_a_limit_of_the_user_stays() -> None:
    """`ulimit -d` was lifted without a word, by packs without a limit first of all."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITS], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(gib * 2**30) for gib in (4, 2, 4, 4)]
