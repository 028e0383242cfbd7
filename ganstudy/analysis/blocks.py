"""Arms compared on what they have in common, on plain arrays; NaN is a trial without a score."""

from __future__ import annotations

from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis.intervals import ROUNDING

Array = NDArray[np.float64]
Basis = Literal["means", "wins"]
"""What a difference between two trials is: that of their scores, or which of the two is better."""


class Paired(NamedTuple):
    """Differences of all pairs by seed, `(arms, arms, seeds)`, and common trials `(arms, arms)`."""

    differences: Array
    trials: NDArray[np.int64]

    @property
    def mean(self) -> Array:
        """Mean over the seeds that both arms have, NaN without one; shape `(arms, arms)`."""
        known = np.isfinite(self.differences)
        total, count = np.where(known, self.differences, 0.0).sum(axis=-1), known.sum(axis=-1)
        mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
        return np.asarray(mean, np.float64)


def paired(scores: Array, basis: Basis) -> Paired:
    """Differences within seed and setting where both arms have a score, averaged over settings.

    basis   `means`: of scores; `wins`: 1 where the first is better, -1 where it is worse and 0
            where they tie. Minus infinity is worse than any number, and is compared by wins alone.
    Shapes  `(arms, settings, seeds)`, more is better.
    """
    arms, _, seeds = scores.shape
    differences = np.full((arms, arms, seeds), np.nan)
    trials = np.zeros((arms, arms), np.int64)
    rounding = ROUNDING * np.abs(scores[np.isfinite(scores)]).max(initial=0.0)
    differences[np.arange(arms), np.arange(arms)] = 0.0
    for i, j in combinations(range(arms), 2):
        both = ~np.isnan(scores[i]) & ~np.isnan(scores[j])
        if basis == "means":
            apart = np.where(both, scores[i], 0.0) - np.where(both, scores[j], 0.0)
        else:
            apart = 1.0 * (scores[i] > scores[j]) - 1.0 * (scores[i] < scores[j])
        count = both.sum(axis=0)
        total = np.where(both, apart, 0.0).sum(axis=0)
        mean = np.divide(total, count, out=np.full(seeds, np.nan), where=count > 0)
        # Sums of equal scores differ by rounding.
        mean[np.abs(mean) <= rounding] = 0.0
        differences[i, j], differences[j, i] = mean, -mean
        trials[i, j] = trials[j, i] = both.sum()
    return Paired(differences, trials)


def order_effects(pairs: Paired) -> Array:
    r"""What puts arms in one order where not all pairs share the same trials; sums to zero.

    Maths   $\arg\min_a \sum_{ij} w_{ij} (a_i - a_j - d_{ij})^2$ with the mean differences $d_{ij}$
            and $w_{ij}$ the trials they are over. With all trials the arms' means, less the mean of
            all; of two arms always their paired difference. Arms that no chain of comparisons joins
            are not ordered by it.
    Shapes  `(arms,)`.
    Source  Jiang, Lim, Yao and Ye 2011, "Statistical ranking and combinatorial Hodge theory".
    """
    weight = pairs.trials.astype(np.float64)
    difference = np.where(weight > 0, pairs.mean, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    moments = (weight * difference).sum(axis=1)
    return np.asarray(np.linalg.pinv(laplacian, hermitian=True) @ moments, np.float64)


def joined(pairs: Paired) -> NDArray[np.int64]:
    """A number for each arm, the same for arms that a chain of comparisons joins."""
    linked = (pairs.trials > 0) | np.eye(len(pairs.trials), dtype=bool)
    for _ in range(len(linked)):
        linked = linked @ linked
    return np.asarray(linked.argmax(axis=1), np.int64)


def filled(scores: Array, effects: Array, group: NDArray[np.int64]) -> Array:
    """Scores with gaps filled by the arm's effect and what other arms had at that trial.

    Where no arm of the group has a score the gap stays.

    Shapes  `(arms, settings, seeds) -> (arms, settings, seeds)`.
    """
    whole = scores.copy()
    for own in np.unique(group):
        members = np.flatnonzero(group == own)
        rest = scores[members] - effects[members, None, None]
        known = np.isfinite(rest)
        count = known.sum(axis=0)
        total = np.where(known, rest, 0.0).sum(axis=0)
        block = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
        for arm in members:
            gaps = ~np.isfinite(scores[arm])
            whole[arm][gaps] = (effects[arm] + block)[gaps]
    return whole
