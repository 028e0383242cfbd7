"""What the verbs of the command line take: arguments, options, and what these amount to."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from ganstudy.cause import one_line
from ganstudy.executor_options import checked_options
from ganstudy.mistyped import NamedChoice
from ganstudy.plugins import family as family_of
from ganstudy.system import cores
from ganstudy.terminal import answering

if TYPE_CHECKING:
    from ganstudy.schedule.options import Options
    from ganstudy.schedule.where import Where
    from ganstudy.study import Study

__all__ = [
    *("Along", "along_option", "MemberName", "asked_study", "command_line", "every_option"),
    *("execution", "execution_options", "from_option", "json_option", "live_option", "live_page"),
    *("out_option", "overrides_argument", "plugins_option", "run_argument"),
    *("run_options", "sampling_options", "study_argument", "workers_option"),
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

Along = Literal["arm", "study"]

along_option = click.option(
    "--along",
    type=NamedChoice(get_args(Along)),
    default="arm",
    show_default=True,
    help="Arms of all runs side by side; or the same arms, study by study.",
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
    option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    return option(answering(verb))


def execution_options(verb: Callable[..., None]) -> Callable[..., None]:
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
        execution_options,
        out_option,
        overrides_argument,
        study_argument,
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
    """Which samples of which generator, as `generators.sample` takes them, and where they go."""
    for option in (
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
    ):
        verb = option(verb)
    return verb


def asked_study(study: Path, overrides: tuple[str, ...], out: Path | None) -> tuple[Study, Path]:
    """The study and its run directory; the study.yaml of a run continues that run."""
    from ganstudy.store import RunDirectory
    from ganstudy.store.place import is_run
    from ganstudy.study import load

    own = RunDirectory(study.parent)
    if study == own.study and (is_run(own.path) or os.path.lexists(own.resolved)):
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
