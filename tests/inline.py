"""Training in the process of the test: what a worker does, without the seconds that one starts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from ganstudy import pipeline, verification
from ganstudy.schedule import worker_process
from ganstudy.schedule.clock import Clock
from ganstudy.schedule.executor import Ended, Executor, Task, attempt


class Inline(Executor):
    """One worker, which has trained a pack by the time that it is handed in."""

    def open(self) -> None:
        """Nothing has to be started."""
        self.ended: list[tuple[Hashable, Ended]] = []

    def room(self) -> int:
        """One pack at a time."""
        return 0 if self.ended else 1

    def submit(self, task: Task) -> Hashable:
        """Train it; the memory of the test's own process is not bounded."""
        handle, unbounded = object(), replace(task, memory_limit=None)
        self.ended.append((handle, attempt(unbounded, "cpu", lambda begun: None)))
        return handle

    def wait(self, seconds: float) -> list[tuple[Hashable, Ended]]:
        """What has been trained."""
        ended, self.ended = self.ended, []
        return ended

    def clock(self, handle: Hashable) -> Clock | None:
        """Nothing is under way."""
        return None

    def kill(self, handle: Hashable) -> str:
        """Nothing is under way."""
        return ""

    def drain(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is left."""


@contextmanager
def trained_inline() -> Iterator[None]:
    """Runs of this process train within it; no command begins a worker that none will ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_process, "begun_ahead", nullcontext)
        for caller in (pipeline, verification):
            patch.setattr(caller, "open_executor", lambda *_: Inline(1))
        yield
