"""The press: figures become files, in a second process while the first one makes the others."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ganstudy.garbage import collect_seldom
from ganstudy.system import cores

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from ganstudy.report.drawing import Drawing

__all__ = ["Press", "serve"]


class Press:
    """Prints drawings in the order in which it is given them, in a process beside this one.

    What that one has not begun when it is asked for, and what it cannot print, such as a figure
    that cannot be pickled, is printed by this one. The files are the same. There is no other
    process outside the context, nor with one core.
    """

    def __init__(self) -> None:
        self._there: subprocess.Popen[bytes] | None = None
        self._feeder = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        """Start the process; it imports Matplotlib meanwhile."""
        if cores() > 1:
            with suppress(OSError):  # where no process can be started, this one prints
                self._there = subprocess.Popen(
                    [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,  # what is wrong is said by this one, which prints
                    process_group=0,  # Ctrl-C is this process's business
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._there is None:
            return
        self._there.kill()
        self._feeder.shutdown(cancel_futures=True)
        with suppress(OSError), self._there:  # which closes its pipes, and waits
            pass

    def give(self, drawing: Drawing, folder: Path) -> Callable[[], None]:
        """Have a drawing printed; what is returned comes back once its files are there.

        Errors  of `Drawing.save`, by what is returned.
        """
        if self._there is None:
            return partial(drawing.save, folder)
        printed: Future[bool] = self._feeder.submit(self._printed_there, drawing, folder)

        def printed_somewhere() -> None:
            if printed.cancel() or not printed.result():
                drawing.save(folder)

        return printed_somewhere

    def _printed_there(self, drawing: Drawing, folder: Path) -> bool:
        """Whether the other process has printed it."""
        there = self._there
        if there is None or there.stdin is None or there.stdout is None:
            return False
        try:
            # As bytes within the stream, which goes on if the other process cannot make it out.
            order = pickle.dumps((drawing, folder))
        except Exception:  # whatever an artist of a plug-in raises; this process prints it, then
            return False
        try:
            pickle.dump(order, there.stdin)
            there.stdin.flush()
            return there.stdout.read(1) == _PRINTED
        except (OSError, ValueError):  # it has died, or is gone already
            return False


_PRINTED, _FAILED = b"\1", b"\0"


def serve() -> None:
    """Print what comes in for as long as somebody asks."""
    collect_seldom()
    from ganstudy.report.style import figure_style

    # What is drawn may be a plug-in's, which prints what it likes.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    with figure_style(), suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            order = pickle.load(sys.stdin.buffer)
            try:
                drawing, folder = pickle.loads(order)
                drawing.save(folder)
                answer = _PRINTED
            except Exception:  # who asks prints it, then, and says what is wrong
                answer = _FAILED
            answers.write(answer)
            answers.flush()
