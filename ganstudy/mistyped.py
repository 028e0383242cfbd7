"""What the command line says of words that it does not know: what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

import click

__all__ = ["NamedChoice", "meant"]

_STUDIES = (".yaml", ".yml")


class NamedChoice(click.Choice[str]):
    """One of several names."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Called by click: the nearest of them."""
        from ganstudy.nearest import nearest

        return f"{value!r} is not one of them{nearest(value, self.choices)}"


def meant(error: click.NoSuchOption, typed: Sequence[str]) -> click.UsageError:
    """The same, with what was meant: a key of the study, which is written otherwise, or the nearest
    option.

    typed  the words of the command line
    """
    from ganstudy.nearest import closest

    if error.ctx is None:
        return error
    command, name = error.ctx.command, _plain(error.option_name)
    flags = {_plain(flag): flag for own in command.get_params(error.ctx) for flag in own.opts}
    near = closest(name, flags)
    if "overrides" in {own.name for own in command.params}:
        keys = _keys(name)
        if keys and not (near and keys.hold_others):
            value = _value(error.option_name, typed)
            written = " or ".join(f"{path}={value}" for path in keys.paths)
            message = f"{error.message} A key of the study is written without dashes: {written}"
            return click.UsageError(message, error.ctx)
        if "." in name:
            value = _value(error.option_name, typed)
            # Those below it have names of the study's own.
            written = f"{name}={value}" if name.startswith("search.") else "trial.steps=5"
            message = f"{error.message} Keys of a study are written without dashes: {written}"
            return click.UsageError(message, error.ctx)
    return click.NoSuchOption(error.option_name, None, [flags[own] for own in near], error.ctx)


def _plain(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


class _Keys(NamedTuple):
    """Keys of a study, by their paths, and whether they hold others."""

    paths: list[str]
    hold_others: bool


def _keys(name: str) -> _Keys | None:
    """Those that are meant of a study without a search: by the end of their paths, by what others
    call them, or but for an `s` by all of it; of several the shortest.
    """
    from ganstudy.kinds import family
    from ganstudy.nearest import same
    from ganstudy.study.file import StudyFile
    from ganstudy.study.wording import key_paths

    trial = (f"trial.{path}" for path in key_paths(family["adversarial"], {}))
    paths = [*key_paths(StudyFile, {}), *trial]
    holding = {path.rpartition(".")[0] for path in paths}
    found = [
        path
        for path in paths
        if f".{path}".endswith(f".{name}")
        or same(name, path.rpartition(".")[2])
        or path.removesuffix("s") == name.removesuffix("s")
    ]
    found = [path for path in found if "." in path or path not in holding]
    least = min((path.count(".") for path in found), default=0)
    shortest = [path for path in found if path.count(".") == least]
    return _Keys(shortest, not holding.isdisjoint(shortest)) if shortest else None


def _value(option: str, typed: Sequence[str]) -> str:
    """What was typed for an option; `VALUE` where nothing was, or nothing but the study."""
    for word, following in zip(typed, [*typed[1:], "--"], strict=True):
        name, equals, value = word.partition("=")
        if name == option and (equals or not _is_other(following)):
            return quote(value if equals else following)
    return "VALUE"


def _is_other(word: str) -> bool:
    """Whether a word is another option, a key with its value, or a study, and no value."""
    return (
        word.startswith("--") or "=" in word or Path(word).exists() or Path(word).suffix in _STUDIES
    )
