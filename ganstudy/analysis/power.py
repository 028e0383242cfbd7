"""What a study of a given size can show, before it is run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganstudy.analysis.grades import clear_effect, fewest_seeds, seeds_for
from ganstudy.plural import plural, several

LARGE = 1.0
"""A difference of as many standard deviations of paired differences, which is often asked for."""


@dataclass(frozen=True)
class Power:
    """What so many seeds of so many arms can make clear.

    pairs     pairs of arms, over which p-values are adjusted
    fewest    seeds below which no difference can be clear, however large
    effect    the difference that is clear with a chance of 80 %, in standard deviations of
              differences between two arms within a seed; infinite below `fewest`
    needed    seeds with which a difference of `LARGE` is; None if more than a hundred
    """

    arms: int
    seeds: int
    pairs: int
    fewest: int
    effect: float
    needed: int | None

    @classmethod
    def of(cls, arms: int, settings: int, seeds: int) -> Power:
        """The power of a study with two arms or more."""
        pairs = math.comb(arms, 2)
        return cls(
            arms,
            seeds,
            pairs,
            fewest_seeds(pairs, settings),
            clear_effect(seeds, pairs, settings),
            seeds_for(LARGE, pairs, settings),
        )

    def __str__(self) -> str:
        size = f"{plural(self.seeds, 'seed')} of {plural(self.arms, 'arm')}"
        enough = "more than 100" if self.needed is None else f"{self.needed}"
        if math.isinf(self.effect):
            return (
                f"{size} can make no difference clear, however large: that takes {self.fewest} "
                f"seeds, and {enough} for one of {_deviations(LARGE)}, four times in five"
            )
        return (
            f"{size}: a difference of {_deviations(self.effect)} is clear four times in five; "
            f"one of {LARGE:g} takes {enough} seeds"
        )


def _deviations(size: float) -> str:
    unit, shown = "standard deviation", f"{size:.2g}"
    noun = unit if shown == "1" else several(unit)
    return f"{shown} {noun} of what two arms differ by from seed to seed"
