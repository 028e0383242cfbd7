"""How packs end that Dask has been given, and workers that they hold up."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from distributed import CancelledError, Client, Future, KilledWorker

from ganstudy.cause import cause_of, telling
from ganstudy.schedule.executor import Ended, ExecutorError
from ganstudy.schedule.executors._dask_scheduler import ANSWER_SECONDS
from ganstudy.schedule.executors._dask_worker import Said, executing
from ganstudy.schedule.memory import is_lacking

__all__ = ["Condemned", "LeftOut", "ended_as", "restart"]

_RESULT_SECONDS = 60.0
"""Within which records have come over the network, or their worker is as good as gone."""

_RETURN_SECONDS = 60.0
"""Within which workers that are started anew are there again."""

_log = logging.getLogger("ganstudy")


def ended_as(future: Future[Any], begun: Sequence[Said]) -> Ended:
    """What became of a task, where it is known what the workers of those that have begun have said.

    Dask blames all tasks that a worker holds for its death. One that waits there behind another has
    not begun, and is to be handed out again as it is; so is one whose records have gone.
    """
    if future.status == "finished":
        # What its worker takes with it is trained again elsewhere, which Dask would wait for.
        with suppress(OSError, CancelledError, KilledWorker):
            ended: Ended = future.result(timeout=_RESULT_SECONDS)
            return ended
        if future.status == "finished":  # its worker has them still: a smaller pack has fewer
            cause = f"its records did not come over the network within {_RESULT_SECONDS:.0f} s"
            return Ended("died", cause=cause)
    if future.status != "error":
        return Ended("stopped")
    error = future.exception()
    if not isinstance(error, KilledWorker):  # and none that `train` tells of a trial
        cause = cause_of(error.with_traceback(future.traceback()))
        if is_lacking(error):
            return Ended("raised", cause=cause)
        return Ended("unable", cause=f"a worker cannot train: {telling(cause)}")
    # Where none is known to have begun, the death came before word of it, and all are blamed: what
    # kills its worker at once must not be handed out for ever.
    last = error.last_worker.server_id
    held = [said.key for said in begun if said.worker == last]
    if held and str(future.key) not in held:
        return Ended("stopped")
    return Ended("died", cause=f"its worker died: {error}")


def restart(client: Client, workers: list[str]) -> None:
    """Have workers started anew by their nannies, those that are there.

    Errors  `OSError`; `ValueError` where one has no nanny.
    """
    with suppress(KeyError):  # as which Dask tells, in the end, of one that has gone
        client.restart_workers(workers, raise_for_error=False)


class Condemned:
    """Workers that are held up by packs that were given up, until they are started anew."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._packs: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._packs)

    def add(self, futures: Sequence[Future[Any]]) -> None:
        """Cancel what waits; what has begun ends with its worker, which its nanny starts anew.

        Errors  as of `end`.
        """
        ours = {str(future.key) for future in futures}
        for worker, keys in self._client.processing().items():
            if own := ours & set(map(str, keys)):
                self._packs.setdefault(worker, set()).update(own)
        self._client.cancel(futures, force=True)
        self.end()

    def end(self) -> None:
        """End those that are held up by nothing else.

        On a worker with several threads, somebody else's pack may be under way beside it.

        Errors  `OSError` where the scheduler is gone; `ExecutorError` where a worker has no nanny.
        """
        there = self._client.nthreads()
        self._packs = {worker: own for worker, own in self._packs.items() if worker in there}
        alone = [worker for worker, own in self._packs.items() if not self._executing(worker) - own]
        for worker in alone:
            del self._packs[worker]
        try:
            restart(self._client, alone)
        except ValueError as error:
            message = f"a busy worker has no nanny to restart it ({error})"
            raise ExecutorError(message) from None

    def _executing(self, worker: str) -> set[str]:
        """Keys of the tasks under way on a worker; none if it does not answer."""
        asked = {"nanny": False, "on_error": "ignore", "callback_timeout": ANSWER_SECONDS}
        with suppress(OSError):
            answers = self._client.sync(self._client.run, executing, workers=[worker], **asked)
            return set(answers.get(worker) or ())
        return set()


class LeftOut:
    """Workers that cannot train while others can: they are given no packs until they have gone, or
    nobody else has been there for a while; what they say then ends the run.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._workers: set[str] = set()
        self._alone_since = math.inf

    def others(self, there: Mapping[str, int]) -> dict[str, int]:
        """Of the workers that are there, with their threads, those that are not left out."""
        self._workers &= there.keys()
        rest = {worker: own for worker, own in there.items() if worker not in self._workers}
        if rest or not self._workers:
            self._alone_since = math.inf
            return rest
        now = time.monotonic()
        self._alone_since = min(self._alone_since, now)
        if now - self._alone_since < _RETURN_SECONDS:
            return {}
        self._workers.clear()
        return dict(there)

    def restriction(self) -> dict[str, Any]:
        """How Dask is told to give a pack to others; to any again, once these have gone."""
        if not self._workers:
            return {}
        return {"workers": [*self.others(self._client.nthreads())], "allow_other_workers": True}

    def leave_out(self, future: Future[Any], cause: str) -> bool:
        """Whether others go on without the worker that could not train a pack, from now on."""
        with suppress(OSError):
            held = {worker for own in self._client.who_has([future]).values() for worker in own}
            others = self.others(self._client.nthreads()).keys() - held
            new = held - self._workers
            if held and (others or not new):
                if new:
                    _log.warning("%s; others go on without it", cause)
                self._workers |= new
                return True
        return False
