"""Local workers: processes of this machine, one thread each, kept warm between packs."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Hashable
from contextlib import suppress
from multiprocessing.connection import wait

from ganstudy import plugins
from ganstudy.cause import telling
from ganstudy.schedule.clock import Begun, Clock
from ganstudy.schedule.devices import Slot, slots
from ganstudy.schedule.executor import (
    Ended,
    Executor,
    ExecutorError,
    Task,
    environment,
    is_for_memory,
)
from ganstudy.schedule.interruption import signals_held
from ganstudy.schedule.worker_process import taken

__all__ = ["LocalExecutor"]

STARTS = 10
"""How often in a row a worker may die before it is ready; some machines kill at random."""

STOPPED = 5.0
"""Seconds in which nobody listened that are no part of what a pack takes: this process has been
stopped with its workers, as by Ctrl-Z, or has waited for the end of one."""

_CACHE = "TORCHINDUCTOR_CACHE_DIR"

_log = logging.getLogger("ganstudy")


class LocalExecutor(Executor):
    """Processes on this machine, one for each slot of a device.

    Each has a pipe of its own, so that its death is nobody else's concern.
    """

    here = True

    def open(self) -> None:
        """Start a process for each slot."""
        self._empty = ""  # a folder, from when it is needed: a killed process would leave it
        self._workers: list[_Worker] = []
        try:
            with signals_held():
                for slot in slots(self.devices, self.workers):
                    self._workers.append(_Worker(slot, environment(self.program)))
        except BaseException:
            self.close()
            raise

    def room(self) -> int:
        """Workers that are ready and have nothing to do."""
        return sum(worker.idle for worker in self._workers)

    def submit(self, task: Task) -> Hashable:
        """Hand a task to a worker; one that has died is noticed by `wait`."""
        idle = [worker for worker in self._workers if worker.idle]
        worker = min(idle, key=lambda one: one.used is task.fresh)
        if task.fresh and worker.used:
            worker.restart()
        worker.give(task)
        return worker.task

    def wait(self, seconds: float) -> list[tuple[Hashable, Ended]]:
        """What workers have answered, and which have died."""
        ended: list[tuple[Hashable, Ended]] = []
        begun = time.monotonic()
        spoken = wait([worker.process.connection for worker in self._workers], seconds)
        self._nobody_listened(time.monotonic() - begun - seconds)
        for worker in [own for own in self._workers if own.process.connection in spoken]:
            try:
                answer: Ended | Begun | ExecutorError | None = worker.process.connection.recv()
            except (EOFError, OSError):
                begun = time.monotonic()
                answer = Ended("died", cause=f"its worker {worker.process.obituary()}", fresh=True)
                self._nobody_listened(time.monotonic() - begun)
            if isinstance(answer, ExecutorError):
                raise answer
            if isinstance(answer, Begun):
                worker.clock = Clock.started(answer, worker.clock)
            elif answer is None:
                worker.get_ready()
            else:
                said, answer = answer, self._without_cache(worker, answer)
                gone = answer is not said or answer.how == "died"
                task = worker.end(renewed=gone or answer.spoilt or is_for_memory(answer))
                if task is not None:
                    ended.append((task, answer))
        return ended

    def _nobody_listened(self, seconds: float) -> None:
        """Leave these seconds out of what packs take, if they are many."""
        if seconds > STOPPED:
            for worker in self._workers:
                worker.clock = worker.clock and worker.clock.later(seconds)

    def _without_cache(self, worker: _Worker, answer: Ended) -> Ended:
        """The answer, unless what lies in the compiler's cache may be at fault: then the pack is to
        be trained again by a worker with an empty one."""
        tried = self._empty and worker.environment.get(_CACHE) == self._empty
        if answer.how != "uncompiled" or tried:
            return answer
        self._empty = self._empty or tempfile.mkdtemp(prefix="ganstudy-")
        _log.warning("compiling into an empty cache, since: %s", telling(answer.cause))
        worker.environment = {**worker.environment, _CACHE: self._empty}
        return Ended("stopped")

    def clock(self, handle: Hashable) -> Clock | None:
        """As its worker has said."""
        return next(worker.clock for worker in self._workers if worker.task is handle)

    def kill(self, handle: Hashable) -> str:
        """Kill the worker of a task, after it has written where it is."""
        worker = next(worker for worker in self._workers if worker.task is handle)
        where = worker.process.where()
        worker.restart()
        return where

    def drain(self) -> None:
        """Ask busy workers to stop."""
        for worker in self._workers:
            if worker.task is not None:
                worker.process.ask("stop")

    def close(self) -> None:
        """Kill all workers and wait until they are gone."""
        for worker in self._workers:
            worker.process.kill()
        if self._empty:
            shutil.rmtree(self._empty, ignore_errors=True)


class _Worker:
    """A process and what it has been given.

    task    handle of what it was given
    used    whether it has been given anything
    """

    def __init__(self, slot: Slot, environment: dict[str, str]) -> None:
        self.slot = slot
        self.environment = environment
        self.starts = 0
        self._start()

    def _start(self) -> None:
        self.ready = self.used = False
        self.task: object | None = None
        self.clock: Clock | None = None
        self._held: bytes | None = None
        self.starts += 1
        # An interruption comes when there is a process that can be ended, or none.
        with signals_held():
            self.process = taken(self.environment)
        with suppress(OSError):  # of one that has died, which is noticed by who waits for it
            self.process.connection.send(self.slot)

    @property
    def idle(self) -> bool:
        return self.ready and self.task is None

    def give(self, task: Task) -> None:
        """Send a task, at once or when the process is ready for it."""
        self.task, self.used, self.clock = object(), True, None
        self._held = plugins.carried(task)
        if self.ready:
            self._send()

    def get_ready(self) -> None:
        """The process says that it can be given something."""
        self.ready, self.starts = True, 0
        if self._held is not None:
            self._send()

    def _send(self) -> None:
        held, self._held = self._held, None
        assert held is not None
        with suppress(OSError):
            self.process.connection.send_bytes(held)

    def end(self, renewed: bool) -> object | None:
        """The task that has ended; None if the process died before it was given it.

        renewed whether another process takes the place of the one that had it
        """
        task, held, self.task, self.clock = self.task, self._held, None, None
        if renewed:
            self.restart()
        if held is not None:
            self.task, self.used, self._held = task, True, held
            return None
        return task

    def restart(self) -> None:
        """A new process in place of the old one.

        Errors  `ExecutorError` if the last few died before they were ready.
        """
        if not self.ready and self.starts >= STARTS:
            raise ExecutorError(f"workers do not start; the last one {self.process.obituary()}")
        self.process.kill()
        self._start()
