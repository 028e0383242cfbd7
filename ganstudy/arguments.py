"""What the verbs of the command line take: arguments and options."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from ganstudy.mistyped import NamedChoice
from ganstudy.plugins import family as family_of
from ganstudy.system import cores
from ganstudy.terminal import answering

__all__ = [
    *("Along", "MemberName", "compare_options", "every_option"),
    *("from_option", "json_option", "live_option", "out_option"),
    *("overrides_argument", "plugins_option", "retry_options", "run_argument", "run_options"),
    *("sampling_options", "study_argument", "verify_options", "workers_option"),
]


class MemberName(click.ParamType[str]):
    """The name of a member of a family; plug-ins may add some after the command line is read."""

    name = "member"

    def __init__(self, family: str) -> None:
        self.family = family

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The names that there are, for `--help`."""
        return f"[{'|'.join(family_of(self.family).names)}]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so."""
        names = family_of(self.family).names
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _study_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from ganstudy.study.shipped_files import files, folders

    return [name for name in (*files(), *folders()) if name.startswith(incomplete)]


from_option = click.option(
    "--from",
    "name",
    default="quick",
    show_default=True,
    help="A name of `studies`.",
    shell_complete=_study_names,
)
study_argument = click.argument("study", type=click.Path(path_type=Path))
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Run directory [runs/<study>]; of a folder, that of all its runs [runs/<folder>].",
)
overrides_argument = click.argument("overrides", nargs=-1, metavar="[key=value ...]")
run_argument = click.argument("run", type=click.Path(path_type=Path))
plugins_option = click.option(
    "--plugins",
    "run_plugins",
    is_flag=True,
    help="Run the plug-ins that the run names; they are code.",
)
live_option = click.option(
    "--live",
    is_flag=True,
    is_eager=True,  # known before --every is
    help="Keep the page current while packs train; it reloads itself.",
)


def _of_live_pages(ctx: click.Context, param: click.Parameter, every: float) -> float:
    asked = ctx.get_parameter_source("every") is not ParameterSource.DEFAULT
    if asked and not ctx.params["live"]:
        raise click.UsageError("--every is the time between live pages; add --live")
    if not math.isfinite(every):
        raise click.BadParameter(f"{every} is no number of seconds")
    return every


every_option = click.option(
    "--every",
    type=click.FloatRange(min=1.0),
    default=30.0,
    show_default=True,
    help="Seconds between two live pages.",
    callback=_of_live_pages,
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=lambda: cores(),
    show_default="number of cores",
    help="Worker processes, one thread each.",
)


def json_option(verb: Callable[..., None]) -> Callable[..., None]:
    """For verbs that can answer in JSON."""
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else.")
    return option(answering(verb))


def _execution_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Where and how trials are trained, for the verbs that train some."""
    for option in (
        json_option,
        click.option(
            "--executor",
            type=MemberName("executors"),
            default="local",
            show_default=True,
            help="Where packs are trained.",
        ),
        click.option(
            "--devices", default="auto", show_default=True, help="auto, cpu, or cuda:0,cuda:1,..."
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            show_default="number of cores; with GPUs one for each; with slurm one for each job",
            help="Worker processes, one thread each, dealt out over the devices.",
        ),
    ):
        verb = option(verb)
    return verb


def run_options(verb: Callable[..., None]) -> Callable[..., None]:
    """What `run` takes: a study, or a folder of them, and where, how and how watched."""
    for option in (
        every_option,
        live_option,
        click.option("--fresh", is_flag=True, help="Set an existing run aside and start anew."),
        click.option(
            "--dry-run", is_flag=True, help="Print the plan, with its time on CPUs; train nothing."
        ),
        _execution_options,
        out_option,
        overrides_argument,
        study_argument,
    ):
        verb = option(verb)
    return verb


def retry_options(verb: Callable[..., None]) -> Callable[..., None]:
    """What `retry` takes: a run, which of its trials, and where and how they are trained."""
    for option in (
        _execution_options,
        click.option(
            "--metrics", is_flag=True, help="And those of which a metric could not be measured."
        ),
        click.option(
            "--generators",
            is_flag=True,
            help="And those whose generator is asked for and not kept.",
        ),
        overrides_argument,
        run_argument,
    ):
        verb = option(verb)
    return verb


def verify_options(verb: Callable[..., None]) -> Callable[..., None]:
    """What `verify` takes: a run, how many of its trials, and where and how they are trained."""
    for option in (
        _execution_options,
        click.option(
            "--trials",
            type=click.IntRange(min=1),
            show_default="two of each arm and status",
            help="How many trials of the run are trained again.",
        ),
        run_argument,
    ):
        verb = option(verb)
    return verb


Along = Literal["arm", "study"]


def compare_options(verb: Callable[..., None]) -> Callable[..., None]:
    """What `compare` takes: runs, how they are put side by side, and where the report goes."""
    for option in (
        plugins_option,
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="Where the report goes [runs/compare-<runs>].",
        ),
        click.option(
            "--along",
            type=NamedChoice(get_args(Along)),
            default="arm",
            show_default=True,
            help="Arms of all runs side by side; or the same arms, study by study.",
        ),
        click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN RUN ..."),
    ):
        verb = option(verb)
    return verb


def _one_device(ctx: click.Context, param: click.Parameter, asked: str) -> str:
    from ganstudy.schedule.devices import one

    try:
        return one(asked)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def sampling_options(verb: Callable[..., None]) -> Callable[..., None]:
    """What `sample` takes: a run, which samples of which generator, and where they go."""
    for option in (
        plugins_option,
        click.option(
            "--onnx",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write the generator, too, as a file .onnx; needs ganstudy[onnx].",
        ),
        click.option(
            "--to",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A file .npz or .png [TRIAL.png where samples can be seen, else TRIAL.npz].",
        ),
        click.option(
            "--device",
            default="cpu",
            show_default=True,
            help="auto, cpu, or cuda:0, ...",
            callback=_one_device,
        ),
        click.option("--averaged", is_flag=True, help="By the averaged parameters."),
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            show_default="the latent noise that the trial was measured with",
            help="Draws other latent noise.",
        ),
        click.option(
            "--count",
            type=click.IntRange(1, 1_000_000),
            default=64,
            show_default=True,
            help="How many samples.",
        ),
        click.option(
            "--trial", default="best", show_default=True, help="An id, or how one begins."
        ),
        run_argument,
    ):
        verb = option(verb)
    return verb
