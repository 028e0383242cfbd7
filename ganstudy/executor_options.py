"""Options of executors on the command line: those of the executor that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

if TYPE_CHECKING:
    from ganstudy.schedule.options import Options

__all__ = ["TrainingCommand", "checked_options"]

_ASKED = "ganstudy.executors"


class TrainingCommand(click.Command):
    """A verb that trains; besides its own options it takes those of the executor asked for.

    Only that executor's module is imported. `--help` has the options of all whose packages are
    installed. Plug-ins are not known yet when the command line is read: theirs have no options.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Called by click.

        Errors  `UsageError` for an option of another executor, which is named.
        """
        from ganstudy.schedule.executor import ExecutorError
        from ganstudy.schedule.executors import executor_named

        name = _asked(args)
        helps = not set(ctx.help_option_names).isdisjoint(args)
        ctx.meta[_ASKED] = _names() if helps else [name]
        if not helps and name in _names():
            try:
                executor_named(name)
            except ExecutorError as error:
                raise click.UsageError(str(error), ctx) from None
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            owners = [name for name in _names() if error.option_name in _flags(name)]
            if not owners:
                raise
            message = f"{error.option_name} is an option of --executor {' or '.join(owners)}"
            raise click.UsageError(message, ctx) from None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Called by click."""
        own = super().get_params(ctx)
        return [*own, *(option for name in ctx.meta.get(_ASKED, ()) for option in _options(name))]

    def invoke(self, ctx: click.Context) -> Any:
        """Called by click; a worker of this machine begins while the study is read."""
        if ctx.params["executor"] != "local" or ctx.params.get("dry_run"):
            return super().invoke(ctx)
        from ganstudy.schedule.worker_process import begun_ahead

        with begun_ahead():
            return super().invoke(ctx)


def checked_options(asks: type[Options], given: Mapping[str, Any]) -> Options:
    """The options of an executor, as it takes them.

    Errors  `BadParameter` that names the option.
    """
    try:
        return asks(**given)
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ")
        hint = f"--{str(first['loc'][0]).replace('_', '-')}"
        raise click.BadParameter(f"{first['input']!r}: {said}", param_hint=hint) from None


def _asked(args: Sequence[str]) -> str:
    """The executor that a command line names, last of all."""
    name = "local"
    for word, following in zip(args, [*args[1:], ""], strict=False):
        if word == "--executor":
            name = following
        elif word.startswith("--executor="):
            name = word.partition("=")[2]
    return name


def _names() -> Iterable[str]:
    from ganstudy.schedule.executors import family

    return family.files


def _asks(name: str) -> type[Options] | None:
    """None where there is no such executor, which is told later, or it lacks a package."""
    from ganstudy.schedule.executors import family

    try:
        return family[name].asks if name in family.files else None
    except ModuleNotFoundError:
        return None


def _options(name: str) -> Iterator[click.Option]:
    asks = _asks(name)
    for key, field in asks.model_fields.items() if asks else ():
        yield click.Option(
            [f"--{key.replace('_', '-')}"],
            type=int if field.annotation is int else str,
            default=field.default,
            help=f"[{name}] {field.description}",
            show_default=field.default is not None,
        )


def _flags(name: str) -> list[str]:
    return [flag for option in _options(name) for flag in option.opts]
