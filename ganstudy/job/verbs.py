"""What the verbs of the command line do where they are given a folder of studies, or its job."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ganstudy.asked import command_line, execution, live_page
from ganstudy.job.folder import Folder, is_job
from ganstudy.job.page import page_anew, page_where_due
from ganstudy.job.status import runs, status
from ganstudy.job.words import print_job_ended, print_job_plan, print_job_status, print_page
from ganstudy.plural import plural
from ganstudy.report import PageError
from ganstudy.store import RunError, lock
from ganstudy.store.job_directory import JobDirectory
from ganstudy.study.document import StudyError
from ganstudy.terminal import say

if TYPE_CHECKING:
    from ganstudy.progress import Progress
    from ganstudy.study import Study

__all__ = ["check", "is_job", "keep_current", "plan", "report", "run", "tell_status"]


def run(
    path: Path,
    overrides: Sequence[str],
    out: Path | None,
    *,
    dry_run: bool,
    fresh: bool,
    live: bool,
    every: float,
    as_json: bool,
    **asked: Any,
) -> None:
    """Run the studies of a folder, one after the other, each where it would be run alone."""
    from ganstudy.display import display
    from ganstudy.job.walk import walk

    folder = Folder.read(path, overrides, out)
    where = {name: execution([study], **asked) for name, study in folder.studies.items()}
    if dry_run:
        print_job_plan(folder, where, as_json, fresh)
        return
    names, command, ended = list(folder.studies), command_line(), []

    @contextmanager
    def observing(name: str) -> Iterator[Callable[[Progress], None]]:
        if not as_json:
            say(f"{name}, {names.index(name) + 1} of {plural(len(names), 'study')}")
        with display(quiet=as_json) as observe:
            yield observe

    def during(study: Study, run: Path) -> AbstractContextManager[None]:
        return live_page(run, every) if live else nullcontext()

    def moved(place: Path) -> None:
        say(f"the earlier run is now {place}")

    for own in walk(
        folder,
        where,
        command=command,
        observing=observing,
        during=during,
        fresh=fresh,
        moved=moved,
    ):
        ended.append(own)
        if own.progress and own.progress.current and not as_json:
            say(f"{own.study} has ended before, and nothing has changed; left as it is")
    told = page_where_due(folder.directory, ended, command)
    print_job_ended(folder, ended, told, as_json)


def check(path: Path, overrides: Sequence[str]) -> None:
    """Validate every study of a folder."""
    from ganstudy.summaries import print_checked

    for study in Folder.read(path, overrides).studies.values():
        print_checked(study.document.path, study)


def plan(
    path: Path, overrides: Sequence[str], out: Path | None, workers: int, as_json: bool
) -> None:
    """Show trials, packs and estimated time of every study of a folder."""
    from ganstudy.schedule.where import Where

    folder = Folder.read(path, overrides, out)
    print_job_plan(folder, dict.fromkeys(folder.studies, Where(workers)), as_json)


def tell_status(path: Path, run_plugins: bool, as_json: bool) -> None:
    """Say how far a job is."""
    print_job_status(status(path, run_plugins=run_plugins), as_json)


def report(path: Path, run_plugins: bool) -> NoReturn:
    """Build the reports of a job's runs anew, and the page over all of them.

    One that cannot be built keeps none of the others from it.
    """
    from ganstudy import existing

    code = 0
    there = runs(path)
    for own in there:
        try:
            with lock.refusing():
                click.echo(f"report: {existing.report_anew(own, run_plugins=run_plugins)}")
        except (RunError, StudyError) as error:
            code = 2
            say(str(error))
        except PageError as error:
            code = max(code, 1)
            say(str(error))
    told = page_anew(path, there, command_line())
    print_page(told)
    sys.exit(max(code, told.code))


def keep_current(path: Path, every: float, *, run_plugins: bool) -> None:
    """Keep the page of the study that is run now current, and of those that follow it.

    Errors  `RunError` where nobody runs the folder.
    """
    from ganstudy import live

    job = JobDirectory(path)
    if job.running() is None:
        raise RunError(
            f"{path}: nobody runs this folder; `ganstudy report {quote(str(path))}` is enough"
        )
    while (name := job.running()) is not None:
        if live.trains(path / name):
            say(f"keeping {path / name / 'report' / 'index.html'} current")
            live.keep_current(path / name, every, run_plugins=run_plugins)
        time.sleep(0.5)
