"""A Dask cluster of processes of their own: somebody else's, to every run that joins it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from processes import kill, running


class Cluster(NamedTuple):
    """A scheduler, its address, and the nannies of its workers."""

    address: str
    scheduler: psutil.Process
    nannies: list[psutil.Process]

    @property
    def whole(self) -> bool:
        """Whether none of them has ended; a nanny starts its worker anew."""
        return all(map(running, (self.scheduler, *self.nannies)))


def dask_process(
    what: str, *arguments: str, cwd: Path | None = None, within: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """A scheduler or a worker; `within` is a command that starts it somewhere else."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    return subprocess.Popen(
        [*within, sys.executable, "-m", "distributed.cli.dask_" + what, *arguments],
        cwd=cwd,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def end(process: subprocess.Popen[str]) -> None:
    """Kill it and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        for one in (root := psutil.Process(process.pid), *root.children(recursive=True)):
            kill(one)
    process.communicate()


@contextmanager
def dask_cluster(
    folder: Path,
    host: str = "127.0.0.1",
    within: Sequence[str] = (),
    workers: Sequence[Sequence[str]] = ((), ()),
    threads: int = 1,
    options: Sequence[str] = (),
) -> Iterator[Cluster]:
    """Workers whose current folder is not that of the run, each `within` one of `workers`, and with
    these options."""
    with ExitStack() as stack:
        asked = ["--port", "0", "--no-dashboard", "--host", host]
        scheduler = dask_process("scheduler", *asked, within=within)
        stack.callback(end, scheduler)
        address = ""
        assert scheduler.stderr is not None
        while "tcp://" not in address:
            address = scheduler.stderr.readline()
            assert address, "the scheduler has died"
        address = "tcp://" + address.split("tcp://")[1].split()[0]
        nannies = []
        for number, place in enumerate(workers):
            (own := folder / f"worker{number}").mkdir()
            asked = [address, "--nthreads", str(threads), "--no-dashboard", *options]
            worker = dask_process("worker", *asked, cwd=own, within=place)
            stack.callback(end, worker)
            nannies.append(psutil.Process(worker.pid))
        # One that came late would find nothing left to do.
        missing = len(workers)
        while missing:
            line = scheduler.stderr.readline()
            assert line, "the scheduler has died"
            missing -= "Register worker" in line
        yield Cluster(address, psutil.Process(scheduler.pid), nannies)


class Shared:
    """A cluster for several tests, and another one when a test has not left it whole."""

    def __init__(self, folders: Callable[[], Path], **asked: Any) -> None:
        """Each in a folder of its own, and with what is `asked` of a `dask_cluster`."""
        self._folders, self._asked = folders, asked
        self._open = ExitStack()
        self._cluster: Cluster | None = None
        self._used = False

    def cluster(self, unused: bool = False) -> Cluster:
        """One that is whole; of which no other test has had anything, if it is to be `unused`."""
        if self._cluster is None or not self._cluster.whole or (unused and self._used):
            self.close()
            self._cluster = self._open.enter_context(dask_cluster(self._folders(), **self._asked))
        self._used = True
        return self._cluster

    def close(self) -> None:
        """End what there is."""
        self._open.close()
        self._cluster, self._used = None, False
