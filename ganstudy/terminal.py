"""How the command line speaks: ends, and mistakes."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from contextvars import ContextVar
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TextIO

import click

from ganstudy.cause import harmless
from ganstudy.garbage import collect_seldom
from ganstudy.mistyped import meant
from ganstudy.plural import plural
from ganstudy.schedule.interruption import Interruption
from ganstudy.statuses import STATUSES

if TYPE_CHECKING:
    from ganstudy.progress import Progress

__all__ = [
    *("Outliving", "Verbs", "answer", "answering", "clear_errors", "duration", "print_ended"),
    *("run_summary", "say", "status_line", "unmeasured"),
]

_answers: ContextVar[TextIO | None] = ContextVar("_answers", default=None)
"""Where the answer of a verb goes that prints nothing else."""


def answering(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb that prints its `answer` alone where it is to be JSON, and all else to standard error:
    a plug-in may print whatever it is asked.
    """

    @wraps(verb)
    def told(*args: Any, as_json: bool, **asked: Any) -> None:
        if not as_json:
            verb(*args, as_json=False, **asked)
            return
        token = _answers.set(sys.stdout)
        try:
            with redirect_stdout(sys.stderr):
                verb(*args, as_json=True, **asked)
        finally:
            _answers.reset(token)

    return told


def answer(found: Any) -> None:
    """What a verb says in JSON: one object, or of `list` an array."""
    click.echo(json.dumps(found), file=_answers.get())


def print_ended(directory: Path, progress: Progress, as_json: bool) -> NoReturn:
    """Say how a run has ended, and exit as it deserves."""
    summary = run_summary(directory, progress)
    if as_json:
        answer(summary)
    else:
        click.echo(f"{status_line(summary['status'])}; {_trained_now(progress)}")
        for line in unmeasured(directory, progress.unmeasured):
            click.echo(line)
        click.echo(f"report: {summary['report']}")
    if progress.incomplete:
        say(progress.incomplete)
    sys.exit(1 if progress.done["failed"] or progress.incomplete else 0)


def run_summary(directory: Path, progress: Progress) -> dict[str, Any]:
    """How a run has ended, as plain values."""
    return {
        "run": str(directory),
        "report": str(directory / "report" / "index.html"),
        "status": dict(progress.done),
        "trained": progress.trained,
        "current": progress.current,
        "unmeasured": progress.unmeasured,
        "seconds": round(progress.seconds, 1),
    }


def _trained_now(progress: Progress) -> str:
    """What has been done of a run."""
    if progress.current:
        return "nothing has changed, so that its dataset and report are left as they are"
    return f"{progress.trained} trained now"


def unmeasured(directory: Path, trials: int) -> Iterator[str]:
    """What can be done for trials that lack a metric, in a line; nothing where there is none."""
    if trials:
        lack = f"{plural(trials, 'trial')} {'lacks' if trials == 1 else 'lack'} a metric"
        again = f"`ganstudy retry {quote(str(directory))} --metrics` trains and measures anew"
        yield f"{lack} that could not be measured; {again}"


class Outliving:
    """A stream whose reader may go away: what is done is done to its end, for nobody to read.

    gone  the errors that say so
    """

    gone: ClassVar[type[OSError]] = BrokenPipeError

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As long as there is a reader."""
        try:
            return self._stream.write(text)
        except self.gone:
            self.let_go()
            return len(text)

    def flush(self) -> None:
        """The same."""
        try:
            self._stream.flush()
        except self.gone:
            self.let_go()

    def let_go(self) -> None:
        """What it still holds, and what Python flushes at its end, goes nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Output(Outliving):
    """Standard output; what a terminal would obey is told by its code, as by `say`."""

    def write(self, text: str) -> int:
        """As long as there is a reader."""
        return super().write(harmless(text))


@contextmanager
def _output() -> Iterator[None]:
    """Standard output that outlives its reader, and stops for no sign: what its encoding lacks is
    printed by its code, as on standard error.
    """
    stream, output = sys.stdout, _Output(sys.stdout)
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
        sys.stdout = output
    try:
        yield
    except OSError:
        try:
            stream.flush()
        except OSError:  # Python would try again as it ends, and exit with 120
            output.let_go()
        raise
    finally:
        sys.stdout = stream


def say(text: str) -> None:
    """A line on standard error; that nobody is there to read it ends no run.

    What a terminal would obey is told by its code, whoever wrote it: a plug-in, or a file's name.
    """
    with suppress(OSError):
        click.echo(harmless(text), err=True)


class _Harmless(logging.Formatter):
    """A warning as `say` would say it."""

    def format(self, record: logging.LogRecord) -> str:
        """The message alone."""
        return harmless(super().format(record))


def status_line(done: Mapping[str, int]) -> str:
    """Numbers of trials by status, in a fixed order."""
    return ", ".join(f"{done[name]} {name}" for name in STATUSES if done.get(name)) or "no trials"


def duration(seconds: float) -> str:
    """Hours and minutes, minutes and seconds, or seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Verbs(click.Group):
    """A command line of verbs, of which none ends in a traceback for want of a file or of a disk.

    A reader that has gone is no mistake: the verb goes on to its end. Ctrl-C and SIGTERM end in a
    message and exit code 130, whatever is under way.
    """

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """What has been typed."""
        with _interruptible():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """The verb that is asked for."""
        with _interruptible():
            typed = list(ctx.args)  # which click takes from there
            try:
                return super().invoke(ctx)
            except click.NoSuchOption as error:
                raise meant(error, typed) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each verb with the whole of its first sentence, which click would cut at the margin."""
        rows = [
            (name, self.commands[name].get_short_help_str(1000)) for name in sorted(self.commands)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the verb that is asked for; the message is of a file where the system names one."""
        collect_seldom()
        try:
            Path.cwd()
        except FileNotFoundError:  # libraries of what is started end with worse
            say("the current folder is gone")
            sys.exit(2)
        try:
            with _output():
                return super().main(*args, **settings)
        except OSError as error:
            if error.errno is None:
                raise
            where = "" if error.filename is None else f"{error.filename}: "
            say(f"{where}{error.strerror}")
            sys.exit(2)


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        with Interruption():
            yield
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)


@contextmanager
def clear_errors(after_interruption: str = "nothing has changed") -> Iterator[None]:
    """Mistakes of the user, and of a plug-in's code, end in a message and exit code 2, never in a
    traceback.

    A report that lacks a section ends in a message and exit code 1.

    An interruption ends in a message that says what to do after it.
    """
    try:
        from ganstudy.plugins import PluginError
        from ganstudy.report import PageError
        from ganstudy.store import RunError
        from ganstudy.store.place import naming_plugins
        from ganstudy.study.document import StudyError

        handler = logging.StreamHandler()
        handler.setFormatter(_Harmless("%(message)s"))
        logging.basicConfig(handlers=[handler])
        try:
            with naming_plugins():
                yield
        except (StudyError, RunError, PluginError) as error:
            say(str(error))
            sys.exit(2)
        except PageError as error:
            say(str(error))
            sys.exit(1)
    except KeyboardInterrupt:
        say(f"interrupted; {after_interruption}")
        sys.exit(130)
