"""The loop that hands out packs: by all workers there will be, and what it does meanwhile."""

from __future__ import annotations

import importlib
import random
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from inline import Inline
from tiny import Listed, trial

from ganstudy import report
from ganstudy.engine.checkpoints import Checkpoints
from ganstudy.engine.session import ALONE, Session
from ganstudy.kinds import Kind, Pack
from ganstudy.schedule.executor import Ended, Task
from ganstudy.schedule.loop import train_packs
from ganstudy.trial import Record, Trial
from ganstudy.variable import Variable
from ganstudy.whole_file import sealed


class Late(Inline):
    """Four workers, of which one is ready."""

    workers = 4


class Told(Listed):
    """A source that keeps for how many it was asked."""

    def __init__(self) -> None:
        super().__init__([(trial(seed, steps=1),) for seed in range(5)])
        self.slots: list[int] = []

    def ask(self, free_slots: int) -> list[Any]:
        """All packs at once."""
        self.slots.append(free_slots)
        return super().ask(free_slots)


def test_packs_are_asked_for_all_workers_before_the_others_are_ready() -> None:
    """Of sixteen workers the first to be ready had half of the trials, and the second the rest."""
    source, executor = Told(), Late(1)
    executor.workers = Late.workers
    records = list(train_packs(source, executor))
    assert sum(map(len, records)) == 5
    assert source.slots[0] == 4


def test_what_is_done_meanwhile_is_done_in_parts_between_packs() -> None:
    """A part after each look at the workers, and no waiting for them until all is done."""
    done: list[int] = []
    waited: list[tuple[int, float]] = []

    def parts() -> Iterator[None]:
        for part in range(3):
            done.append(part)
            yield

    class Watched(Inline):
        def wait(self, seconds: float) -> list[Any]:
            waited.append((len(done), seconds))
            return super().wait(seconds)

    list(train_packs(Told(), Watched(1), meanwhile=parts()))
    assert done == [0, 1, 2]
    assert [parts for parts, _ in waited] == [1, 2, 3, 3, 3]
    assert [seconds > 0.0 for _, seconds in waited] == [False, False, False, True, True]


def test_what_a_page_needs_is_imported_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is heavy; and what cannot be is left to the page, once all is trained."""
    assert list(report.import_ahead())
    assert {"xarray", "zarr", "scipy.stats", "matplotlib.figure"} <= sys.modules.keys()

    def broken(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", broken)
    assert list(report.import_ahead())


class Leaves(Kind):
    """Its trials leave what a test wants."""

    plugin: ClassVar[str] = "digest"
    leave: ClassVar[Callable[[list[Record]], Any]]
    steps: int = 1

    def pack_key(self) -> str:
        return "told"

    def graph_key(self) -> str:
        return "told"

    def cost(self) -> float:
        return 1.0

    def working_set(self) -> int:
        return 1

    def variables(self) -> tuple[Variable, ...]:
        return Variable("place", "", ("place",)), Variable("ends", "", ("place",))

    def train(self, trials: Sequence[Trial[Self]], session: Session = ALONE) -> list[Record]:
        values = {"place": np.arange(2), "ends": np.zeros(2, np.float32)}
        made = [Record.of(own, session, self.variables(), values, 0.0) for own in trials]
        left: list[Record] = Leaves.leave(made)
        return left


def _with(records: list[Record], **values: Any) -> list[Record]:
    """The same, but for some values of the first one."""
    return [replace(records[0], values={**records[0].values, **values}), *records[1:]]


WRONG: dict[str, tuple[Callable[[list[Record]], Any], str]] = {
    "nothing": (lambda made: None, "should return a list of records (got NoneType)"),
    "others": (lambda made: [made[0].values], "should return a list of records (got dict)"),
    "fewer": (lambda made: [], "train returns records of nothing, and should of "),
    "twice": (lambda made: [*made, *made], "train returns records of "),
    "another's": (lambda made: [replace(made[0], id="0" * 16)], "returns records of 0000000"),
    "status": (lambda made: [replace(made[0], status="done")], "of a record are done, 0.0, nan"),
    "seconds": (lambda made: [replace(made[0], seconds=None)], "of a record are complete, None,"),
    "a number": (lambda made: _with(made, ends=1.0), "'ends' of a record should be an array"),
    "objects": (lambda made: _with(made, ends=np.array([None, 1])), "'ends' of a record should be"),
    "texts": (lambda made: _with(made, ends=np.array(["a", "b"])), "'ends' of a record should be"),
    "no texts": (
        lambda made: _with(made, place=np.array(["a", "b\0c"])),
        "'place' of a record has texts with characters that are none",
    ),
    "rank": (lambda made: _with(made, ends=np.zeros((2, 1))), "'ends' of a record has shape (2, 1"),
    "length": (lambda made: _with(made, ends=np.zeros(3)), "has length 3 along 'place', where oth"),
    "unknown": (lambda made: _with(made, more=np.zeros(2)), "'more' of a record is of none of its"),
    "random": (lambda made: made[: 1 + int(random.random())], "draws of Python's own generator"),
    "np.random": (
        lambda made: _with(made, ends=np.random.normal(size=2)),  # noqa: NPY002  # the slip
        "a plug-in draws of NumPy's own generator",
    ),
}


def _left(leave: Callable[[list[Record]], Any], packs: Sequence[Any]) -> list[Record]:
    Leaves.leave = leave
    return [own for records in train_packs(Listed(packs), Inline(1)) for own in records]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_record_fails_its_own_trial(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was a traceback of the run, each time that it was continued; too few were no fault."""
    monkeypatch.delitem(sys.modules, "distributed", raising=False)
    leave, cause = WRONG[name]
    bad, good = Trial(Leaves(), 0), trial(0, steps=1)
    records = {own.id: own for own in _left(leave, [(bad,), (good,)])}
    assert records.keys() == {bad.id, good.id}
    assert records[bad.id].status == "failed"
    assert cause in records[bad.id].cause.splitlines()[0]
    assert records[good.id].status == "complete"


def test_coordinates_that_differ_are_not_taken_for_each_other() -> None:
    """Of a pack one was kept for all; alone each trial is what it is."""
    pack = tuple(Trial(Leaves(), seed) for seed in range(2))
    records = _left(
        lambda made: [
            replace(own, values={**own.values, "place": np.arange(2) + own.seed}) for own in made
        ],
        [pack],
    )
    assert {own.seed: own.values["place"].tolist() for own in records} == {0: [0, 1], 1: [1, 2]}


@pytest.mark.parametrize("place", [[0, 1], [0.5, np.nan], ["a", "b"]])
def test_records_as_they_should_be_are_kept(place: list[Any]) -> None:
    """A place that is not known is the same in both."""
    pack = tuple(Trial(Leaves(), seed) for seed in range(2))
    records = _left(lambda made: [_with([own], place=np.array(place))[0] for own in made], [pack])
    assert [own.status for own in records] == ["complete"] * 2


class Dying(Inline):
    """A worker that keeps a state after a few more steps, or after as many as before, and dies."""

    def __init__(self, folder: Path, steps: Sequence[int]) -> None:
        super().__init__(1)
        self.folder, self.steps = folder, list(steps)

    def submit(self, task: Task) -> Hashable:
        """Keep a state, if any, and die; what has no more steps to take is trained."""
        if not self.steps:
            return super().submit(task)
        if step := self.steps.pop(0):
            write_state(self.folder / f"{1:016x}.checkpoint", task.pack, step)
        self.ended.append((handle := object(), Ended("died", cause="its worker died")))
        return handle


def write_state(path: Path, pack: Pack, step: int) -> None:
    """A checkpoint that says so, of nothing."""
    state = str(time.monotonic_ns())
    header = {"trials": [t.id for t in pack], "step": step, "state": state, "identity": ""}
    path.write_bytes(sealed(header))


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        # Each a little further, from its beginning: what is there is of another machine.
        ([300, 400, 500, 600], "complete"),
        ([300, 0, 0, 0], "failed"),
        # As where machines take turns, neither of which can use what the other has kept.
        ([300, 300, 300, 300], "failed"),
    ],
)
def test_a_state_that_nobody_can_use_is_no_measure(
    tmp_path: Path, steps: list[int], status: str
) -> None:
    """A checkpoint of other arithmetic, far ahead, made every death one without progress."""
    pack = (trial(0),)
    write_state(tmp_path / f"{0:016x}.checkpoint", (*pack, trial(1)), 900)
    checkpoints = Checkpoints(tmp_path)
    ((record,),) = train_packs(Listed([pack]), Dying(tmp_path, steps), checkpoints=checkpoints)
    assert record.status == status
