"""What a command line asks for: which study, where its trials are trained, and how it was typed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganstudy.cause import one_line
from ganstudy.executor_options import checked_options
from ganstudy.system import cores

if TYPE_CHECKING:
    from ganstudy.schedule.options import Options
    from ganstudy.schedule.where import Where
    from ganstudy.study import Study

__all__ = ["asked_study", "command_line", "execution", "live_page"]


def asked_study(study: Path, overrides: tuple[str, ...], out: Path | None) -> tuple[Study, Path]:
    """The study and its run directory; the study.yaml of a run continues that run."""
    from ganstudy.store import RunDirectory
    from ganstudy.store.place import is_run
    from ganstudy.study import load

    own = RunDirectory(study.parent)
    if study == own.study and is_run(own.path):
        return own.read_study(overrides, run_plugins=True, to_train=True), out or study.parent
    asked = load(study, overrides)
    return asked, out or Path("runs") / asked.name


def _devices(asked: str, options: Options, used: bool) -> tuple[str, ...]:
    """Device names; `auto` is every CUDA device, or the CPU where there is none or none is used."""
    from ganstudy.schedule.devices import CPU, named, named_elsewhere, unused

    if asked == "auto" and not used:
        return (CPU,)
    try:
        names = named_elsewhere(asked) if options.elsewhere else named(asked)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--devices") from None
    return names if used else unused(names)


def execution(
    studies: Iterable[Study], workers: int | None, devices: str, executor: str, **asked: Any
) -> Where:
    """Where to train some studies.

    asked  values of the executor's own options
    """
    from ganstudy.schedule.where import Where

    options = _executor_options(executor, asked)
    names = _devices(devices, options, any(study.uses_device for study in studies))
    return Where(_workers(workers, options, names), names, executor, options.model_dump())


def _workers(asked: int | None, options: Options, devices: Sequence[str]) -> int:
    workers = asked or options.default_workers
    if workers is None:
        workers = cores() if "cpu" in devices else len(devices)
    if why := options.why_not(workers):
        raise click.BadParameter(why, param_hint="--workers")
    return workers


def _executor_options(executor: str, asked: Mapping[str, Any]) -> Options:
    """An executor may be a plug-in's, so that its name is checked when the study has been read."""
    from ganstudy.nearest import nearest
    from ganstudy.schedule import executors

    known = executors.family
    if executor not in known.names:
        hint = f"no executor {executor!r}{nearest(executor, known.names)}"
        raise click.BadParameter(hint, param_hint="--executor")
    return checked_options(executors.executor_named(executor).asks, asked)


def live_page(directory: Path, every: float) -> AbstractContextManager[None]:
    """What keeps the page of a run current while it trains."""
    from ganstudy.live import alongside

    return alongside(directory, every)


def command_line() -> str:
    """What was typed, as provenance tells it; what cannot be printed by its code."""
    return one_line(shlex.join(["ganstudy", *sys.argv[1:]]))
