"""Interruptions: Ctrl-C, SIGTERM and a terminal that closes; once politely, twice at once."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Self

__all__ = ["Interruption", "signals_held"]

_SIGNALS = tuple(
    getattr(signal, name)
    # Windows has no SIGHUP, and sends SIGBREAK for Ctrl-Break.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)

_MOMENT = 0.01
"""Seconds in which Python is done with what it drops."""


class Interruption:
    """Within this context the first signal sets `asked`, if somebody minds it.

    Any other raises `KeyboardInterrupt`, as Ctrl-C does everywhere, and does so again where Python
    drops it: in a destructor, or at the end of an import. Whatever libraries make of it on its way,
    it leaves this context as what it is. Outside the main thread, where Python knows no signals,
    nothing is ever asked.

    last    whether the process ends with it: a signal that comes later only hastens the end, with
            the exit code that has been decided
    """

    def __init__(self, *, last: bool = False) -> None:
        self.asked = False
        self._last = last
        self._minded = False
        self._latest: signal.Signals | None = None
        """The signal that has raised, if one has."""
        self._earlier: dict[signal.Signals, object] = {}
        self._dropping = sys.unraisablehook
        self._drops = False
        """Whether Python is dropping one just now, and would drop the next with it."""

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # What is ignored when a command starts, as by nohup, it ignores to its end.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._earlier[number] = signal.signal(number, self._notice)
            if self._last:
                # Python forgets all handlers but this one before it has ended. What is registered
                # first is called last.
                atexit.register(_ignore, tuple(self._earlier))
            self._dropping, sys.unraisablehook = sys.unraisablehook, self._dropped
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._earlier.items():
            own = partial(_hasten, _exit_code(error)) if self._last else handler
            signal.signal(number, own)  # type: ignore[arg-type]  # what signal() returned
        self._earlier.clear()
        if sys.unraisablehook == self._dropped:
            sys.unraisablehook = self._dropping
        if self._latest is not None and isinstance(error, Exception):
            raise KeyboardInterrupt from error

    @contextmanager
    def minded(self) -> Iterator[None]:
        """For as long as somebody looks at `asked` again and again."""
        self._minded = True
        try:
            yield
        finally:
            self._minded = False

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self.asked or not self._minded:
            self._latest = signal.Signals(number)
            raise KeyboardInterrupt
        self.asked = True

    def _dropped(self, what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is KeyboardInterrupt and self._latest is not None:
            self._drops = True
            threading.Timer(_MOMENT, self._again, [self._latest]).start()
            self._drops = False
        else:
            self._dropping(what)

    def _again(self, number: signal.Signals) -> None:
        """As if the signal came to the main thread, once that drops it no longer."""
        while self._drops:
            time.sleep(_MOMENT)
        _interrupt_main(number)


def _exit_code(error: BaseException | None) -> int:
    """With which a process ends that this leaves."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 0 if error is None else 130 if isinstance(error, KeyboardInterrupt) else 1


def _hasten(code: int, number: int, frame: FrameType | None) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    os._exit(code)


def _ignore(signals: tuple[signal.Signals, ...]) -> None:
    for number in signals:
        signal.signal(number, signal.SIG_IGN)


def _interrupt_main(number: signal.Signals) -> None:
    """As if the signal had come to the main thread."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)  # which wakes it, too
    else:
        _thread.interrupt_main(number)


@contextmanager
def signals_held() -> Iterator[None]:
    """Processes and threads that start in this context never see these signals.

    A terminal sends Ctrl-C to all processes of a command; what workers do about it is decided by
    the one that started them. Signals that arrive meanwhile are delivered afterwards. Windows
    cannot hold any: a worker that Ctrl-C finds before it ignores it ends, and its pack is kept.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
