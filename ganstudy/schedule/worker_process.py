"""The process of a local worker, seen from the one that starts it; perhaps ahead of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ganstudy.interpreters import found_in
from ganstudy.schedule import questions
from ganstudy.schedule.executor import environment
from ganstudy.schedule.interruption import signals_held
from ganstudy.schedule.memory import OVER_LIMIT, kills
from ganstudy.schedule.questions import Question

if TYPE_CHECKING:
    from typing import Self

__all__ = ["WorkerProcess", "begun_ahead", "taken"]

_STACK_SECONDS = 2.0
_END_SECONDS = 20.0  # a busy machine takes a while to free what the process had
_STANDARD_ERROR = 2

_BEGIN = "import sys; sys.path[:] = sys.argv[5:]; from ganstudy.schedule.worker import main; main()"


@dataclass(frozen=True)
class _Origin:
    """What a process is like when it starts: equal ones serve equally well."""

    python: str
    found_in: list[str]
    variables: dict[str, str]

    @classmethod
    def now(cls, variables: Mapping[str, str]) -> Self:
        """As this process would start one, with variables of its own."""
        return cls(sys.executable, found_in(), {**os.environ, **variables})


class WorkerProcess:
    """A clean interpreter that imports what training needs, and trains on the device it is told.

    It runs nothing of the user's script, and ends with the process that has started it.

    origin      what it was like at its start
    connection  to it, whose other end nobody else holds: its death, even while it sends its
                records, is an end of file and nobody else's concern. In goes a `Slot`, then tasks
                that are `carried`; out comes None when it is ready, or the `ExecutorError` for
                which it never is, then for each task what it has `Begun`, and its `Ended`
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Start it.

        Errors  `OSError` if no process can be started.
        """
        self._kills = kills()
        self.origin = _Origin.now(variables)
        by_signal = questions.by_signal()
        # Ctrl-C in a terminal, which reaches all of its processes, is not for this one.
        with signals_held(), ExitStack() as undone:
            self._stack = undone.enter_context(_Stack())
            self.connection, theirs = Pipe()
            undone.enter_context(self.connection)
            own = (theirs.fileno(), os.getpid(), self._stack.name, by_signal)
            with theirs:
                self._process = subprocess.Popen(
                    [self.origin.python, "-P", "-c", _BEGIN, *map(str, own), *self.origin.found_in],
                    env=self.origin.variables,
                    stdin=None if by_signal else subprocess.PIPE,
                    stdout=_STANDARD_ERROR,  # standard output is for answers
                    **_inheriting(theirs, self._stack),
                )
            undone.pop_all()

    def ask(self, question: Question) -> None:
        """Ask the process, unless there is nobody to answer."""
        if self._process.poll() is None:
            questions.ask(self._process, question)

    def where(self) -> str:
        """Where the process is, as a traceback; empty if it does not say."""
        self.ask("where")
        end = time.monotonic() + _STACK_SECONDS
        text = ""
        while time.monotonic() < end and not (text and text == self._stack.read()):
            text = self._stack.read()
            time.sleep(0.05)
        return text

    def obituary(self) -> str:
        """How the process ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        code = self._process.returncode
        if code is None:
            return "closed its pipe"
        if code >= 0:
            over = "; it had taken more than engine.memory_limit, shared memory included"
            return f"ended with exit code {code}{over if code == OVER_LIMIT else ''}"
        short = "; the kernel has killed a process for lack of memory meanwhile"
        name = signal.Signals(-code).name
        starved = name == "SIGKILL" and kills() > self._kills
        return f"was killed by {name}{short if starved else ''}"

    def kill(self) -> None:
        """End the process and all that it has started."""
        if self._process.poll() is None:
            try:
                process = psutil.Process(self._process.pid)
                family = [*process.children(recursive=True), process]
            except psutil.NoSuchProcess:
                family = []
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
        with suppress(OSError), self._process:  # which closes what it has of it, and waits
            pass
        self.connection.close()
        self._stack.close()


class _Stack:
    """A file in which a process writes where it is.

    name  what it opens: a number, since a file without a name stays nowhere when both processes are
          killed; a path on Windows, where every file has one
    """

    def __init__(self) -> None:
        self.number, path = tempfile.mkstemp(prefix="ganstudy-", suffix=".stack")
        self._path = Path(path)
        self.name = path
        if sys.platform != "win32":
            self._path.unlink()
            self.name = str(self.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> str:
        """What is written there; nothing where whoever tidies temporary folders has taken it."""
        with suppress(OSError):
            if sys.platform == "win32":
                return self._path.read_text(encoding="utf-8", errors="replace")
            return os.pread(self.number, 2**20, 0).decode(errors="replace")
        return ""

    def close(self) -> None:
        """However often it is called."""
        if self.number >= 0:
            os.close(self.number)
            self.number = -1
            self._path.unlink(missing_ok=True)


def _inheriting(connection: Connection, stack: _Stack) -> dict[str, Any]:
    """What `Popen` is told so that a process has an end of a pipe, and what it writes where it is
    to, by the numbers that they have."""
    number = connection.fileno()
    if sys.platform != "win32":
        return {"pass_fds": [number, stack.number]}
    os.set_handle_inheritable(number, True)
    startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [number]})
    return {"startupinfo": startup}


@contextmanager
def begun_ahead() -> Iterator[None]:
    """Begin a worker's process before it is known what it will train.

    It imports what training needs while the study is read and planned. A local executor that is
    opened within this context has it as a worker, if it starts them in the same way.
    """
    try:
        # An interruption comes when there is a process that can be ended, or none. What keeps one
        # from being started is told by whoever needs a worker.
        with suppress(OSError), signals_held():
            _ahead.append(WorkerProcess(environment("eager")))
        yield
    finally:
        while _ahead:
            _ahead.pop().kill()


def taken(variables: Mapping[str, str]) -> WorkerProcess:
    """A worker's process with these variables: the one that was begun ahead, or a new one."""
    wanted = _Origin.now(variables)
    for process in _ahead:
        if process.origin == wanted:
            _ahead.remove(process)
            return process
    return WorkerProcess(variables)


_ahead: list[WorkerProcess] = []
"""Processes that no executor has taken yet."""
