"""The loop that hands out packs: by all workers there will be, and what it does meanwhile."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from inline import Inline
from tiny import Listed, trial

from ganstudy import report
from ganstudy.schedule.loop import train_packs


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
