"""Local workers: joblib's loky processes, one thread each, kept warm between packs."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import signal
import tempfile
import time
from collections.abc import Hashable
from contextlib import suppress
from multiprocessing import resource_tracker as python_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path

import psutil
from joblib.externals.loky.backend import resource_tracker
from joblib.externals.loky.backend.context import get_context

from ganstudy.cause import telling
from ganstudy.schedule import questions
from ganstudy.schedule.devices import Slot, slots
from ganstudy.schedule.executor import (
    Begun,
    Clock,
    Ended,
    Executor,
    ExecutorError,
    Task,
    environment,
    is_for_memory,
)
from ganstudy.schedule.interruption import signals_held
from ganstudy.schedule.memory import OVER_LIMIT, kills
from ganstudy.schedule.questions import Question
from ganstudy.schedule.worker import serve

__all__ = ["LocalExecutor"]

STARTS = 10
"""How often in a row a worker may die before it is ready; some machines kill at random."""

_STACK_SECONDS = 2.0

_CACHE = "TORCHINDUCTOR_CACHE_DIR"

_log = logging.getLogger("ganstudy")


class LocalExecutor(Executor):
    """Processes on this machine, one for each slot of a device.

    Each has a pipe of its own, whose other end nobody else holds: its death, even while it sends
    its records, is an end of file and nobody else's concern.
    """

    here = True

    def open(self) -> None:
        """Start a process for each slot."""
        self._folder = Path(tempfile.mkdtemp(prefix="ganstudy-"))
        # Both start a process with the first worker, and unblock signals when they do.
        resource_tracker.ensure_running()
        if os.name == "posix":  # Python has none elsewhere
            python_tracker.ensure_running()
        self._workers: list[_Worker] = []
        try:
            with signals_held():
                for number, slot in enumerate(slots(self.devices, self.workers)):
                    stack = self._folder / f"{number}.stack"
                    self._workers.append(_Worker(slot, stack, environment(self.program)))
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
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), seconds):
            worker = by_connection[connection]
            try:
                answer: Ended | Begun | None = worker.connection.recv()
            except (EOFError, OSError):
                answer = Ended("died", cause=f"its worker {worker.obituary()}", fresh=True)
            if isinstance(answer, Begun):
                worker.clock = Clock.started(answer, worker.clock)
            elif answer is None:
                worker.get_ready()
            else:
                said, answer = answer, self._without_cache(worker, answer)
                spoilt = answer is not said or answer.how == "died" or answer.grown
                task = worker.end(renewed=spoilt or is_for_memory(answer))
                if task is not None:
                    ended.append((task, answer))
        return ended

    def _without_cache(self, worker: _Worker, answer: Ended) -> Ended:
        """The answer, unless what lies in the compiler's cache may be at fault: then the pack is to
        be trained again by a worker with an empty one."""
        empty = str(self._folder / "compiled")
        if answer.how != "uncompiled" or worker.environment.get(_CACHE) == empty:
            return answer
        _log.warning("compiling into an empty cache, since: %s", telling(answer.cause))
        worker.environment = {**worker.environment, _CACHE: empty}
        return Ended("stopped")

    def clock(self, handle: Hashable) -> Clock | None:
        """As its worker has said."""
        return next(worker.clock for worker in self._workers if worker.task is handle)

    def kill(self, handle: Hashable) -> str:
        """Kill the worker of a task, after it has written where it is."""
        worker = next(worker for worker in self._workers if worker.task is handle)
        where = worker.where()
        worker.restart()
        return where

    def drain(self) -> None:
        """Ask busy workers to stop."""
        for worker in self._workers:
            if worker.task is not None:
                worker.ask("stop")

    def close(self) -> None:
        """Kill all workers and wait until they are gone."""
        for worker in self._workers:
            worker.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Worker:
    """A process and this end of its pipe; of another for questions, where signals ask none.

    task    handle of what it was given
    used    whether it has been given anything
    """

    def __init__(self, slot: Slot, stack: Path, environment: dict[str, str]) -> None:
        self.slot = slot
        self.environment = environment
        self.stack = stack
        self.starts = 0
        self._start()

    def _start(self) -> None:
        context = get_context("loky")
        self.ready = self.used = False
        self.task: object | None = None
        self.clock: Clock | None = None
        self._held: bytes | None = None
        self._kills = kills()
        self.starts += 1
        # An interruption comes when there is a process that can be ended, or none.
        with signals_held():
            self.connection, theirs = context.Pipe()
            asked: Connection | None = None
            self._questions: Connection | None = None
            if not questions.by_signal():
                asked, self._questions = context.Pipe(duplex=False)
            self.process = context.Process(
                target=serve,
                args=(theirs, asked, os.getpid(), self.stack, self.slot),
                env=self.environment,
            )
            self.process.start()
            for end in (theirs, asked):
                if end is not None:
                    end.close()

    @property
    def idle(self) -> bool:
        return self.ready and self.task is None

    def give(self, task: Task) -> None:
        """Send a task, at once or when the process is ready for it."""
        self.task, self.used, self.clock = object(), True, None
        self._held = pickle.dumps(task)
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
            self.connection.send_bytes(held)

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
            raise ExecutorError(f"workers do not start; the last one {self.obituary()}")
        self.kill()
        self._start()

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self.process.is_alive():
            try:
                process = psutil.Process(self.process.pid)
                family = [*process.children(recursive=True), process]
            except psutil.NoSuchProcess:
                family = []
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
        self.process.join()
        self.connection.close()
        if self._questions is not None:
            self._questions.close()

    def ask(self, question: Question) -> None:
        """Ask the process, unless there is nobody to answer."""
        questions.ask(self.process, self._questions, question)

    def obituary(self) -> str:
        """How the process ended."""
        self.process.join(_STACK_SECONDS)
        code = self.process.exitcode
        if code is None:
            return "closed its pipe"
        if code >= 0:
            over = "; it had taken more than engine.memory_limit, shared memory included"
            return f"ended with exit code {code}{over if code == OVER_LIMIT else ''}"
        short = "; the kernel has killed a process for lack of memory meanwhile"
        name = signal.Signals(-code).name
        starved = name == "SIGKILL" and kills() > self._kills
        return f"was killed by {name}{short if starved else ''}"

    def where(self) -> str:
        """Where the process is, as a traceback; empty if it does not say."""
        self.ask("where")
        end = time.monotonic() + _STACK_SECONDS
        text = ""
        while time.monotonic() < end and not (text and text == self._written()):
            text = self._written()
            time.sleep(0.05)
        return text

    def _written(self) -> str:
        return self.stack.read_text(encoding="utf-8", errors="replace")
