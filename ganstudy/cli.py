"""The command line: one function a verb. What it takes, does and prints lives elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from shlex import quote
from typing import Any

import click

from ganstudy.arguments import (
    Along,
    MemberName,
    compare_options,
    every_option,
    from_option,
    json_option,
    live_option,
    out_option,
    overrides_argument,
    plugins_option,
    retry_options,
    run_argument,
    run_options,
    sampling_options,
    study_argument,
    verify_options,
    workers_option,
)
from ganstudy.asked import asked_study, command_line
from ganstudy.catalogue import print_members
from ganstudy.executor_options import TrainingCommand
from ganstudy.mistyped import NamedChoice
from ganstudy.plugins import FAMILIES
from ganstudy.plugins import family as family_of
from ganstudy.summaries import print_checked, print_plan, print_status, print_studies
from ganstudy.system import cores
from ganstudy.terminal import Verbs, clear_errors


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="To begin: ganstudy new my.yaml, then ganstudy run my.yaml",
)
@click.version_option(package_name="ganstudy")
def main() -> None:
    """Which GAN objective, and why? Run studies of adversarial objectives."""


@main.command()
@json_option
def studies(as_json: bool) -> None:
    """List the studies that come with the package: question, trials, and time on this machine."""
    from ganstudy import shipped

    print_studies(shipped.studies(), shipped.folders(), cores(), as_json)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@from_option
def new(path: Path, name: str) -> None:
    """Begin a study of your own: a copy, with its comments, of one that comes with the package."""
    with clear_errors():
        from ganstudy import shipped

        try:
            shipped.begin(path, name)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--from") from None
        own, its = quote(str(path)), "its studies" if path.is_dir() else "it"
        click.echo(f"{path}: change {its}, then `ganstudy check {own}` and `ganstudy run {own}`")


@main.command(cls=TrainingCommand)
@run_options
def run(
    study: Path, overrides: tuple[str, ...], out: Path | None, fresh: bool, **asked: Any
) -> None:
    """Run a study: train what is missing, gather the dataset, build the report.

    A run is runs/NAME below the current folder, or --out. Given as RUN/study.yaml, STUDY continues
    that run, wherever it has been moved.

    Of a folder, run each of its studies, one after the other in the order of their names.
    """
    # With --fresh the same command would begin once more.
    with clear_errors("run the same command to continue" + ", without --fresh" * fresh):
        from ganstudy import one_run
        from ganstudy.job import verbs

        verb = verbs.run if study.is_dir() else one_run.run
        verb(study, overrides, out, fresh=fresh, **asked)


@main.command()
@click.argument("study", type=click.Path(path_type=Path), required=False)
@overrides_argument
@click.option(
    "--plugin",
    type=click.Path(path_type=Path),
    help="Run the conformance suites on the member that this file defines.",
)
def check(study: Path | None, overrides: tuple[str, ...], plugin: Path | None) -> None:
    """Validate a study file, a folder of them, or a plug-in."""
    if (study is None) == (plugin is None):
        both = ", not both" if plugin else ""
        raise click.UsageError(f"name a study, or a plug-in with --plugin{both}")
    with clear_errors():
        if plugin is not None:
            from ganstudy.plugins.conformance import check as check_plugin

            checked = check_plugin(plugin)
            for sentence in checked.sentences():
                click.echo(sentence)
            sys.exit(1 if checked.broken else 0)
        assert study is not None
        if study.is_dir():
            from ganstudy.job import verbs

            verbs.check(study, overrides)
            return
        print_checked(study, asked_study(study, overrides, None)[0])


@main.command()
@study_argument
@overrides_argument
@out_option
@workers_option
@json_option
def plan(
    study: Path, overrides: tuple[str, ...], out: Path | None, workers: int, as_json: bool
) -> None:
    """Show trials, packs and estimated time, of a study or of each in a folder."""
    with clear_errors():
        if study.is_dir():
            from ganstudy.job import verbs

            verbs.plan(study, overrides, out, workers, as_json)
            return
        from ganstudy.schedule.where import Where

        print_plan(*asked_study(study, overrides, out), Where(workers), as_json)


@main.command()
@run_argument
@plugins_option
@json_option
def status(run: Path, run_plugins: bool, as_json: bool) -> None:
    """Say how far a run has got: counts, rate, time left, failures; or all runs of a folder."""
    with clear_errors():
        from ganstudy import existing
        from ganstudy.job import verbs

        if verbs.is_job(run):
            verbs.tell_status(run, run_plugins, as_json)
            return
        print_status(existing.status(run, run_plugins=run_plugins), as_json)


@main.command()
@run_argument
@plugins_option
@live_option
@every_option
def report(run: Path, run_plugins: bool, live: bool, every: float) -> None:
    """Gather the records and build the report anew; of a run that trains, again and again.

    Of a folder of runs, that of each, and the page over all of them.
    """
    with clear_errors("run the same command to continue"):
        from ganstudy.job import verbs

        several = verbs.is_job(run)
        if live:
            from ganstudy.live import keep_current

            keep = verbs.keep_current if several else keep_current
            keep(run, every, run_plugins=run_plugins)
        elif several:
            verbs.report(run, run_plugins)
        else:
            from ganstudy import existing

            click.echo(f"report: {existing.report_anew(run, run_plugins=run_plugins)}")


@main.command()
@compare_options
def compare(runs: tuple[Path, ...], along: Along, out: Path | None, run_plugins: bool) -> None:
    """Build one report over several runs; a folder of runs stands for all of them."""
    with clear_errors("run the same command to continue"):
        from ganstudy import existing

        page = existing.compare(runs, out, command_line(), along=along, run_plugins=run_plugins)
        click.echo(f"report: {page}")


@main.command(cls=TrainingCommand)
@retry_options
def retry(run: Path, overrides: tuple[str, ...], **asked: Any) -> None:
    """Train the failed trials of a run again, and only those."""
    with clear_errors("run the same command to continue"):
        from ganstudy import one_run

        one_run.retry(run, overrides, **asked)


@main.command()
@sampling_options
def sample(run: Path, to: Path | None, onnx: Path | None, **asked: Any) -> None:
    """Draw samples of a generator that a run has kept (record.generator); --onnx writes it, too."""
    with clear_errors():
        from ganstudy import sample_files

        for line in sample_files.written(run, to, onnx, **asked):
            click.echo(line)


@main.command(cls=TrainingCommand)
@verify_options
def verify(run: Path, trials: int | None, as_json: bool, **where: Any) -> None:
    """Train some trials of a run again and compare every number that they stored."""
    with clear_errors():
        from ganstudy import one_run

        one_run.verify(run, trials, as_json=as_json, **where)


@main.command()
@run_argument
@click.argument("tool", type=MemberName("export"))
@click.option("--to", type=click.Path(path_type=Path), help="Where [RUN/exports/TOOL].")
@plugins_option
def export(run: Path, tool: str, to: Path | None, run_plugins: bool) -> None:
    """Write a run for another tool, such as MLflow or TensorBoard; again, what is new."""
    with clear_errors("run the same command to continue"):
        from ganstudy import existing

        click.echo(existing.export_run(run, tool, to, run_plugins=run_plugins))


@main.command(name="list", epilog=f"Families: {', '.join(FAMILIES)}.")
@click.argument("family", type=NamedChoice(FAMILIES), metavar="FAMILY")
@json_option
def list_family(family: str, as_json: bool) -> None:
    """List the members of a family with their parameters and sources."""
    print_members(family_of(family), as_json)


@main.command()
@click.option("--plugin", multiple=True, type=click.Path(path_type=Path), help="Know its member.")
def schema(plugin: tuple[Path, ...]) -> None:
    """Print the JSON Schema of study files."""
    with clear_errors():
        from ganstudy.study import json_schema

        click.echo(json.dumps(json_schema(plugin), indent=2))
