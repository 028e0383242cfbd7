"""A point of a search: one set of values in one arm, with all seeds of the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganstudy.kinds import Pack

__all__ = ["Arm", "Point"]

Arm = tuple[int, ...]
"""Index of an arm on each axis of the grid."""


@dataclass(eq=False)
class Point:
    """One point of a space in one arm, with all its seeds.

    rungs   M-steps to which it is trained, one after another; only one without a pruner
    trials  `[rung][seed]`
    level   the rung at which it is, or was when it was stopped
    """

    arm: Arm
    values: Mapping[str, Any]
    rungs: tuple[int, ...]
    trials: tuple[Pack, ...]
    level: int = 0

    @property
    def last(self) -> bool:
        """Whether it is at its last rung."""
        return self.level == len(self.rungs) - 1

    @property
    def current(self) -> Pack:
        """Its trials at the rung where it is, one for each seed."""
        return self.trials[self.level]
