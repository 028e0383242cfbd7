"""Every executor: the same bits as without it, failures told, and no process left behind."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import psutil
import pytest
from tiny import differences, trial

from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.kinds import Pack
from ganstudy.kinds.adversarial.training import train
from ganstudy.schedule.executor import Clock, Ended, Executor, ExecutorError, Task
from ganstudy.schedule.executors import family
from ganstudy.schedule.options import Options

PATIENCE = 600.0
"""Seconds after which nothing more is expected, on however busy a machine."""

_no_slurm = pytest.mark.skipif(
    shutil.which("sinfo") is None or "SLURM_CONF" not in os.environ,
    reason="no Slurm here; tests/faults/test_slurm.py sets one up",
)
CLUSTERS = {"dask": [pytest.mark.slow], "slurm": [pytest.mark.slow, _no_slurm]}
"""Which take seconds to start."""
OTHERS = [pytest.param(cls, marks=CLUSTERS[cls.name]) for cls in family if cls.name in CLUSTERS]
QUICK = [cls for cls in family if cls.name not in CLUSTERS]

each = pytest.mark.parametrize("cls", [*QUICK, *OTHERS], ids=lambda cls: cls.name)


def _task(pack: Pack) -> Task:
    return Task(pack, "eager", (), NO_CHECKPOINTS, None)


ENDLESS = trial(0, steps=10**9, record={"every": 10**9, "samples": 40})
"""A trial of days: whoever waits for its end waits in vain."""


def _until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("waited in vain")


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
    _until(lambda: found.update(executor.wait(1.0)) or len(found) >= count)
    assert len(found) == count
    return found


@functools.cache
def _trains_at_once(cls: type[Executor]) -> bool:
    """Whether it trains in this very process, whoever waits for it, so that nothing is under way:
    else a trial of some seconds has not ended after a tenth of one.
    """
    with cls(1) as executor:
        _until(lambda: executor.wait(0.1) == [] and executor.room())
        executor.submit(_task((trial(0, steps=4_000, record={"every": 4_000}),)))
        return bool(executor.wait(0.1))


@pytest.fixture
def ended_from_outside(cls: type[Executor]) -> None:
    """What a test asks for that ends the trial of days."""
    if _trains_at_once(cls):
        pytest.skip("it trains at once: nothing is under way that could be ended")


def _under_way(executor: Executor, handle: Hashable) -> Clock:
    """The clock of a task that takes its steps."""

    def seen() -> Clock | None:
        assert executor.wait(0.1) == []
        clock = executor.clock(handle)
        return clock if clock is not None and clock.stepping else None

    found = _until(seen)
    assert isinstance(found, Clock)
    return found


def _gone_or_tracker(process: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def children() -> Iterator[Callable[[], list[psutil.Process]]]:
    """What this process has started since, trackers of resources apart, which it keeps."""
    before = set(psutil.Process().children(recursive=True))

    def now() -> list[psutil.Process]:
        new = set(psutil.Process().children(recursive=True)) - before
        return [p for p in new if not _gone_or_tracker(p)]

    yield now
    assert not now()


@pytest.mark.slow
@each
def test_records_are_those_that_training_here_leaves(
    cls: type[Executor], children: Callable[[], list[psutil.Process]]
) -> None:
    """Bit for bit, in whatever order packs end; and a pack that raises is told with its cause."""
    packs: list[Pack] = [(trial(0), trial(1)), (trial(2),), ()]
    with cls(2) as executor:
        handles, found = {}, {}
        for number, pack in enumerate(packs):
            _until(lambda: executor.room() > 0 or found.update(executor.wait(0.1)))
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
def test_a_task_that_is_killed_leaves_room_for_another(
    cls: type[Executor], children: Callable[[], list[psutil.Process]]
) -> None:
    """It says where it was; nothing is heard of it any more."""
    with cls(1) as executor:
        _until(lambda: executor.wait(0.1) == [] and executor.room())
        handle = executor.submit(_task((ENDLESS,)))
        assert _under_way(executor, handle).seconds >= 0
        assert executor.room() == 0
        assert isinstance(executor.kill(handle), str)
        _until(lambda: executor.wait(0.1) == [] and executor.room())
        other = executor.submit(_task((trial(1),)))
        assert _ended(executor, 1)[other].how == "trained"


@pytest.mark.slow
@pytest.mark.usefixtures("ended_from_outside")
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "on its way"])
@each
def test_what_is_drained_stops(
    cls: type[Executor], begun: bool, children: Callable[[], list[psutil.Process]]
) -> None:
    with cls(1) as executor:
        _until(lambda: executor.wait(0.1) == [] and executor.room())
        handle = executor.submit(_task((ENDLESS,)))
        if begun:
            _under_way(executor, handle)
        executor.drain()
        assert _ended(executor, 1)[handle].how == "stopped"


@pytest.mark.slow
@pytest.mark.usefixtures("ended_from_outside")
@each
def test_closing_ends_what_is_under_way(
    cls: type[Executor], children: Callable[[], list[psutil.Process]]
) -> None:
    """At once, though a task has days to go; the fixture sees that no process is left."""
    executor = cls(1)
    _until(lambda: executor.wait(0.1) == [] and executor.room())
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
