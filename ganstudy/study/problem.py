"""What is wrong with a study, in lines that say where and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["KeyPath", "Problem", "StudyError", "closest", "nearest"]

KeyPath = tuple[str | int, ...]

_SHOWN = 10
"""Problems that a message lists: more than a screen of them helps nobody."""

_LENGTH = 300
"""Characters of a line of a message, which may quote what the user has written."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a study: where it stands and what to do about it."""

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        parts = (self.place, self.key, self.message)
        return ": ".join(_short(part) for part in parts if part)


class StudyError(Exception):
    """A study that cannot be run as it is written; lists every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"and {len(self.problems) - _SHOWN} more")
        super().__init__("\n".join(lines))


def nearest(name: object, choices: Iterable[str]) -> str:
    """Advice that ends an error message: the closest valid choice, or all of them if few."""
    valid = sorted(choices)
    if close := closest(name, valid):
        return f"; did you mean {_short(close[0])!r}?"
    return f"; valid: {_short(', '.join(valid))}" if valid else ""


def closest(name: object, choices: Iterable[str]) -> list[str]:
    """The choice that was meant, if any is like it."""
    # Comparing costs the product of the lengths.
    return difflib.get_close_matches(str(name)[:80], list(choices), n=1, cutoff=0.6)


def _short(text: str) -> str:
    """A text cut in its middle; control characters, which can clear a terminal, are escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    half = _LENGTH // 2
    return shown if len(shown) <= _LENGTH else f"{shown[:half]} ... {shown[-half:]}"
