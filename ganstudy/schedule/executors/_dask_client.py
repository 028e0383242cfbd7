"""Packs as futures of a Dask cluster, whoever has started it; records come back."""

from __future__ import annotations

import logging
import math
import os
import queue
import time
import uuid
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Client, Future, KilledWorker

from ganstudy import plugins
from ganstudy.cause import cause_of
from ganstudy.engine.arithmetic import NotPortable
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
from ganstudy.schedule.executors._dask_worker import Said, WarmUp, executing, stop, train
from ganstudy.schedule.interruption import signals_held

__all__ = ["CONFIGURATION", "DaskClient", "joined", "silence"]

CONFIGURATION = {
    # What is done after the death of a worker is for the loop to decide.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.comm.timeouts.connect": "10s",
}

_ANSWER_SECONDS = 5.0

_REGISTRATIONS = 5
"""How often workers are asked to warm up before giving up."""

_GONE = "the Dask scheduler is gone; run the same command to continue"

_log = logging.getLogger("ganstudy")


def silence() -> None:
    """Dask tells of every worker that comes and goes; what matters of that is told by the loop."""
    for name in ("distributed", "distributed.client"):  # which Dask gives a level of its own
        logging.getLogger(name).setLevel(logging.CRITICAL)


def joined(cluster: Any) -> Client:
    """A client of a cluster, or of the scheduler at an address.

    Errors  `ExecutorError` if there is none.
    """
    try:
        return Client(cluster, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutorError(f"no Dask scheduler at {cluster}: {error}") from None
    except Exception as error:  # whatever Dask makes of a server that is none
        message = f"what answers at {cluster} is no Dask scheduler, or of another version"
        raise ExecutorError(f"{message}: {error}") from None


class DaskClient(Executor):
    """Native Dask futures, on the cluster that an executor names or makes.

    Workers need no disk in common with this process. Where they have one, packs in flight keep
    checkpoints in the run directory; where they have none, such a pack begins anew after a death.
    """

    @abstractmethod
    def cluster(self, opening: ExitStack) -> Any:
        """The address of a scheduler, or a cluster of this executor's own, which `opening` ends."""

    def lack(self) -> str:
        """What is said when there is no worker."""
        return "the Dask cluster has no workers left; waiting for some"

    def open(self) -> None:
        """Make a cluster, or join the one that is there, and have its workers warmed up."""
        self._over: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._tasks: dict[str, Future[Any]] = {}
        self._drained: list[tuple[Hashable, Ended]] = []
        self._topic, self._clocks = f"ganstudy-{uuid.uuid4()}", dict[str, Clock]()
        self._began: dict[str, str] = {}  # the worker of a task that has not come to its own end
        self._condemned: dict[str, set[str]] = {}
        self._threads, self._counted = 1, -math.inf
        silence()
        # It starts a process, and unblocks signals when it does.
        if os.name == "posix":  # Python has none elsewhere
            resource_tracker.ensure_running()
        self._open = ExitStack()
        spawned = {"distributed.nanny.pre-spawn-environ": environment(self.program)}
        configuration = dask.config.set({**CONFIGURATION, **spawned})
        with self._open as opening, configuration, signals_held():
            cluster = self.cluster(opening)
            self._owned = not isinstance(cluster, str)
            self._client = opening.enter_context(joined(cluster))
            self._register()
            self._client.subscribe_topic(self._topic, self._hear)
            self._open = opening.pop_all()

    def _register(self) -> None:
        """Have every worker warmed up, though one of them may die meanwhile."""
        for left in reversed(range(_REGISTRATIONS)):
            try:
                self._client.register_plugin(WarmUp(self.program, self._owned))
            except (ImportError, NotPortable) as error:
                where = self._client.scheduler.address
                message = f"the workers of {where} cannot train: {error}"
                raise ExecutorError(message) from None
            except Exception as error:  # whatever Dask makes of a worker that is gone
                if not left:
                    raise ExecutorError(f"no Dask worker can be reached: {error!r}") from None
                time.sleep(1.0)
            else:
                return

    def room(self) -> int:
        """Threads of the cluster that train nothing; workers may come and go."""
        if time.monotonic() - self._counted > 1.0:
            with _reached():
                threads = sum(self._client.nthreads().values())
            if not threads and self._threads:
                _log.warning("%s", self.lack())
            self._threads, self._counted = threads, time.monotonic()
            if self._condemned:
                with _reached():
                    self._end_condemned()
        return max(0, self._threads - len(self._tasks) - len(self._condemned))

    def submit(self, task: Task) -> Hashable:
        """A future of its own, even for a pack that was submitted before."""
        topic, devices = self._topic, ",".join(self.devices)
        future = self._client.submit(train, plugins.carried(task), devices, topic, pure=False)
        self._tasks[str(future.key)] = future
        future.add_done_callback(self._over.put)
        return str(future.key)

    def wait(self, seconds: float) -> list[tuple[Hashable, Ended]]:
        """Futures that are done; one whose worker has died is done too."""
        ended, self._drained = self._drained, []
        try:
            while True:
                future = self._over.get(timeout=0 if ended else seconds)
                if self._tasks.pop(str(future.key), None) is not None:
                    ended.append((str(future.key), _ended(future, dict(self._began))))
                    self._clocks.pop(str(future.key), None)
                    if ended[-1][1].how != "died":
                        self._began.pop(str(future.key), None)
                    self._renew(future, ended[-1][1])
        except queue.Empty:
            pass
        if self._client.status != "running":
            raise ExecutorError(_GONE)
        return ended

    def _renew(self, future: Future[Any], ended: Ended) -> None:
        """Have a worker started anew in which memory was short, if nobody else is at it."""
        if not (ended.grown or is_for_memory(ended)):
            return
        with suppress(OSError, ValueError):
            held = self._client.who_has([future])
            workers = {worker for own in held.values() for worker in own}
            busy = self._client.processing()
            idle = [worker for worker in workers if not busy.get(worker)]
            self._client.restart_workers(idle, raise_for_error=False)

    def clock(self, handle: Hashable) -> Clock | None:
        """As its worker has said; a task that waits in a queue of the cluster has none."""
        return self._clocks.get(str(handle))

    def _hear(self, event: tuple[float, Sequence[Any]]) -> None:
        """Called by Dask, in a thread of its own, with what a worker says of a task."""
        self.heard(Said(*event[1]))

    def heard(self, said: Said) -> None:
        """Take note of what a worker has said; in Dask's thread."""
        begun = Begun(said.stepping, said.earlier, said.share)
        self._clocks[said.key] = Clock.started(begun, self._clocks.get(said.key))
        self._began[said.key] = said.worker

    def kill(self, handle: Hashable) -> str:
        """Where the task is; then it is cancelled, and its worker started anew by its nanny."""
        future = self._tasks.pop(str(handle))
        with _reached():
            stack = self._client.call_stack([future])
            where = [line for keys in stack.values() for lines in keys.values() for line in lines]
            self._abandon([future])
        return "\n".join([*where, ""])

    def drain(self) -> None:
        """What is in a queue of the cluster is cancelled, and workers stop our packs alone; on
        one of several threads, a pack of another client may stop as well and is begun again."""
        # A worker that hangs does not answer, and what has just died cannot.
        with suppress(OSError):
            # What begins before it is cancelled would train on, and keep others from a worker.
            self._client.sync(
                self._client.run,
                stop,
                set(self._tasks),
                nanny=False,
                on_error="ignore",
                callback_timeout=_ANSWER_SECONDS,
            )
            waiting = [key for key in self._tasks if key not in self._clocks]
            self._client.cancel([self._tasks[key] for key in waiting])
            self._tasks = {key: own for key, own in self._tasks.items() if key not in waiting}
            self._drained += [(key, Ended("stopped")) for key in waiting]

    def close(self) -> None:
        """Leave the cluster, without packs of ours under way, and end it if it was our own."""
        with self._open:
            # The workers of our own cluster are about to end anyway.
            if self._tasks and not self._owned and self._client.status == "running":
                with suppress(OSError, ExecutorError):
                    self._abandon(list(self._tasks.values()))
            self._tasks.clear()

    def _abandon(self, futures: list[Future[Any]]) -> None:
        """Cancel what waits; what has begun ends with its worker, which its nanny starts anew."""
        ours = {str(future.key) for future in futures}
        processing = self._client.processing()
        for worker, keys in processing.items():
            if own := ours & set(map(str, keys)):
                self._condemned.setdefault(worker, set()).update(own)
        self._client.cancel(futures, force=True)
        self._end_condemned()

    def _end_condemned(self) -> None:
        """End the workers that are held up by packs that were given up, and by those alone.

        On a worker with several threads, somebody else's pack may be under way beside it.
        """
        alone = [w for w, own in self._condemned.items() if not self._executing(w) - own]
        for worker in alone:
            del self._condemned[worker]
        try:
            self._client.restart_workers(alone, raise_for_error=False)
        except ValueError as error:
            message = f"a busy worker has no nanny to restart it ({error})"
            raise ExecutorError(message) from None

    def _executing(self, worker: str) -> set[str]:
        """Keys of the tasks under way on a worker; none if it does not answer."""
        asked = {"nanny": False, "on_error": "ignore", "callback_timeout": _ANSWER_SECONDS}
        with suppress(OSError):
            answers = self._client.sync(self._client.run, executing, workers=[worker], **asked)
            return set(answers.get(worker) or ())
        return set()


@contextmanager
def _reached() -> Iterator[None]:
    """What is asked of the scheduler is answered, or it is an `ExecutorError`."""
    try:
        yield
    except OSError as error:  # as which Dask knows connections that break, and its timeouts
        raise ExecutorError(f"{_GONE} ({error})") from None


def _ended(future: Future[Any], begun: Mapping[str, str]) -> Ended:
    """What became of a task, where the workers of tasks that have begun are known.

    Dask blames all tasks that a worker holds for its death. One that waits there behind another has
    not begun, and is to be handed out again as it is.
    """
    if future.status == "finished":
        ended: Ended = future.result()
        return ended
    if future.status != "error":
        return Ended("died", cause=f"Dask lost the pack ({future.status})")
    error = future.exception()
    if not isinstance(error, KilledWorker):
        return Ended("raised", cause=cause_of(error.with_traceback(future.traceback())))
    # Where none is known to have begun, the death came before word of it, and all are blamed: what
    # kills its worker at once must not be handed out for ever.
    last = error.last_worker.server_id
    if begun.get(str(future.key)) != last and last in begun.values():
        return Ended("stopped")
    return Ended("died", cause=f"its worker died: {error}")
