"""What is printed of a job: its plan, how far it is, and how it has ended."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ganstudy.plural import plural
from ganstudy.terminal import answer, duration, run_summary, say, status_line, unmeasured

if TYPE_CHECKING:
    from ganstudy.job.folder import Folder
    from ganstudy.job.page import JoinedPage
    from ganstudy.job.walk import RunEnded
    from ganstudy.schedule.where import Where

__all__ = ["print_job_ended", "print_job_plan", "print_job_status", "print_page"]


def print_job_plan(
    folder: Folder, where: Mapping[str, Where], as_json: bool, fresh: bool = False
) -> None:
    """Say what a job would train, study by study and in all; exit 2 if some would be refused.

    where  of each study, by its name
    """
    from ganstudy.store import RunError, lock
    from ganstudy.store.place import naming_plugins
    from ganstudy.summaries import GUESS, planned, print_planned

    folder.directory.check()
    plans, refused = {}, 0
    for name, study in folder.studies.items():
        try:
            with naming_plugins(), lock.refusing():
                plans[name] = planned(study, folder.directory.path / name, where[name], fresh)
        except RunError as error:
            refused = 2
            say(f"{name}: {error}")
    if as_json:
        answer({"studies": {name: plan.summary for name, plan in plans.items()}})
        sys.exit(refused)
    for name, plan in plans.items():
        click.echo(f"{name}:")
        print_planned(plan)
        click.echo()
    totals = Counter[str]()
    for plan in plans.values():
        totals.update({key: plan.summary[key] for key in ("trials", "recorded", "seconds")})
    studies, trials = plural(len(plans), "study"), plural(totals["trials"], "trial")
    most = "at most " * any(plan.outlook.search.open_ended for plan in plans.values())
    time = f"{most or 'about '}{duration(totals['seconds'])}"
    workers = max(own.workers for own in where.values())
    source = "" if all(plan.summary["measured"] for plan in plans.values()) else GUESS
    click.echo(
        f"{studies}, one after the other: {most}{trials}, {totals['recorded']:,} recorded; "
        f"{time} with {plural(workers, 'worker')}{source}"
    )
    sys.exit(refused)


def print_job_status(found: Mapping[str, Any], as_json: bool) -> None:
    """Say how far a job is: in all, which study is run, and the counts of each; exit 2 if that of
    one cannot be told.
    """
    lost = {name: own["error"] for name, own in found["studies"].items() if "error" in own}
    if as_json:
        answer(found)
    else:
        _say_status(found)
    for name, why in lost.items():
        say(f"{name}: {why}")
    if lost:
        sys.exit(2)


def _say_status(found: Mapping[str, Any]) -> None:
    click.echo(status_line(found["status"]))
    if found["running"] is None:
        click.echo("not running")
    else:
        left = found["seconds_left"]
        time = "" if left is None else f", about {duration(left)} of training left in all"
        click.echo(f"running {found['running']}{time}")
    for name, own in found["studies"].items():
        if "error" in own:
            continue
        click.echo(f"  {name}: {status_line(own['status'])}")
        for failure in own.get("failures", ()):
            click.echo(
                f"    failed {failure['trial']}: `ganstudy status {quote(own['run'])}` says why"
            )
        for line in unmeasured(Path(own["run"]), own.get("unmeasured", 0)):
            click.echo(f"    {line}")


def print_page(page: JoinedPage) -> None:
    """Say where the page over all studies is, or why there is none."""
    if page.path:
        click.echo(f"over all studies: {page.path}")
    if page.why:
        say(page.why)


def print_job_ended(
    folder: Folder, ended: Sequence[RunEnded], page: JoinedPage, as_json: bool
) -> NoReturn:
    """Say how each run of a job has ended, and exit as the worst of them would alone."""
    code, total = page.code, Counter[str]()
    rows: dict[str, dict[str, Any]] = {}
    for name, run, progress, why in ended:
        if progress is None:
            rows[name], code = {"run": str(run), "error": why}, 2
            continue
        rows[name] = run_summary(run, progress)
        total.update(progress.done)
        if progress.done["failed"] or progress.incomplete:
            code = max(code, 1)
    if as_json:
        whole = {"job": str(folder.directory.path), "status": dict(total), "studies": rows}
        answer({**whole, "report": page.path and str(page.path)})
    else:
        for name, row in rows.items():
            if "report" in row:
                trained = f"{row['trained']} trained now"
                click.echo(f"{name}: {status_line(row['status'])}; {trained}; {row['report']}")
        click.echo(f"in all: {status_line(total)}")
        print_page(page)
    for name, run, progress, why in ended:
        if why or (progress and progress.incomplete):
            say(f"{name}: {why or (progress and progress.incomplete)}")
        elif progress and progress.done["failed"]:
            own = quote(str(run))
            say(f"{name}: {progress.done['failed']} failed; `ganstudy status {own}` says why")
        for line in unmeasured(run, progress.unmeasured) if progress else ():
            say(f"{name}: {line}")
    sys.exit(code)
