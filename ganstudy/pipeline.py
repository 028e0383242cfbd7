"""The walk from a study file to its report. Read this first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ganstudy import report as reports
from ganstudy.engine.checkpoints import clear
from ganstudy.progress import Progress, heartbeat, recorded
from ganstudy.retraining import Retry, without_metric
from ganstudy.schedule.devices import CPU
from ganstudy.schedule.executors import executor_named
from ganstudy.schedule.loop import Resumed
from ganstudy.schedule.where import Where
from ganstudy.search import Search
from ganstudy.session import (
    Continuing,
    choose,
    engaged,
    open_executor,
    program,
    take_up,
    train_anyhow,
)
from ganstudy.store import RunDirectory, RunError, finished, gather
from ganstudy.store.place import naming_plugins
from ganstudy.study import Study

__all__ = ["check_reachable", "report", "run"]


@naming_plugins()
def run(
    study: Study,
    out: Path | str,
    *,
    workers: int,
    devices: Sequence[str] = (CPU,),
    executor: str = "local",
    options: Mapping[str, Any] = MappingProxyType({}),
    command: str = "",
    retry: Retry | None = None,
    observe: Callable[[Progress], None] = lambda progress: None,
    during: AbstractContextManager[None] | None = None,
) -> Progress:
    """Train what is missing of a study, gather the dataset and build the report.

    Of a finished run of which nothing has changed since, all of that is there, and is left alone.

    executor  a name of `ganstudy.schedule.executors`
    options   of that executor, such as `{"scheduler": "tcp://..."}` for `dask`
    retry     what is trained once more instead of what is missing
    observe   called several times a second while packs train, in this thread
    during    entered while packs train, such as what keeps the page current meanwhile

    Errors  `StudyError` for a study that cannot be run; `RunError` if the directory is in use or
            full, or holds something else, and for what a plug-in raises outside of its trials;
            `KeyboardInterrupt` once packs in flight are kept.
    """
    directory = RunDirectory(Path(out))
    where = Where(workers, tuple(devices), executor, options)
    search = where.search_of(study)
    with directory.locked():
        if retry is None and (known := finished.found(directory, study)):
            return Progress.of_finished(known)
        take_up(directory, search)
        first, left = choose(directory, search, workers, retry)
        chosen = program(directory, search, left, where)
        started = engaged(search, left, where)
        progress = Progress.of(search, left, started.workers, *chosen, once_more=retry is not None)
        if retry is None or study.document.overridden:
            directory.write_study(search)
        with heartbeat(directory, progress) as beat:
            if left:
                asked = Continuing(search, directory)
                source = Resumed(first, asked, search_on=retry is None)
                opened = partial(open_executor, started)
                with (
                    recorded(directory, study.name, progress, command, where, observe) as watching,
                    during or nullcontext(),
                ):
                    train_anyhow(directory, search, source, opened, progress, beat, watching)
            if study.space and retry is None and not search.counts()["missing"]:
                # Points of an earlier session may be in flight that were not chosen again.
                clear(directory.checkpoints)
            progress.unmeasured = len(without_metric(directory, search))
            beat("gathering")
            try:
                report(directory, search)
            except reports.PageError as error:
                progress.incomplete = str(error)
    return progress


def check_reachable(where: Where) -> None:
    """Refuse an executor whose workers cannot be reached, while nothing has been moved.

    Errors  `RunError`.
    """
    if why := executor_named(where.executor).asks(**where.options).why_unreachable(where.workers):
        raise RunError(f"{why}; nothing is set aside")


def report(directory: RunDirectory, search: Search) -> Path:
    """Gather the records and build the report from the dataset; the path of its page.

    Errors  `PageError` for a report that lacks a section.
    """
    with reports.Press() as press:
        dataset = gather(directory, search)
        search.write_files(directory.path)
        page = reports.build(dataset, directory.provenance(), directory.report, press=press)
    finished.note(directory, search, len(without_metric(directory, search)))
    return page
