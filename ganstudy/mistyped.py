"""What the command line says of words that it does not know: what was meant."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["NamedChoice", "as_override"]


class NamedChoice(click.Choice[str]):
    """One of several names."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Called by click: the nearest of them."""
        from ganstudy.nearest import nearest

        return f"{value!r} is not one of them{nearest(value, self.choices)}"


def as_override(error: click.NoSuchOption) -> click.UsageError:
    """The same, which says how a key of the study is written if that was meant and can be given."""
    from ganstudy.kinds import family
    from ganstudy.nearest import closest
    from ganstudy.study.file import EngineFile, StudyFile

    taken = {own.name for own in error.ctx.command.params} if error.ctx else set()
    if "overrides" not in taken:
        return error
    key = error.option_name.lstrip("-").replace("-", "_")
    first, dot, rest = key.partition(".")
    keys = dict.fromkeys(StudyFile.model_fields, "")
    keys |= {name: "trial." for name in family["adversarial"].model_fields if name not in keys}
    keys |= {name: "engine." for name in EngineFile.model_fields if name not in keys}
    meant = closest(first, keys)
    if not meant or (error.possibilities and first not in keys):
        return error
    written = f"{keys[meant[0]]}{meant[0]}{dot}{rest}=VALUE"
    message = f"{error.message} A key of the study is written without dashes: {written}"
    return click.UsageError(message, error.ctx)
