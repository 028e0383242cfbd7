"""The command line: verbs only; what they do lives behind the pipeline."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ganstudy.pipeline import ExecutorName
    from ganstudy.study import Study

from ganstudy.plugins import FAMILIES
from ganstudy.plugins import family as family_of
from ganstudy.terminal import (
    describe,
    display,
    duration,
    print_checked,
    print_ended,
    print_plan,
    say,
    status_line,
)

study_argument = click.argument("study", type=click.Path(path_type=Path))
overrides_argument = click.argument("overrides", nargs=-1, metavar="[key=value ...]")
run_argument = click.argument("run", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=lambda: _cores(),
    show_default="number of cores",
    help="Worker processes, one thread each.",
)


def _execution_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Where and how trials are trained, for the verbs that train some."""
    for option in (
        json_option,
        click.option(
            "--scheduler",
            metavar="tcp://...",
            help="Dask's scheduler; default: a cluster of its own.",
        ),
        click.option(
            "--executor",
            type=click.Choice(["local", "dask"]),
            default="local",
            show_default=True,
            help="Processes of this machine, or a Dask cluster.",
        ),
        click.option(
            "--devices", default="auto", show_default=True, help="auto, cpu, or cuda:0,cuda:1,..."
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            show_default="number of cores; with GPUs one for each",
            help="Worker processes, one thread each, dealt out over the devices.",
        ),
    ):
        verb = option(verb)
    return verb


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ganstudy")
def main() -> None:
    """Which GAN objective, and why? Run studies of adversarial objectives."""


@main.command()
@study_argument
@overrides_argument
@click.option("--out", type=click.Path(path_type=Path), help="Run directory [runs/<study>].")
@_execution_options
@click.option("--dry-run", is_flag=True, help="Print the plan and train nothing.")
@click.option("--fresh", is_flag=True, help="Set an existing run aside and start anew.")
def run(
    study: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    workers: int | None,
    devices: str,
    executor: ExecutorName,
    scheduler: str | None,
    dry_run: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Run a study: train what is missing, gather the dataset, build the report."""
    # With --fresh the same command would begin once more.
    with _clear_errors("run the same command to continue" + ", without --fresh" * fresh):
        from ganstudy import pipeline
        from ganstudy.store import RunDirectory

        asked, directory = _asked(study, overrides, out)
        if dry_run:
            print_plan(asked, directory, workers or _cores(), as_json)
            return
        how = _execution(workers, devices, executor, scheduler)
        if fresh and directory.exists():
            click.echo(f"the earlier run is now {RunDirectory(directory).set_aside()}", err=True)
        with display(quiet=as_json) as observe:
            progress = pipeline.run(asked, directory, **how, observe=observe)
        print_ended(directory, progress, as_json)


@main.command()
@click.argument("study", type=click.Path(path_type=Path), required=False)
@overrides_argument
@click.option(
    "--plugin",
    type=click.Path(path_type=Path),
    help="Run the conformance suites on the member that this file defines.",
)
def check(study: Path | None, overrides: tuple[str, ...], plugin: Path | None) -> None:
    """Validate a study file, or a plug-in."""
    if (study is None) == (plugin is None):
        raise click.UsageError("name a study, or a plug-in with --plugin")
    with _clear_errors():
        if plugin is not None:
            from ganstudy.plugins.conformance import check as check_plugin

            sys.exit(1 if check_plugin(plugin) else 0)
        assert study is not None
        from ganstudy.study import load

        print_checked(study, load(study, overrides))


@main.command()
@study_argument
@overrides_argument
@click.option("--out", type=click.Path(path_type=Path), help="Run directory [runs/<study>].")
@workers_option
@json_option
def plan(
    study: Path, overrides: tuple[str, ...], out: Path | None, workers: int, as_json: bool
) -> None:
    """Show trials, packs and estimated time."""
    with _clear_errors():
        print_plan(*_asked(study, overrides, out), workers, as_json)


@main.command()
@run_argument
@json_option
def status(run: Path, as_json: bool) -> None:
    """Say how far a run is, while it runs too: counts, rate, time left, failures, the slowest."""
    with _clear_errors():
        from ganstudy import pipeline
        from ganstudy.cause import telling

        found = pipeline.status(run)
        if as_json:
            click.echo(json.dumps(found))
            return
        click.echo(status_line(found["status"]))
        for sentence in found["search"]:
            click.echo(sentence)
        now = found["running"]
        if now is None:
            click.echo("not running")
        else:
            rate, left = now["trial_steps"] / now["seconds"], now["seconds_left"]
            pace = f", {rate:,.0f} trial-steps/s" if now["trial_steps"] else ""
            if now["doing"] != "training":
                pace += f", {now['doing']}"
            elif left is not None:
                pace += f", {duration(left)} left"
            click.echo(f"running for {duration(now['seconds'])}{pace}")
            for pack in now["packs"]:
                click.echo(f"  {pack['trials']} trials for {duration(pack['seconds'])}")
        if found["slowest"]:
            seconds = found["slowest"]["seconds"]
            click.echo(f"slowest trial: {found['slowest']['trial']}, {seconds:.1f} s")
        for failure in found["failures"]:
            why = telling(failure["cause"])
            click.echo(f"failed {failure['trial']} (seed {failure['seed']}): {why}")


@main.command()
@run_argument
def report(run: Path) -> None:
    """Gather the records and build the report anew."""
    with _clear_errors("run the same command to continue"):
        from ganstudy import pipeline

        click.echo(f"report: {pipeline.report_anew(run)}")


@main.command()
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN RUN ...")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the report goes [runs/compare-<runs>]."
)
def compare(runs: tuple[Path, ...], out: Path | None) -> None:
    """Build one report over several runs, whose arms it compares."""
    with _clear_errors("run the same command to continue"):
        from ganstudy import pipeline

        page = pipeline.compare(runs, out, shlex.join(["ganstudy", *sys.argv[1:]]))
        click.echo(f"report: {page}")


@main.command()
@run_argument
@overrides_argument
@_execution_options
def retry(
    run: Path,
    overrides: tuple[str, ...],
    workers: int | None,
    devices: str,
    executor: ExecutorName,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Train the failed trials of a run again, and only those."""
    with _clear_errors("run the same command to continue"):
        from ganstudy import pipeline
        from ganstudy.store import RunDirectory

        directory = RunDirectory.existing(run)
        directory.warn_of_changes()
        asked = directory.read_study(overrides)
        how = _execution(workers, devices, executor, scheduler)
        with display(quiet=as_json) as observe:
            progress = pipeline.run(asked, run, **how, only_failed=True, observe=observe)
        print_ended(run, progress, as_json)


@main.command(name="list")
@click.argument("family", type=click.Choice(FAMILIES))
@json_option
def list_family(family: str, as_json: bool) -> None:
    """List the members of a family with their parameters and sources."""
    members = [describe(member) for member in family_of(family)]
    if as_json:
        click.echo(json.dumps(members))
        return
    for member in members:
        click.echo(f"{member['name']}: {member['summary']}")
        for key, about in member["parameters"].items():
            click.echo(f"    {key} = {about['default']}  ({about['description']})")
        if member["source"]:
            click.echo(f"    source: {member['source']}")


@main.command()
def schema() -> None:
    """Print the JSON Schema of study files."""
    from ganstudy.study import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


# --- how verbs speak ------------------------------------------------------------------------------


@contextmanager
def _clear_errors(after_interruption: str = "nothing has changed") -> Iterator[None]:
    """Mistakes of the user end in a message and exit code 2, never in a traceback.

    Ctrl-C and SIGTERM end in a message and exit code 130, whatever is under way.
    """
    from ganstudy.schedule.interruption import Interruption

    try:
        with Interruption():
            from ganstudy.plugins import PluginError
            from ganstudy.store import RunError
            from ganstudy.study.document import StudyError

            logging.basicConfig(format="%(message)s")
            try:
                yield
            except (StudyError, RunError, PluginError) as error:
                say(str(error))
                sys.exit(2)
    except KeyboardInterrupt:
        say(f"interrupted; {after_interruption}")
        sys.exit(130)


def _asked(study: Path, overrides: tuple[str, ...], out: Path | None) -> tuple[Study, Path]:
    """The study and its run directory; the study.yaml of a run continues that run."""
    from ganstudy.store import RunDirectory
    from ganstudy.study import load

    own = RunDirectory(study.parent)
    if study == own.study and own.records.is_dir():
        return own.read_study(overrides), out or study.parent
    asked = load(study, overrides)
    return asked, out or Path("runs") / asked.name


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _devices(asked: str) -> tuple[str, ...]:
    """Device names; `auto` is every CUDA device, or the CPU where there is none."""
    from ganstudy.schedule.devices import named

    try:
        return named(asked)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--devices") from None


def _execution(
    workers: int | None, devices: str, executor: ExecutorName, scheduler: str | None
) -> dict[str, Any]:
    """What `pipeline.run` is told about where and how to train."""
    if scheduler and executor != "dask":
        raise click.UsageError("--scheduler is Dask's; add --executor dask")
    names = _devices(devices)
    if workers is None:
        workers = _cores() if "cpu" in names else len(names)
    return {
        "workers": workers,
        "devices": names,
        "executor": executor,
        "scheduler": scheduler,
        "command": shlex.join(["ganstudy", *sys.argv[1:]]),
    }
