"""The far end of a local worker: a process that trains packs until its parent is gone."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import psutil

from ganstudy.garbage import uncollected
from ganstudy.schedule import questions
from ganstudy.schedule.executor import ExecutorError, attempt_carried, warm_up

if TYPE_CHECKING:
    from ganstudy.schedule.devices import Slot

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Import what training needs, lease a device, say so, and train what arrives.

    The command line names, as `WorkerProcess` has it, this end of its pipe, the process that has
    started this one, the file to which this one writes where it is when it is asked, or its number,
    and whether signals ask.
    """
    # What plug-ins print is seen at once: kept for later, it would be lost with the process.
    sys.stdout = sys.stderr
    handle, parent, stack, by_signal = sys.argv[1:5]
    die_with(int(parent))
    own = int(stack) if stack.isdigit() else os.open(stack, os.O_WRONLY)
    with os.fdopen(own, "w", encoding="utf-8") as file:
        questions.answer(file, by_signal == "True")
        with uncollected():
            warm_up()
        # Where the other end is gone, so is the parent, and nobody is left to be told.
        with suppress(EOFError, OSError), _connected(int(handle)) as connection:
            slot: Slot = connection.recv()
            try:
                with slot.leased() as device:
                    connection.send(None)
                    while True:
                        task = connection.recv_bytes()
                        connection.send(attempt_carried(task, device, connection.send))
            except ExecutorError as error:
                connection.send(error)


def _connected(handle: int) -> Connection:
    """An end of a pipe that this process was started with."""
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def die_with(parent: int) -> None:
    """End this process when its parent ends, however that ends.

    On Linux the kernel does it at once. Elsewhere, and for a parent that was gone before the kernel
    was asked, a thread looks every second: a parent that is gone is another one, or (Windows) none.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            itself = psutil.Process(parent)
            while os.getppid() == parent and itself.is_running():
                time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
