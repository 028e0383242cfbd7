"""What a busy worker is asked by its parent: to stop at its next step, and where it is.

Signals ask it, which reach a process that hangs in C code as well. Windows has none that a process
outlives; there a thread of the worker reads the questions from its standard input.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TextIO

from ganstudy.engine.checkpoints import request_stop

if TYPE_CHECKING:
    from subprocess import Popen

__all__ = ["Question", "answer", "ask", "by_signal"]

Question = Literal["stop", "where"]


def by_signal() -> bool:
    """Whether signals ask; a worker needs no input for questions then."""
    return hasattr(signal, "SIGUSR1")


def answer(stack: TextIO, by_signal: bool) -> None:
    """In the worker: answer from now on, and let Ctrl-C be the parent's concern.

    stack      what `where` writes to; C code does, which needs no lock of a process that hangs
    by_signal  whether signals ask; the standard input does if not
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: request_stop())
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if not by_signal:
        threading.Thread(target=_read, args=(stack,), daemon=True).start()
    elif hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1, file=stack)


def ask(process: Popen[bytes], question: Question) -> None:
    """Ask a worker that has not ended; by its input, if it has one from here."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.write(f"{question}\n".encode())
            process.stdin.flush()
    elif hasattr(signal, "SIGUSR1"):
        process.send_signal(signal.SIGTERM if question == "stop" else signal.SIGUSR1)


def _read(stack: TextIO) -> None:
    for question in sys.stdin:
        if question.strip() == "stop":
            request_stop()
        else:
            faulthandler.dump_traceback(stack)
