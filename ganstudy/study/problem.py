"""What is wrong with a study, in lines that say where and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganstudy.nearest import closest, cut, nearest

__all__ = ["KeyPath", "Problem", "StudyError", "closest", "dotted", "nearest"]

KeyPath = tuple[str | int, ...]

_SHOWN = 10
"""Problems that a message lists: more than a screen of them helps nobody."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a study: where it stands and what to do about it."""

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        parts = (self.place, self.key, self.message)
        return ": ".join(cut(part) for part in parts if part)


class StudyError(Exception):
    """A study that cannot be run as it is written; lists every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"and {len(self.problems) - _SHOWN} more")
        super().__init__("\n".join(lines))


def dotted(path: KeyPath) -> str:
    """A key path as users write it: `generator.lr`."""
    return ".".join(map(str, path))
