"""Arms compared on what they have in common, on plain arrays.

NaN is a trial without a score, a gap that others can fill. One that is worse than any number is
infinite: it is in no mean, and nothing is filled in for it, since its arm did run there.
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis.intervals import ROUNDING, Interval, jackknife, known_mean

Array = NDArray[np.float64]
Basis = Literal["means", "wins"]
"""What a difference between two trials is: that of their scores, or which of the two is better."""


class Paired(NamedTuple):
    """Differences of all pairs by seed, and the trials that both have: `(arms, arms, seeds)`."""

    differences: Array
    common: NDArray[np.int64]

    @property
    def trials(self) -> NDArray[np.int64]:
        """Trials that two arms have in common; shape `(arms, arms)`."""
        return np.asarray(self.common.sum(axis=-1), np.int64)

    @property
    def settings(self) -> Array:
        """Settings that a seed's difference is over, on average to a whole; `(arms, arms)`."""
        return per_seed(self.common)

    def without(self, seed: int) -> Paired:
        """The same as though this seed had not been run."""
        return Paired(np.delete(self.differences, seed, -1), np.delete(self.common, seed, -1))

    @property
    def mean(self) -> Array:
        """Mean over the seeds that both arms have, NaN without one; shape `(arms, arms)`."""
        return known_mean(self.differences)[0]


def paired(scores: Array, basis: Basis) -> Paired:
    """Differences within seed and setting where both arms have a score, averaged over settings.

    basis   `means`: of scores that are finite; `wins`: 1 where the first is better, -1 where it is
            worse and 0 where they tie. Minus infinity is worse than any number, and is compared by
            wins alone.
    Shapes  `(arms, settings, seeds)`, more is better.
    """
    arms, _, seeds = scores.shape
    differences = np.full((arms, arms, seeds), np.nan)
    common = np.zeros((arms, arms, seeds), np.int64)
    sizes = np.abs(np.where(np.isfinite(scores), scores, 0.0)).max(axis=1, initial=0.0)
    differences[np.arange(arms), np.arange(arms)] = 0.0
    for i, j in combinations(range(arms), 2):
        if basis == "means":
            both = np.isfinite(scores[i]) & np.isfinite(scores[j])
            apart = np.subtract(scores[i], scores[j], out=np.zeros(both.shape), where=both)
        else:
            both = ~np.isnan(scores[i]) & ~np.isnan(scores[j])
            apart = 1.0 * (scores[i] > scores[j]) - 1.0 * (scores[i] < scores[j])
        mean, count = known_mean(np.where(both, apart, np.nan), axis=0)
        if basis == "means":
            # Sums of equal scores differ by rounding, of no other scores than these.
            mean[np.abs(mean) <= ROUNDING * np.maximum(sizes[i], sizes[j])] = 0.0
        differences[i, j], differences[j, i] = mean, -mean
        common[i, j] = common[j, i] = count
    return Paired(differences, common)


def per_seed(trials: NDArray[np.int64]) -> Array:
    """Trials of a seed, on average over the seeds that have any and to a whole; `(*, seeds)`."""
    seeds = np.maximum((trials > 0).sum(axis=-1), 1)
    # Upwards from a half, so that one trial in twenty that failed changes no rule.
    return np.asarray(np.floor(trials.sum(axis=-1) / seeds + 0.5), np.float64)


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


def equals_best(worth: Array, best: int, size: float) -> NDArray[np.bool_]:
    """Whether each arm is the best one, or equal to it but for rounding of numbers of this size."""
    equal = np.asarray(np.abs(worth - worth[best]) <= ROUNDING * size)
    equal[best] = True
    return equal


def joined(pairs: Paired) -> NDArray[np.int64]:
    """A number for each arm, the same for arms that a chain of comparisons joins."""
    linked = (pairs.trials > 0) | np.eye(len(pairs.trials), dtype=bool)
    for _ in range(len(linked)):
        linked = linked @ linked
    return np.asarray(linked.argmax(axis=1), np.int64)


def filled(scores: Array, pairs: Paired) -> Array:
    """Scores with gaps filled by the arm's effect and what other arms had at that trial.

    Where no arm that comparisons join to it has a score the gap stays, and so do all gaps of an arm
    of which a trial is worse than any number: its mean is of what survived, in which a setting
    counts by how often that was. Filled in, it would count more the more trials failed there.
    Filled scores are for means: they scatter less than what was seen.

    Shapes  `(arms, settings, seeds) -> (arms, settings, seeds)`.
    """
    effects, group = order_effects(pairs), joined(pairs)
    whole = scores.copy()
    for own in np.unique(group):
        members = np.flatnonzero(group == own)
        rest = scores[members] - effects[members, None, None]
        block, _ = known_mean(rest, axis=0)
        for arm in members:
            gaps = np.isnan(scores[arm]) & ~np.isinf(scores[arm]).any()
            whole[arm][gaps] = (effects[arm] + block)[gaps]
    return whole


def least_squares(scores: Array, pairs: Paired) -> Array:
    """Means over seeds that arms would have had, had each run wherever others did.

    Shapes  `(arms, settings, seeds) -> (arms,)`.
    """
    return over_seeds(filled(scores, pairs))


def over_seeds(scores: Array) -> Array:
    """Mean over seeds of the means over settings that each has; `(arms, settings, seeds)`."""
    return known_mean(known_mean(scores, axis=1)[0])[0]


def has_gaps(scores: Array) -> bool:
    """Whether an arm lacks a score where another has one; `(arms, settings, seeds)`."""
    return bool((np.isfinite(scores).any(axis=0) & np.isnan(scores).any(axis=0)).any())


def interval_with_gaps(scores: Array, confidence: float) -> Interval:
    r"""Means of least squares, with limits over seeds, of arms whose gaps are filled; else NaN.

    Maths   a jackknife over the seeds in which any arm has a score, on one degree of freedom less
            than there are seeds in which the arm has one: what has been filled in is estimated
            anew without each seed. Filled scores themselves scatter too little: taken for seen,
            intervals of four arms at four settings, half of whose trials are missing, hold three
            means in four where 95 % is said (docs/decisions/0028-means-with-gaps.md).
    Shapes  `(arms, settings, seeds) -> (arms,)`.
    """
    own = np.isfinite(scores).any(axis=1)
    nothing = np.full(len(scores), np.nan)
    if not has_gaps(scores):
        return Interval(nothing, nothing, nothing, own.sum(axis=-1))
    pairs = paired(scores, "means")
    balanced = filled(scores, pairs)
    fitted = (np.isfinite(balanced) & np.isnan(scores)).any(axis=(1, 2))
    without = [
        least_squares(np.delete(scores, seed, axis=-1), pairs.without(seed))
        for seed in np.flatnonzero(own.any(axis=0)).tolist()
    ]
    whole = np.where(fitted, over_seeds(balanced), np.nan)
    return jackknife(whole, np.array(without), confidence, own.sum(axis=-1) - 1.0)
