"""Executors: where packs are trained. What each supplies, and what runs at its other end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ganstudy.cause import cause_of
from ganstudy.engine import arithmetic
from ganstudy.engine.checkpoints import Checkpoints, Stopped
from ganstudy.engine.session import Session

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ganstudy.family import Member
    from ganstudy.kinds import Pack
    from ganstudy.trial import ProgramName, Record

__all__ = ["Ended", "Executor", "ExecutorError", "Task", "attempt", "environment", "warm_up"]

_ENVIRONMENT = {
    # Two threads on two busy cores are slower than one.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc returns the memory of every large tensor to the system, and takes it again a moment
    # later, page fault by page fault; keeping it saves 10 to 25 % of a step.
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
}


def environment(program: ProgramName) -> dict[str, str]:
    """Variables of a worker's process, which act only if they are there when it starts."""
    return {**_ENVIRONMENT, **arithmetic.environment(program)}


class ExecutorError(Exception):
    """No pack can be trained: workers do not start, or cannot be reached any more."""


@dataclass(frozen=True)
class Task:
    """A pack and how it is trained; `memory_limit` is in gigabytes."""

    pack: Pack
    program: ProgramName
    beside: tuple[Member, ...]
    checkpoints: Checkpoints
    memory_limit: float | None


@dataclass(frozen=True)
class Ended:
    """How a task ended; `cause` says why, in its first line, and where."""

    how: Literal["trained", "raised", "died", "stopped"]
    records: Sequence[Record] = ()
    cause: str = ""


class Executor(ABC):
    """Workers that train packs, each one at a time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def room(self) -> int:
        """Tasks that can be handed out now and would begin at once."""

    @abstractmethod
    def submit(self, task: Task) -> Hashable:
        """Hand out a task; a handle of it."""

    @abstractmethod
    def wait(self, seconds: float) -> list[tuple[Hashable, Ended]]:
        """Tasks that have ended, after at most some seconds.

        Errors  `ExecutorError` if no worker will ever end one.
        """

    @abstractmethod
    def kill(self, handle: Hashable) -> str:
        """End a task that is under way, with its worker; where it was, as a traceback."""

    @abstractmethod
    def drain(self) -> None:
        """Ask the tasks that are under way to keep their state and stop."""

    @abstractmethod
    def close(self) -> None:
        """End all workers, whatever they do; after this there is no process left."""


def warm_up() -> None:
    """Import what takes seconds, before a worker is given a pack and its time begins to count."""
    import ganstudy.kinds.adversarial.training  # noqa: F401  # imported to be warm, not to be used


def attempt(task: Task, device: str) -> Ended:
    """Train a pack; runs in a worker. Whatever goes wrong is told, not raised."""
    try:
        import torch

        torch.set_num_threads(1)
        _limit_memory(task.memory_limit)
        kind = task.pack[0].configuration
        records = kind.train(
            task.pack, Session(device, task.program, task.beside, task.checkpoints)
        )
    except Stopped:
        return Ended("stopped")
    except BaseException as error:
        return Ended("raised", cause=cause_of(error))
    return Ended("trained", records)


def _limit_memory(gigabytes: float | None) -> None:
    """Bound what this process may allocate; beyond it allocations fail, as they should."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if gigabytes is None else int(gigabytes * 2**30)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
