"""Nothing that a test has started outlives it, however the test ends; and runs without pages."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import processes
import pytest
from unrendered import no_build

from ganstudy.engine import checkpoints


@pytest.fixture(autouse=True)
def no_orphans() -> Iterator[None]:
    """Kill what a failed test has left behind."""
    yield
    for run in processes.started:
        for process in processes.group(run):
            os.kill(process.pid, signal.SIGKILL)
        if run.stdout is not None:
            run.stdout.close()
        run.wait()
    processes.started.clear()


@pytest.fixture(autouse=True)
def nobody_is_told() -> Iterator[None]:
    """A Dask worker in a thread of this process would be told of what later tests train here."""
    yield
    checkpoints.STEPPING.clear()


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs build no page, until a test undoes it."""
    monkeypatch.setattr("ganstudy.report.build", no_build)
