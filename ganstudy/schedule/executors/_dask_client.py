"""Packs as futures of a Dask cluster, whoever has started it; records come back."""

from __future__ import annotations

import logging
import math
import os
import queue
import time
import uuid
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from importlib import metadata
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Future

from ganstudy import plugins
from ganstudy.engine.arithmetic import NotPortable
from ganstudy.schedule.clock import Begun, Clock
from ganstudy.schedule.executor import (
    Ended,
    Executor,
    ExecutorError,
    Task,
    environment,
    is_for_memory,
)
from ganstudy.schedule.executors._dask_ending import Condemned, LeftOut, ended_as, restart
from ganstudy.schedule.executors._dask_scheduler import (
    ANSWER_SECONDS,
    CONFIGURATION,
    GONE,
    joined,
    reached,
    silence,
)
from ganstudy.schedule.executors._dask_worker import (
    Orders,
    Said,
    WarmUp,
    stop,
    train,
)
from ganstudy.schedule.interruption import signals_held

__all__ = ["DaskClient"]

_REGISTRATIONS = 5
"""How often workers are asked to warm up before giving up."""

_log = logging.getLogger("ganstudy")


class DaskClient(Executor):
    """Native Dask futures, on the cluster that an executor names or makes.

    Workers need no disk in common with this process. Where they have one, packs in flight keep
    checkpoints in the run directory; where they have none, such a pack begins anew after a death.

    lasts  seconds after the beginning of their jobs in which workers leave, if they are in some
    """

    lasts = math.inf

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
        self._clocks: dict[str, Clock] = {}
        self._began: dict[str, Said] = {}  # of tasks that have not come to their own end
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
            self._orders = Orders(
                version=metadata.version("ganstudy"),
                program=self.program,
                owned=not isinstance(cluster, str),
                devices=",".join(self.devices),
                workers=self.workers,
                topic=f"ganstudy-{uuid.uuid4()}",
                lasts=self.lasts,
            )
            self._client = opening.enter_context(joined(cluster))
            self._condemned, self._left_out = Condemned(self._client), LeftOut(self._client)
            self._register()
            self._client.subscribe_topic(self._orders.topic, self._hear)
            self._open = opening.pop_all()

    def _register(self) -> None:
        """Have every worker warmed up, though one of them may die meanwhile."""
        for left in reversed(range(_REGISTRATIONS)):
            try:
                self._client.register_plugin(WarmUp(self._orders))
            except (ImportError, NotPortable, ExecutorError) as error:
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
            with reached():
                there = self._client.nthreads()
            # No time passes for what waits in the queue again, as for another job to begin.
            for key in [*self._clocks]:
                said = self._began.get(key)
                if said is None or said.address not in there:
                    self._clocks.pop(key, None)
            threads = sum(self._left_out.others(there).values())
            if not threads and self._threads:
                _log.warning("%s", self.lack())
            self._threads, self._counted = threads, time.monotonic()
            if self._condemned:
                with reached():
                    self._condemned.end()
        return max(0, self._threads - len(self._tasks) - len(self._condemned))

    def submit(self, task: Task) -> Hashable:
        """A future of its own, even for a pack that was submitted before."""
        with reached():
            asked = {"pure": False, **self._left_out.restriction()}
        future = self._client.submit(train, plugins.carried(task), self._orders, **asked)
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
                    own = ended_as(future, [*self._began.values()])
                    renewed = self._renew(future, own)
                    if own.how == "unable" or (own.is_for_worker and not renewed):
                        goes_on = self._left_out.leave_out(future, own.cause)
                        own = Ended("stopped") if goes_on else replace(own, how="unable")
                        self._counted = -math.inf
                    ended.append((str(future.key), own))
                    self._clocks.pop(str(future.key), None)
                    if own.how != "died":
                        self._began.pop(str(future.key), None)
                    # One whose worker has died with its records is being trained again already.
                    if future.status in ("lost", "pending"):
                        with suppress(ExecutorError), reached():
                            self._condemned.add([future])
        except queue.Empty:
            pass
        if self._client.status != "running":
            raise ExecutorError(GONE)
        return ended

    def _renew(self, future: Future[Any], ended: Ended) -> bool:
        """Whether a worker that is spoilt or short of memory is started anew, as one is that has a
        nanny and has nobody else at it."""
        if not (ended.spoilt or is_for_memory(ended)):
            return False
        with suppress(OSError, ValueError):
            held = self._client.who_has([future])
            workers = {worker for own in held.values() for worker in own}
            busy = self._client.processing()
            idle = [one for one in workers if not busy.get(one)]
            restart(self._client, idle)
            return bool(idle)
        return False

    def clock(self, handle: Hashable) -> Clock | None:
        """As its worker has said; a task that waits in a queue of the cluster has none."""
        return self._clocks.get(str(handle))

    def _hear(self, event: tuple[float, Sequence[Any]]) -> None:
        """Called by Dask, in a thread of its own, with what a worker says of a task."""
        self.heard(Said(*event[1]))

    def heard(self, said: Said) -> None:
        """Take note of what a worker has said; in Dask's thread."""
        before = self._began.get(said.key)
        if said.stepping and before is not None and before.worker != said.worker:
            return  # of one that is on its way out, and has a successor
        begun = Begun(said.stepping, said.earlier, said.share)
        self._began[said.key] = said
        self._clocks[said.key] = Clock.started(begun, self._clocks.get(said.key))

    def kill(self, handle: Hashable) -> str:
        """Where the task is; then it is cancelled, and its worker started anew by its nanny."""
        future = self._tasks.pop(str(handle))
        with reached():
            stack = self._client.call_stack([future])
            where = [line for keys in stack.values() for lines in keys.values() for line in lines]
            self._condemned.add([future])
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
                callback_timeout=ANSWER_SECONDS,
            )
            waiting = [key for key in self._tasks if key not in self._clocks]
            self._client.cancel([self._tasks[key] for key in waiting])
            self._tasks = {key: own for key, own in self._tasks.items() if key not in waiting}
            self._drained += [(key, Ended("stopped")) for key in waiting]

    def close(self) -> None:
        """Leave the cluster, without packs of ours under way, and end it if it was our own."""
        with self._open:
            # The workers of our own cluster are about to end anyway.
            if self._tasks and not self._orders.owned and self._client.status == "running":
                with suppress(OSError, ExecutorError):
                    self._condemned.add(list(self._tasks.values()))
            self._tasks.clear()
