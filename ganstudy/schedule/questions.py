"""What a busy worker is asked by its parent: to stop at its next step, and where it is.

Signals ask it, which reach a process that hangs in C code as well. Windows has none that a process
outlives; there a thread of the worker reads the questions from a pipe.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Literal, TextIO

from ganstudy.engine.checkpoints import request_stop

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["Question", "answer", "ask", "by_signal"]

Question = Literal["stop", "where"]


def by_signal() -> bool:
    """Whether signals ask; a worker needs no pipe for questions then."""
    return hasattr(signal, "SIGUSR1")


def answer(stack: TextIO, questions: Connection | None) -> None:
    """In the worker: answer from now on, and let Ctrl-C be the parent's concern.

    stack      what `where` writes to; C code does, which needs no lock of a process that hangs
    questions  where they come from; None if from signals
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: request_stop())
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if questions is not None:
        threading.Thread(target=_read, args=(stack, questions), daemon=True).start()
    elif hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1, file=stack)


def ask(process: BaseProcess, questions: Connection | None, question: Question) -> None:
    """Ask a worker, unless there is nobody to answer."""
    if not process.is_alive():
        return
    if questions is not None:
        with suppress(OSError):
            questions.send(question)
    elif hasattr(signal, "SIGUSR1"):
        assert process.pid is not None
        os.kill(process.pid, signal.SIGTERM if question == "stop" else signal.SIGUSR1)


def _read(stack: TextIO, questions: Connection) -> None:
    with suppress(EOFError, OSError):
        while True:
            if questions.recv() == "stop":
                request_stop()
            else:
                faulthandler.dump_traceback(stack)
