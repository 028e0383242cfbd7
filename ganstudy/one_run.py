"""What `run`, `retry` and `verify` do with one run: they train trials, and tell what came of it.

An executor may be a plug-in's, so that a study is read before it is asked where to train.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from ganstudy.asked import asked_study, command_line, execution, live_page
from ganstudy.display import display
from ganstudy.summaries import print_plan, print_verification
from ganstudy.terminal import print_ended

__all__ = ["retry", "run", "verify"]


def run(
    study: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    *,
    dry_run: bool,
    fresh: bool,
    live: bool,
    every: float,
    as_json: bool,
    **how: Any,
) -> None:
    """Run a study file, or continue the run that has it."""
    from ganstudy import pipeline
    from ganstudy.session import check_program
    from ganstudy.store import RunDirectory

    asked, directory = asked_study(study, overrides, out)
    where = execution([asked], **how)
    if dry_run:
        print_plan(asked, directory, where, as_json, fresh)
        return
    if fresh and directory.exists():
        earlier = RunDirectory(directory)
        check_program(asked, earlier, where)
        pipeline.check_reachable(where)
        click.echo(f"the earlier run is now {earlier.set_aside()}", err=True)
    with display(quiet=as_json) as observe:
        during = live_page(directory, every) if live else nullcontext()
        progress = pipeline.run(
            asked,
            directory,
            **vars(where),
            command=command_line(),
            observe=observe,
            during=during,
        )
    print_ended(directory, progress, as_json)


def retry(
    run: Path,
    overrides: tuple[str, ...],
    *,
    generators: bool,
    metrics: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Train the failed trials of a run again."""
    from ganstudy import pipeline
    from ganstudy.retraining import Retry
    from ganstudy.store import RunDirectory, RunError

    directory = RunDirectory.existing(run)
    directory.asked.warn_of_changes()
    asked = directory.read_study(overrides, run_plugins=True, to_train=True)
    directory.asked.check_overrides(asked)
    if generators and not any(point.keeps_generator for point in asked.points.values()):
        message = "its study keeps no generators; add trial.record.generator=true"
        raise RunError(f"{run}: {message}")
    where = execution([asked], **how)
    with display(quiet=as_json) as observe:
        progress = pipeline.run(
            asked,
            run,
            **vars(where),
            command=command_line(),
            retry=Retry(generators, metrics),
            observe=observe,
        )
    print_ended(run, progress, as_json)


def verify(run: Path, trials: int | None, *, as_json: bool, **how: Any) -> None:
    """Train some trials of a run again and compare every number that they stored."""
    from ganstudy.existing import reopen
    from ganstudy.verification import verified

    opened = reopen(run, run_plugins=True, to_train=True)
    found = verified(*opened, trials, execution([opened[1].study], **how))
    print_verification(found, as_json)
    if not found.sound:
        sys.exit(1)
