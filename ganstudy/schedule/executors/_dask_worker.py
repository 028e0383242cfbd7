"""What runs in a Dask worker: it is warmed up, and trains a pack on the device that it leases."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

from distributed import WorkerPlugin, get_worker

from ganstudy.engine.arithmetic import check
from ganstudy.engine.checkpoints import Stopped, request_stop
from ganstudy.schedule.clock import Begun
from ganstudy.schedule.devices import CPU, Slot, named, slots
from ganstudy.schedule.executor import Ended, ExecutorError, attempt_carried, warm_up

if TYPE_CHECKING:
    from ganstudy.trial import ProgramName

__all__ = ["BEGUN", "Orders", "Said", "WarmUp", "executing", "stop", "train"]

BEGUN = "GANSTUDY_JOB_BEGUN"
"""Variable of an environment in which a worker's job has begun: when, in seconds since 1970."""


@dataclass(frozen=True)
class Orders:
    """What a client wants of every worker.

    version     of its own package
    owned       whether the cluster is of the executor's own: standard output is for answers of who
                has started it, and what trials print goes to standard error
    devices     what a machine's workers share, and how many of them do
    topic       under which is said what becomes of its packs
    lasts       seconds after the beginning of its job in which a worker leaves, if it is in one
    """

    version: str
    program: ProgramName
    owned: bool
    devices: str
    workers: int
    topic: str
    lasts: float = math.inf


class Said(NamedTuple):
    """What a worker, by its name in this life and at its address, says of a task: its `Begun`, and
    how old its own job is, if it has one."""

    key: str
    worker: str
    address: str
    stepping: bool
    earlier: float
    share: float
    age: float


class WarmUp(WorkerPlugin):
    """Done by every worker of the cluster before its first task, including workers to come."""

    name = "ganstudy"

    def __init__(self, orders: Orders) -> None:
        self.orders = orders

    def setup(self, worker: Any) -> None:
        """Called by Dask, which only logs what is raised in a worker to come.

        Errors  `NotPortable` where the cluster's workers were not started for the program;
                `ExecutorError` where they have another version of the package.
        """
        if self.orders.owned:
            os.dup2(2, 1)
        # And not from the start of this process, which may be its job's second or third one.
        left = self.orders.lasts - _age_of_job()
        if math.isfinite(left):
            leave = functools.partial(worker.close_gracefully, reason="its job is nearly over")
            worker.loop.call_later(max(0.0, left), leave)
        _agree(self.orders.version)
        warm_up()
        check(self.orders.program, CPU)


def executing(dask_worker: Any) -> list[str]:
    """Keys of the tasks that a worker has begun."""
    return [str(task.key) for task in dask_worker.state.executing]


def stop(keys: Set[str]) -> None:
    """Have these tasks stop at a step of theirs soon, and those that are still on their way here
    at their first one."""
    _stopping.update(keys)


_stopping = set[str]()


def train(content: bytes, orders: Orders) -> Ended:
    """How the training of a pack, which was carried here, ended; Dask is told when it began."""
    worker = get_worker()

    def say(begun: Begun) -> None:
        # Of this thread: where a process trains several packs, all of them tell the last one's.
        key = str(worker.get_current_task())
        told = begun.stepping, begun.earlier, begun.share
        said = Said(key, worker.id, worker.address, *told, _age_of_job())
        worker.log_event(orders.topic, said)
        # Only now, since the flag is the process's: the next pack may be another client's.
        if begun.stepping and key in _stopping:
            request_stop()

    def heed() -> None:
        if str(worker.get_current_task()) in _stopping:
            raise Stopped

    try:
        _agree(orders.version)
        own = _slots(orders.devices, orders.workers)
        # A device that this process knows has its kernels.
        first, *others = sorted(own, key=lambda slot: slot.device not in _used)
        with first.leased(*others, meanwhile=heed) as device:
            ended = attempt_carried(content, device, say)
            _give_back(device)
    except Stopped:
        return Ended("stopped")
    except (ExecutorError, ValueError) as error:  # no trial is at fault
        ended = Ended("unable", cause=str(error))
    if ended.how == "unable" or ended.is_for_worker:
        return replace(ended, cause=f"the worker at {worker.address}: {ended.cause}")
    return ended


_used = set[str]()
"""Devices that this process has had."""


@functools.cache
def _slots(devices: str, workers: int) -> list[Slot]:
    """What the workers of this machine share.

    Errors  `ValueError` for devices that are not there.
    """
    return slots(named(devices), workers)


def _give_back(device: str) -> None:
    """Keep no memory of a device that another worker is to have."""
    _used.add(device)
    if device != CPU:
        import torch

        with suppress(RuntimeError):  # of a GPU that is lost, as how the pack has ended says
            torch.cuda.empty_cache()


def _age_of_job() -> float:
    """Seconds since this process's job has begun; not a number if it is in none."""
    return time.time() - float(os.environ.get(BEGUN, "nan"))


def _agree(version: str) -> None:
    """Refuse the orders of a client of another version.

    Errors  `ExecutorError`.
    """
    if (own := metadata.version("ganstudy")) != version:
        raise ExecutorError(f"ganstudy {own} is installed there, and {version} here")
