"""What the verbs of the command line do where they are given a folder of studies, or its job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganstudy.arguments import command_line, execution, live_page, planned_workers
from ganstudy.job.folder import Folder
from ganstudy.job.status import runs, status
from ganstudy.job.words import print_job_ended, print_job_plan, print_job_status
from ganstudy.store.job_directory import JobDirectory
from ganstudy.terminal import say

if TYPE_CHECKING:
    from ganstudy.progress import Progress
    from ganstudy.study import Study

__all__ = ["check", "is_job", "plan", "report", "run", "tell_status"]


def is_job(path: Path) -> bool:
    """Whether a path is that of a job, the runs of a folder."""
    return JobDirectory(path).exists


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
    **where: Any,
) -> None:
    """Run the studies of a folder, one after the other."""
    from ganstudy.display import display
    from ganstudy.job.walk import walk

    folder = Folder.read(path, overrides, out)
    if dry_run:
        print_job_plan(folder, planned_workers(**where), as_json)
        return
    names, how = list(folder.studies), {**execution(**where), "command": command_line()}

    @contextmanager
    def observing(name: str) -> Iterator[Callable[[Progress], None]]:
        if not as_json:
            say(f"{name}, {names.index(name) + 1} of {len(names)} studies")
        with display(quiet=as_json) as observe:
            yield observe

    def during(study: Study, run: Path) -> AbstractContextManager[None]:
        return live_page(run, every, study) if live else nullcontext()

    ended = list(walk(folder, observing=observing, during=during, fresh=fresh, **how))
    print_job_ended(folder, ended, as_json)


def check(path: Path, overrides: Sequence[str]) -> None:
    """Validate every study of a folder."""
    from ganstudy.summaries import print_checked

    for study in Folder.read(path, overrides).studies.values():
        print_checked(study.document.path, study)


def plan(
    path: Path, overrides: Sequence[str], out: Path | None, workers: int, as_json: bool
) -> None:
    """Show trials, packs and estimated time of every study of a folder."""
    print_job_plan(Folder.read(path, overrides, out), workers, as_json)


def tell_status(path: Path, plugins: bool, as_json: bool) -> None:
    """Say how far a job is."""
    print_job_status(status(path, run_plugins=plugins), as_json)


def report(path: Path, plugins: bool) -> None:
    """Build the reports of a job's runs anew."""
    from ganstudy import existing

    for own in runs(path):
        click.echo(f"report: {existing.report_anew(own, run_plugins=plugins)}")
