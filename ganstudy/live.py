"""The page while a run trains: built anew at an interval by a process of its own, which yields."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from socket import gethostname

import psutil

from ganstudy.cause import telling
from ganstudy.existing import reopen
from ganstudy.report import Look, PageError, build, end_look
from ganstudy.store import RunDirectory, RunError, assemble, page_files
from ganstudy.terminal import duration, say

__all__ = ["EVERY", "alongside", "give_way", "keep_current", "publish", "trains"]

EVERY = 30.0
"""Seconds between two pages."""

SHARE = 0.2
"""Of one core's time, what pages may take at most; where they take more, they come less often."""

PATIENCE = 60.0
"""Seconds that a run may take to begin training."""

_OLD = 86400.0
"""Seconds after which no page is still being built, whoever has begun it."""

NICENESS = 10
"""By how much it lets training go before."""

_BUSY = ("starting", "training")

_log = logging.getLogger("ganstudy")


def keep_current(path: Path, every: float = EVERY, *, run_plugins: bool = False) -> None:
    """Keep the page of a run current until its training ends; the run writes the last one itself.

    One that was stopped, or killed, writes none: the page says that, then, and reloads no more.

    Errors  `RunError` where nobody trains the run.
    """
    give_way()
    directory = RunDirectory(path)
    _await(directory)
    pause = every
    while _doing(directory) in _BUSY:
        begun, worked = time.monotonic(), time.process_time()
        if (path / "records").is_dir():
            publish(path, round(pause, 1), run_plugins=run_plugins)
        took, worked = time.monotonic() - begun, time.process_time() - worked
        # What it waited for others on a busy machine has taken nothing from them.
        pause = max(every, worked / SHARE)
        _sleep(directory, pause - took)
    if not _doing(directory):
        with suppress(RunError), directory.locked():  # whoever has taken it up has other pages
            end_look(directory.report / "index.html")


def trains(path: Path) -> bool:
    """Whether somebody trains a run now."""
    return _doing(RunDirectory(path)) in _BUSY


def publish(path: Path, every: float, *, run_plugins: bool = False) -> bool:
    """Build the page of what there is and put it in its place, if the run still trains then.

    It reloads itself, and says at its top what is missing.
    """
    directory, search = reopen(path, run_plugins=run_plugins)
    _clear(path)
    made = Path(tempfile.mkdtemp(prefix=f".live-{os.getpid()}-{gethostname()}-", dir=path))
    try:
        counts = search.counts()
        recorded = counts.total() - counts["missing"]
        look = Look(recorded, counts.total(), int(time.time()), f"{every:g}")
        with suppress(PageError):  # the page has the other sections, and says so
            build(assemble(directory, search), directory.provenance(), made, look)
        # Whoever gathers has the last word.
        if _doing(directory) not in _BUSY:
            return False
        directory.report.mkdir(exist_ok=True)
        page_files.note(made, page_files.made(directory.report) | page_files.made(made))
        # The list first: this process may be stopped at any of them.
        last = {"index.html": 1, page_files.NAME: -1}
        for file in sorted(made.iterdir(), key=lambda own: last.get(own.name, 0)):
            file.replace(directory.report / file.name)
        return True
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def alongside(path: Path, every: float) -> Iterator[None]:
    """Have a process keep the page of a run current; it is gone when this context ends.

    What ends by an exception writes no other page: this one says that the run has stopped, then.
    Who trains the run runs the code that it names, and so may its page.
    """
    command = [sys.executable, "-m", "ganstudy", "report", str(path), "--live"]
    command += ["--every", str(every), "--plugins"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as said:
        page = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment,
            process_group=0,  # Ctrl-C is this process's business
        )
        stopped = True
        try:
            yield
            stopped = False
        finally:
            ended = page.poll()
            page.terminate()
            page.wait()
            _clear(path)
            if stopped:
                with suppress(OSError):
                    end_look(path / "report" / "index.html")
            if ended:
                said.seek(0)
                lines = said.read().strip().splitlines()
                _log.warning("the live page stopped: %s", telling(lines[-1] if lines else ""))


def _clear(path: Path) -> None:
    """Remove what pages have left whose processes, of this machine, were killed as they built them,
    and what is old, as of another machine; another page of the run may be under way."""
    form = rf"\.live-(\d{{1,9}})-{re.escape(gethostname())}-\w+"
    for left in path.glob(".live-*"):
        found = re.fullmatch(form, left.name, re.ASCII)
        with suppress(OSError):  # another page has removed it
            known = re.fullmatch(r"\.live-(\d{1,9}-.+-)?[a-z0-9_]{8}", left.name, re.ASCII)
            old = known and time.time() - left.stat().st_mtime > _OLD
            if old or (found and not psutil.pid_exists(int(found[1]))):
                shutil.rmtree(left, ignore_errors=True)


def give_way() -> None:
    """However often it is called, and whatever this process was started with."""
    if hasattr(os, "setpriority") and os.getpriority(os.PRIO_PROCESS, 0) < NICENESS:
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _await(directory: RunDirectory) -> None:
    end = time.monotonic() + PATIENCE
    if directory.path.is_dir() and _doing(directory) not in _BUSY:
        wait = duration(PATIENCE)
        say(f"{directory.path}: nobody trains this run yet; waiting for that, {wait} at most")
    while _doing(directory) not in _BUSY:
        if time.monotonic() > end or not directory.path.is_dir():
            own = quote(str(directory.path))
            raise RunError(
                f"{directory.path}: nobody trains this run; `ganstudy report {own}` is enough"
            )
        time.sleep(0.2)


def _doing(directory: RunDirectory) -> str:
    said = directory.read_heartbeat()
    return str(said["doing"]) if said else ""


def _sleep(directory: RunDirectory, seconds: float) -> None:
    """Some seconds, or until the training ends."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and _doing(directory) in _BUSY:
        time.sleep(min(0.5, max(end - time.monotonic(), 0.0)))
