"""Executors: where packs are trained. What each supplies, and what runs at its other end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ganstudy import plugins
from ganstudy.cause import cause_of, of_compiler, telling
from ganstudy.engine import arithmetic
from ganstudy.engine.checkpoints import Checkpoints, Stopped, when_stepping
from ganstudy.engine.session import Session
from ganstudy.family import Part
from ganstudy.interpreters import ON_ONE_CORE
from ganstudy.schedule import gpu, memory
from ganstudy.schedule.clock import Begun, Clock
from ganstudy.schedule.options import Options
from ganstudy.schedule.returned import records_of
from ganstudy.targets import ChangedDataError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ganstudy.family import Member
    from ganstudy.kinds import Pack
    from ganstudy.trial import ProgramName, Record

__all__ = [
    *("CompilerError", "Ended", "Executor", "ExecutorError", "Task"),
    *("attempt", "attempt_carried", "environment", "is_for_memory", "warm_up"),
]


def environment(program: ProgramName) -> dict[str, str]:
    """Variables of a worker's process, which act only if they are there when it starts."""
    return {**ON_ONE_CORE, **arithmetic.environment(program)}


class ExecutorError(Exception):
    """No pack can be trained: workers do not start, or cannot be reached any more."""


class CompilerError(ExecutorError):
    """No pack can be trained by the compiled program; no trial is to blame."""


@dataclass(frozen=True)
class Task:
    """A pack and how it is trained.

    memory_limit  GiB that its worker may take
    fresh         whether its worker must not have trained anything before
    """

    pack: Pack
    program: ProgramName
    beside: tuple[Member, ...]
    checkpoints: Checkpoints
    memory_limit: float | None
    fresh: bool = False


@dataclass(frozen=True)
class Ended:
    """How a task ended; `unable` if no worker could train anything: within its limit of memory,
    without the device, a plug-in or a library.

    cause   why, in its first line, and where; of one that has `stopped`, why its worker can train
            nothing any more, and empty where it was told to
    fresh   whether its worker had trained nothing before, and its device is not at fault
    spoilt  whether its worker is better made anew: it has kept memory, or its GPU fails
    """

    how: Literal["trained", "raised", "died", "late", "uncompiled", "unable", "stopped"]
    records: Sequence[Record] = ()
    cause: str = ""
    fresh: bool = False
    spoilt: bool = False

    @property
    def is_for_worker(self) -> bool:
        """Whether the task has not begun, since its worker cannot train any more."""
        return self.how == "stopped" and bool(self.cause)


def is_for_memory(ended: Ended) -> bool:
    """Whether a task has raised since it could not have the memory that it asked for."""
    line = telling(ended.cause).lower().replace("illegal memory access", "")  # a fault like others
    return ended.how == "raised" and any(x in line for x in ("memory", "alloc", "find an engine"))


class Executor(Part, ABC):
    """Workers that train packs, each one at a time.

    workers, devices  how many there are, and what they share
    program           what they will train by
    asks, options     the options that it takes, and their values
    here              whether all workers are on this machine, so that it shows in their pace, and
                      no more of them are started than the packs are worth

    Errors  `ExecutorError` if there will never be a worker.
    """

    asks: ClassVar[type[Options]] = Options
    here: ClassVar[bool] = False

    def __init__(
        self,
        workers: int,
        devices: Sequence[str] = ("cpu",),
        program: ProgramName = "eager",
        **options: Any,
    ) -> None:
        self.workers, self.devices, self.program = workers, tuple(devices), program
        self.options = self.asks(**options)
        self.open()

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
    def open(self) -> None:
        """Start the workers; whoever fails to leaves no process behind."""

    @abstractmethod
    def room(self) -> int:
        """Tasks that can be handed out now and would begin at once."""

    @abstractmethod
    def submit(self, task: Task) -> Hashable:
        """Hand out a task, to another process as `plugins.carried`; return its handle."""

    @abstractmethod
    def wait(self, seconds: float) -> list[tuple[Hashable, Ended]]:
        """Tasks that have ended, after at most some seconds.

        Errors  `ExecutorError` if no worker will ever end one.
        """

    @abstractmethod
    def clock(self, handle: Hashable) -> Clock | None:
        """Since when a task trains; None while it waits for its turn."""

    @abstractmethod
    def kill(self, handle: Hashable) -> str:
        """End a task that is under way, with its worker; where it was, as a traceback."""

    @abstractmethod
    def drain(self) -> None:
        """Ask the tasks that are under way to keep their state and stop, and those that were handed
        out and have not begun to end as `stopped`; no other follows, and it is asked once."""

    @abstractmethod
    def close(self) -> None:
        """End all workers, whatever they do; after this there is no process left."""


def warm_up() -> None:
    """Import what takes seconds, before a worker is given a pack and its time begins to count."""
    import ganstudy.kinds.adversarial.training  # noqa: F401  # imported to be warm, not to be used


def attempt_carried(content: bytes, device: str, say: Callable[[Begun], None]) -> Ended:
    """Train a pack whose task was `plugins.carried` to this worker; see `attempt`."""
    try:
        warm_up()
        task: Task = plugins.received(content)
    except (plugins.PluginError, ImportError, OSError) as error:  # no trial is at fault
        return Ended("unable", cause=f"a worker cannot load what it is to train: {error}")
    except Exception as error:  # what does not unpickle raises anything; the worker lives on
        return Ended("raised", cause=f"the pack cannot be sent to a worker: {error!r}")
    return attempt(task, device, say)


def attempt(task: Task, device: str, say: Callable[[Begun], None] = lambda begun: None) -> Ended:
    """Train a pack; runs in a worker. Whatever goes wrong is told, not raised.

    say  is told when the pack has begun, when it takes its first step, and how far it is
    """
    global _tasks
    _tasks, first = _tasks + 1, not _tasks
    if trouble := gpu.trouble(device):
        cause = f"{device} cannot be used: {trouble}"
        return Ended("unable" if first else "stopped", cause=cause, spoilt=not first)
    ended = _attempt(task, device, say)
    failing = ended.how == "raised" and bool(gpu.trouble(device))
    # Which of the two is at fault, the trial or the GPU, the next worker shows.
    return replace(ended, fresh=first and not failing, spoilt=failing or memory.has_grown())


_tasks = 0  # that this process has been given


def _attempt(task: Task, device: str, say: Callable[[Begun], None]) -> Ended:
    try:
        say(Begun(stepping=False))
        when_stepping(lambda earlier, share: say(Begun(True, earlier, share)))
        import torch

        torch.set_num_threads(1)
        memory.limit(task.memory_limit)
        records = _trained(task, Session(device, task.program, task.beside, task.checkpoints))
    except Stopped:
        return Ended("stopped")
    except (memory.TooSmall, arithmetic.NotPortable, ChangedDataError) as error:
        return Ended("unable", cause=str(error))
    except BaseException as error:
        cause = cause_of(error)
        if task.memory_limit is not None and memory.is_lacking(error):
            cause = f"engine.memory_limit: {task.memory_limit:g} GiB were not enough: {cause}"
        return Ended("uncompiled" if of_compiler(error) else "raised", cause=cause)
    return Ended("trained", records)


def _trained(task: Task, session: Session) -> list[Record]:
    """A kind may be a plug-in: what it leaves is held to what all others build on."""
    from ganstudy.engine.chance import Chance  # with torch

    with Chance(task.pack, session.device):
        return records_of(task.pack, task.pack[0].configuration.train(task.pack, session))
