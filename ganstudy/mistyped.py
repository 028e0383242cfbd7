"""What the command line says of words that it does not know: what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

import click

__all__ = ["NamedChoice", "meant"]


class NamedChoice(click.Choice[str]):
    """One of several names."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Called by click: the nearest of them."""
        from ganstudy.nearest import nearest

        return f"{value!r} is not one of them{nearest(value, self.choices)}"


def meant(error: click.NoSuchOption, typed: Sequence[str]) -> click.UsageError:
    """The same, with what is nearest of all that can be given: an option, or a key of the study,
    which is written otherwise.

    typed  the words of the command line
    """
    from ganstudy.nearest import closest

    if error.ctx is None:
        return error
    command = error.ctx.command
    flags = {_plain(flag): flag for own in command.get_params(error.ctx) for flag in own.opts}
    paths = _key_paths() if "overrides" in {own.name for own in command.params} else {}
    first, dot, rest = _plain(error.option_name).partition(".")
    near = closest(first, paths if dot else [*flags, *paths])
    if near and near[0] in paths and (dot or near[0] not in flags):
        value = _value(error.option_name, typed)
        written = " or ".join(f"{path}{dot}{rest}={value}" for path in paths[near[0]])
        message = f"{error.message} A key of the study is written without dashes: {written}"
        return click.UsageError(message, error.ctx)
    return click.NoSuchOption(error.option_name, None, [flags[own] for own in near], error.ctx)


def _plain(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _key_paths() -> dict[str, list[str]]:
    """Key paths of a study by their last key: of several those that are short."""
    from ganstudy.kinds import family
    from ganstudy.study.file import EngineFile, StudyFile
    from ganstudy.study.wording import key_paths

    trial = (f"trial.{path}" for path in key_paths(family["adversarial"], {}))
    paths = [*StudyFile.model_fields, *trial, *(f"engine.{key}" for key in EngineFile.model_fields)]
    found: dict[str, list[str]] = {}
    for path in sorted(paths, key=lambda path: path.count(".")):
        known = found.setdefault(path.rpartition(".")[2], [])
        if not known or path.count(".") == known[0].count("."):
            known.append(path)
    return found


def _value(option: str, typed: Sequence[str]) -> str:
    """What was typed for an option; `VALUE` where nothing was."""
    for word, following in zip(typed, [*typed[1:], "--"], strict=True):
        name, equals, value = word.partition("=")
        if name == option and (equals or not following.startswith("--")):
            return quote(value if equals else following)
    return "VALUE"
