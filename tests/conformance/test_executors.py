"""Every executor: the same bits as without it, failures told, and no process left behind."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import FrameType

import psutil
import pytest
from tiny import differences, trial
from waiting import PATIENCE, wait_until

from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.kinds import Pack
from ganstudy.kinds.adversarial.training import train
from ganstudy.schedule.clock import Clock
from ganstudy.schedule.executor import Ended, Executor, ExecutorError, Task
from ganstudy.schedule.executors import family
from ganstudy.schedule.options import Options

_no_slurm = pytest.mark.skipif(
    shutil.which("sinfo") is None or "SLURM_CONF" not in os.environ,
    reason="no Slurm here; tests/faults/test_slurm.py sets one up",
)
CLUSTERS = {"dask": [pytest.mark.slow], "slurm": [pytest.mark.slow, _no_slurm]}
"""Which take seconds to start."""
OTHERS = [pytest.param(cls, marks=CLUSTERS[cls.name]) for cls in family if cls.name in CLUSTERS]
QUICK = [cls for cls in family if cls.name not in CLUSTERS]

each = pytest.mark.parametrize("cls", [*QUICK, *OTHERS], ids=lambda cls: cls.name, scope="module")


def _task(pack: Pack) -> Task:
    return Task(pack, "eager", (), NO_CHECKPOINTS, None)


ENDLESS = trial(0, steps=10**9, record={"every": 10**9, "samples": 40})
"""A trial of days: whoever waits for its end waits in vain."""


@contextmanager
def _patiently() -> Iterator[None]:
    """For what waits by itself, and perhaps for ever."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise AssertionError("waited in vain")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(PATIENCE))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _ended(executor: Executor, count: int) -> dict[Hashable, Ended]:
    """The next tasks that end, by their handles."""
    found: dict[Hashable, Ended] = {}
    wait_until(lambda: found.update(executor.wait(1.0)) or len(found) >= count)
    assert len(found) == count
    return found


def _under_way(executor: Executor, handle: Hashable) -> Clock:
    """The clock of a task that takes its steps."""

    def seen() -> Clock | None:
        assert executor.wait(0.1) == []
        clock = executor.clock(handle)
        return clock if clock is not None and clock.stepping else None

    found = wait_until(seen)
    assert isinstance(found, Clock)
    return found


def _gone_or_tracker(process: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return True


@contextmanager
def _nobody_is_left() -> Iterator[None]:
    """What this process starts meanwhile ends, trackers of resources apart, which it keeps."""
    before = set(psutil.Process().children(recursive=True))
    yield
    new = set(psutil.Process().children(recursive=True)) - before
    assert not [process for process in new if not _gone_or_tracker(process)]


@pytest.fixture(scope="module")
def executor(cls: type[Executor]) -> Iterator[Executor]:
    """One with two workers, which tests share; none is left when it is closed."""
    with _nobody_is_left(), cls(2) as shared:
        yield shared


@pytest.fixture(scope="module")
def trains_at_once(executor: Executor) -> bool:
    """Whether it trains in this very process, whoever waits for it, so that nothing is under way:
    else a trial of some seconds has not ended after a tenth of one.
    """
    wait_until(lambda: executor.wait(0.1) == [] and executor.room())
    handle = executor.submit(_task((trial(0, steps=2_000, record={"every": 2_000}),)))
    if executor.wait(0.1):
        return True
    assert [*_ended(executor, 1)] == [handle]
    return False


@pytest.fixture
def ended_from_outside(trains_at_once: bool) -> None:
    """What a test asks for that ends the trial of days."""
    if trains_at_once:
        pytest.skip("it trains at once: nothing is under way that could be ended")


@pytest.mark.slow
@each
def test_records_are_those_that_training_here_leaves(executor: Executor) -> None:
    """Bit for bit, in whatever order packs end; and a pack that raises is told with its cause."""
    packs: list[Pack] = [(trial(0), trial(1)), (trial(2),), ()]
    handles, found = {}, {}
    for number, pack in enumerate(packs):
        wait_until(lambda: executor.room() > 0 or found.update(executor.wait(0.1)))
        handles[executor.submit(_task(pack))] = number
    found.update(_ended(executor, len(packs) - len(found)))
    assert executor.wait(0.0) == []
    assert len(handles) == len(packs), "handles are told apart"
    by_pack = {handles[handle]: ended for handle, ended in found.items()}
    assert by_pack[2].how == "raised"
    assert "IndexError" in by_pack[2].cause.splitlines()[0]
    for number in (0, 1):
        assert by_pack[number].how == "trained"
        for record, expected in zip(by_pack[number].records, train(packs[number]), strict=True):
            assert record.id == expected.id
            assert differences(record, expected) == []


@pytest.mark.slow
@pytest.mark.usefixtures("ended_from_outside")
@each
def test_a_task_that_is_killed_leaves_room_for_another(executor: Executor) -> None:
    """It says where it was; nothing is heard of it any more."""
    wait_until(lambda: executor.wait(0.1) == [] and executor.room() == 2)
    handle = executor.submit(_task((ENDLESS,)))
    assert _under_way(executor, handle).seconds >= 0
    assert executor.room() == 1
    assert isinstance(executor.kill(handle), str)
    wait_until(lambda: executor.wait(0.1) == [] and executor.room() == 2)
    other = executor.submit(_task((trial(1),)))
    assert _ended(executor, 1)[other].how == "trained"


@pytest.mark.slow
@pytest.mark.usefixtures("ended_from_outside")
@each
def test_what_is_drained_stops(cls: type[Executor]) -> None:
    """What has begun, and what is on its way."""
    with _nobody_is_left(), cls(2) as executor:
        wait_until(lambda: executor.wait(0.1) == [] and executor.room() == 2)
        _under_way(executor, begun := executor.submit(_task((ENDLESS,))))
        sent = executor.submit(_task((ENDLESS,)))
        executor.drain()
        ended = _ended(executor, 2)
        assert (ended[begun].how, ended[sent].how) == ("stopped", "stopped")


@pytest.mark.slow
@pytest.mark.usefixtures("ended_from_outside")
@each
def test_closing_ends_what_is_under_way(cls: type[Executor]) -> None:
    """At once, though a task has days to go; no process is left."""
    with _nobody_is_left():
        executor = cls(1)
        wait_until(lambda: executor.wait(0.1) == [] and executor.room())
        _under_way(executor, executor.submit(_task((ENDLESS,))))
        with _patiently():
            executor.close()


@each
def test_it_says_what_it_can(cls: type[Executor], monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that is not there is an `ExecutorError`, and leaves no process behind."""
    # Dask knocks for as long as this, though nobody can answer.
    dask = getattr(sys.modules[cls.__module__], "CONFIGURATION", {})
    monkeypatch.setitem(dask, "distributed.comm.timeouts.connect", "1s")
    assert issubclass(cls.asks, Options)
    assert isinstance(cls.here, bool)
    if "scheduler" in cls.asks.model_fields:
        with pytest.raises(ExecutorError, match=r"127\.0\.0\.1:9"):
            cls(1, scheduler="tcp://127.0.0.1:9")
