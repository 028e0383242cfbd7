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
    """What so many seeds of so many arms can make clear, or so many searches of each.

    seeds     of each arm, or its searches: a search is tested as a seed is
    pairs     pairs of arms, over which p-values are adjusted
    fewest    seeds below which no difference can be clear, however large
    effect    the difference that is clear with a chance of 80 %, in standard deviations of
              differences between two arms within a seed; infinite below `fewest`
    needed    seeds with which a difference of `LARGE` is; None if more than a hundred
    unit      what `seeds` counts: `seed` or `search`
    by_wins   `fewest` where a trial is worse than any number, and arms are compared by wins; None
              of a metric with a worst value
    """

    arms: int
    seeds: int
    pairs: int
    fewest: int
    effect: float
    needed: int | None
    unit: str = "seed"
    by_wins: int | None = None

    @classmethod
    def of(
        cls, arms: int, settings: int, seeds: int, unit: str = "seed", *, has_worst: bool = True
    ) -> Power:
        """The power of a study with two arms or more.

        has_worst  whether the metric has a worst value, which a diverged trial scores
        """
        pairs = math.comb(arms, 2)
        return cls(
            arms,
            seeds,
            pairs,
            fewest_seeds(pairs, settings),
            clear_effect(seeds, pairs, settings),
            seeds_for(LARGE, pairs, settings),
            unit,
            None if has_worst else fewest_seeds(pairs, settings, wins=True),
        )

    def __str__(self) -> str:
        told = self._by_scores()
        if self.by_wins is not None and self.by_wins > self.fewest:
            told += (
                ". The score has no worst value: if a trial diverges or scores infinity, arms are "
                "compared by wins, and nothing is clear with fewer than "
                f"{plural(self.by_wins, self.unit)}"
            )
        return told

    def _by_scores(self) -> str:
        size = f"{plural(self.seeds, self.unit)} of {plural(self.arms, 'arm')}"
        enough = "more than 100" if self.needed is None else f"{self.needed}"
        if math.isinf(self.effect):
            told = f"{size} can make no difference clear, however large"
            if self.unit == "search" and self.seeds == 1:
                told = "one search of each arm (search.bayes.repeats) tells no arms apart"
            return (
                f"{told}: that takes at least {self.fewest}. With {enough}, a difference of "
                f"{self._deviations(LARGE)} is clear in 80 % of studies"
            )
        return (
            f"{size}: a difference of {self._deviations(self.effect)} is clear in 80 % of studies; "
            f"one of {LARGE:g} takes {enough} {several(self.unit)}"
        )

    def _deviations(self, size: float) -> str:
        noun, shown = "standard deviation", f"{size:.2g}"
        noun = noun if shown == "1" else several(noun)
        return f"{shown} {noun} (of paired differences over {several(self.unit)})"
