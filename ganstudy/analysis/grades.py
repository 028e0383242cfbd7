"""How sure a comparison is, on plain arrays: three grades, and what would have earned the best."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ganstudy.analysis.intervals import (
    ROUNDING,
    holm,
    known_mean,
    moments,
    paired_t,
    sign_test,
    smallest_p,
)

Array = NDArray[np.float64]

CLEAR = 0.01
"""Adjusted p below which a difference is clear, with all seeds and without any one of them."""
LEANING = 0.2
"""Adjusted p below which a difference leans one way.

Much lower, and of two halves of the seeds one would call clear what the other leaves open in more
than a tenth of studies (tests/statistical/test_verdicts.py).
"""
POWER = 0.8
STUDIES = 1000
MOST_SEEDS = 100


SETTINGS = 4
"""Settings from which the mean of a seed is near enough to normal to be treated so."""
OF_FEW = 10
"""Seeds below which nothing is clear in fewer settings than that: five seeds miss what happens to
one in five so often that arms of equal means would be clear in a third of studies."""
A_TOSS = 0.5
"""Chance that one of two equal arms wins all settings of a seed, at most."""


def graded(
    differences: Array,
    settings: int | Array = SETTINGS,
    *,
    wins: bool = False,
    own_luck: bool = False,
) -> tuple[Array, NDArray[np.str_]]:
    """P-values of all pairs, adjusted by Holm, and their grades.

    settings   that the difference of a seed is the mean over, of all pairs or of each
    wins       whether differences are shares of settings won less those lost: in few settings they
               have so few values that t is no test of them, and signs are counted; in more no p is
               below that of signs that all agree, as they may where the settings of a seed share
               its luck
    own_luck   whether each of them has luck of its own, as targets do

    `clear`    the adjusted p is below `CLEAR`, and stays so, with the same sign, without any one
               seed; of fewer than `SETTINGS` settings there are `OF_FEW` seeds or more
    `leaning`  it is below `LEANING`
    `open`     neither, or nothing to test

    Shapes  `(*, pairs, seeds) -> (*, pairs)`; NaN is a seed that a pair does not have.
    """
    few = np.asarray(settings) < SETTINGS

    def test(differences: Array) -> Array:
        t = paired_t(differences)
        if not wins:
            return t
        if not own_luck:
            t = np.maximum(t, smallest_p(np.isfinite(differences).sum(axis=-1), A_TOSS))
        return np.where(few, sign_test(differences), t)

    p = holm(test(differences))
    sign = np.sign(known_mean(differences)[0])
    sure = p < CLEAR
    sure &= ~few | (np.isfinite(differences).sum(axis=-1) >= OF_FEW)
    for seed in range(differences.shape[-1] if sure.any() else 0):
        rest = np.delete(differences, seed, axis=-1)
        sure &= (holm(test(rest)) < CLEAR) & (np.sign(known_mean(rest)[0]) == sign)
    return p, np.where(sure, "clear", np.where(p < LEANING, "leaning", "open"))


def in_direction(grades: NDArray[np.str_], tested: Array, told: Array | float) -> NDArray[np.str_]:
    """Grades, `open` where the difference that was tested has the opposite sign of what is told."""
    return np.where((grades != "") & (tested * told < 0), "open", grades)


def fewest_seeds(pairs: int, settings: int = SETTINGS, *, wins: bool = False) -> int:
    """Seeds below which no difference among so many pairs of arms can be clear, however large.

    wins  whether arms are compared by wins, as in `graded`
    """
    least = partial(smallest_p, chance=A_TOSS) if wins else smallest_p
    # One seed is left out, and the smallest p of the others is multiplied by the number of pairs.
    fewest = 1 + next(n for n in range(2, 60) if pairs * float(least(n)) < CLEAR)
    return max(fewest, OF_FEW) if settings < SETTINGS else fewest


@lru_cache(maxsize=256)
def clear_effect(seeds: int, pairs: int, settings: int = SETTINGS) -> float:
    r"""The difference, in standard deviations of paired differences, that would be clear so often.

    Maths   $\delta$ with $P(\text{clear}) = $ `POWER` for n normal differences of mean $\delta$ and
            variance one, at the first step of Holm's correction; by 1,000 simulated studies of a
            fixed stream, to within 3 % of itself. Infinite where nothing can be clear.
    """
    if seeds < fewest_seeds(pairs, settings):
        return np.inf
    noise = np.random.default_rng(seeds).normal(size=(STUDIES, seeds))
    low, high = 0.0, 64.0
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        found = float(np.mean(_clear_alone(noise + middle, pairs)))
        low, high = (low, middle) if found >= POWER else (middle, high)
    return high


def detectable(differences: Array, pairs: int, settings: int | Array) -> Array:
    """The difference that would have been clear with a chance of `POWER`, its spread as seen.

    settings  that the difference of a seed is the mean over, of all rows or of each

    Infinite where so few seeds can make nothing clear, NaN where seeds have no spread.

    Shapes  `(*, seeds) -> (*)`.
    """
    _, spread, count = moments(differences)
    alike = np.where(np.asarray(settings) < SETTINGS, 1, SETTINGS)
    effect = np.vectorize(lambda n, s: clear_effect(int(n), pairs, int(s)), otypes=[float])
    size = np.where(np.isfinite(differences), np.abs(differences), 0.0).max(axis=-1, initial=0.0)
    # Seeds that all agree have no spread to go by.
    spread = np.where((count < 2) | (spread <= ROUNDING * size), np.nan, spread)
    least = np.where(count < 2, np.nan, effect(count, alike))
    # No spread makes clear what so few seeds cannot.
    return np.asarray(np.where(np.isinf(least), least, least * spread))


def seeds_for(effect: float, pairs: int, settings: int = SETTINGS) -> int | None:
    """The fewest seeds with which such an effect would be clear with a chance of `POWER`.

    effect  in standard deviations of paired differences; None beyond `MOST_SEEDS`
    """
    low, high = fewest_seeds(pairs, settings) - 1, MOST_SEEDS
    if clear_effect(high, pairs, settings) > effect:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = clear_effect(middle, pairs, settings) <= effect
        low, high = (low, middle) if enough else (middle, high)
    return high


def _clear_alone(values: Array, tests: int) -> NDArray[np.bool_]:
    """Whether each row would be clear as the smallest of so many p-values; `(*, n) -> (*)`."""
    n = values.shape[-1]
    mean = values.mean(axis=-1, keepdims=True)
    squares = ((values - mean) ** 2).sum(axis=-1, keepdims=True)
    means = (n * mean - values) / (n - 1)
    # Without one value the sum of squares falls by n / (n - 1) times its squared distance.
    spreads = np.sqrt(np.maximum(squares - n / (n - 1) * (values - mean) ** 2, 0.0) / (n - 2))
    within, left = (-float(stdtrit(freedom, CLEAR / tests / 2)) for freedom in (n - 1, n - 2))
    whole = np.abs(mean[..., 0]) > within * np.sqrt(squares[..., 0] / (n - 1) / n)
    without = means * np.sign(mean) > left * spreads / np.sqrt(n - 1)
    return np.asarray(whole & without.all(axis=-1))
