"""What runs in a Dask worker: it is warmed up, and trains a pack on the device that it leases."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Set
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from distributed import WorkerPlugin, get_worker

from ganstudy.engine.arithmetic import check
from ganstudy.engine.checkpoints import request_stop
from ganstudy.schedule.devices import CPU, named, slots
from ganstudy.schedule.executor import Begun, Ended, ExecutorError, attempt_carried, warm_up

if TYPE_CHECKING:
    from ganstudy.trial import ProgramName

__all__ = ["BEGUN", "Said", "WarmUp", "executing", "stop", "train"]


BEGUN = "GANSTUDY_JOB_BEGUN"
"""Variable of an environment in which a worker's job has begun: when, in seconds since 1970."""


class Said(NamedTuple):
    """What a worker, by its name in this life, says of a task: its `Begun`, and how old its own
    job is, if it has one."""

    key: str
    worker: str
    stepping: bool
    earlier: float
    share: float
    age: float


class WarmUp(WorkerPlugin):
    """Done by every worker of the cluster before its first task, including workers to come.

    owned  whether the cluster is of the executor's own: standard output is for answers of who has
           started it, and what trials print goes to standard error
    """

    name = "ganstudy"

    def __init__(self, program: ProgramName, owned: bool) -> None:
        self.program, self.owned = program, owned

    def setup(self, worker: object) -> None:
        """Called by Dask.

        Errors  `NotPortable` where the cluster's workers were not started for the program.
        """
        if self.owned:
            os.dup2(2, 1)
        warm_up()
        check(self.program, CPU)


def executing(dask_worker: Any) -> list[str]:
    """Keys of the tasks that a worker has begun."""
    return [str(task.key) for task in dask_worker.state.executing]


def stop(keys: Set[str]) -> None:
    """Have these tasks stop at a step of theirs soon, and those that are still on their way here
    at their first one."""
    _stopping.update(keys)


_stopping = set[str]()


def train(content: bytes, devices: str, topic: str) -> Ended:
    """How the training of a pack, which was carried here, ended; Dask is told when it began."""
    worker = get_worker()

    def say(begun: Begun) -> None:
        # Of this thread: where a process trains several packs, all of them tell the last one's.
        key = str(worker.get_current_task())
        age = time.time() - float(os.environ.get(BEGUN, "nan"))
        said = Said(key, worker.id, begun.stepping, begun.earlier, begun.share, age)
        worker.log_event(topic, said)
        # Only now, since the flag is the process's: the next pack may be another client's.
        if begun.stepping and key in _stopping:
            request_stop()

    try:
        device = _device(devices)
    except (ExecutorError, ValueError) as error:  # no trial is at fault
        return Ended("unable", cause=str(error))
    return attempt_carried(content, device, say)


@functools.cache
def _device(devices: str) -> str:
    """The device of this process, whose slot it leases with its first pack and keeps.

    Errors  `ValueError` for devices that are not there; those of `Slot.leased`.
    """
    names = named(devices)
    first = os.getpid() % len(names)
    (slot,) = slots(names[first:], 1)
    return _leases.enter_context(slot.leased())


_leases = ExitStack()
