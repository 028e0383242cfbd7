"""Error rates of the intervals and comparisons, by simulation with known truth.

Tolerances are four binomial standard errors, so that a right method fails once in 16,000 runs; the
seeds are fixed. Each test also runs a wrong method that has to be caught.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from ganstudy.analysis import arm_scores
from ganstudy.analysis.blocks import filled, interval_with_gaps, paired
from ganstudy.analysis.intervals import Array, holm, paired_t, t_interval
from tests.statistical.simulated import four_standard_errors, slack, stated, study

SEEDS = 5


def test_t_interval_covers_at_its_nominal_rate() -> None:
    runs = 20_000
    values = np.random.default_rng(0).normal(size=(runs, SEEDS))
    for confidence in (0.8, 0.95):
        interval = t_interval(values, confidence)
        covered = np.mean((interval.low <= 0) & (interval.high >= 0))
        assert abs(covered - confidence) < four_standard_errors(confidence, runs)
    normal = 1.96 * values.std(axis=1, ddof=1) / math.sqrt(SEEDS)
    too_narrow = np.mean(np.abs(values.mean(axis=1)) <= normal)
    assert too_narrow < 0.95 - four_standard_errors(0.95, runs)


def test_percentile_bootstrap_of_five_is_too_narrow() -> None:
    # The claim in the docstring of `t_interval`.
    runs, rng = 1000, np.random.default_rng(1)
    values = rng.normal(size=(runs, SEEDS))
    picks = rng.integers(SEEDS, size=(400, SEEDS))
    means = values[:, picks].mean(axis=-1)
    low, high = np.quantile(means, [0.025, 0.975], axis=-1)
    covered = np.mean((low <= 0) & (high >= 0))
    assert abs(covered - 0.84) < four_standard_errors(0.84, runs)


def test_arm_interval_covers_when_trials_share_their_seed() -> None:
    # 2,000 arms at four settings; the effect of a seed is common to its settings.
    runs, rng = 2000, np.random.default_rng(2)
    trials = rng.normal(size=(runs, 1, SEEDS)) + 0.5 * rng.normal(size=(runs, 4, SEEDS))
    ds = study(trials)
    scores = arm_scores(ds)
    covered = float(((scores["low"] <= 0) & (scores["high"] >= 0)).mean())
    assert abs(covered - 0.95) < four_standard_errors(0.95, runs)
    by_trial = t_interval(trials.reshape(runs, -1))
    assert np.mean((by_trial.low <= 0) & (by_trial.high >= 0)) < 0.8


@pytest.mark.slow
def test_the_interval_of_an_arm_with_gaps_covers() -> None:
    """Half of all trials are missing; filled scores taken for seen would hold 4 means in 5."""
    runs, rng, covered = 300, np.random.default_rng(8), 0.0
    for _ in range(runs):
        values = rng.normal(size=(4, 4, 10))
        values[rng.random(values.shape) < 0.5] = np.nan
        own = interval_with_gaps(values, 0.95)
        covered += float(((own.low <= 0) & (own.high >= 0)).mean())
    # Four arms a study, that share what was filled in.
    assert covered / runs > 0.95 - four_standard_errors(0.95, 2 * runs)
    gone = {tuple(map(int, place)): "failed" for place in np.argwhere(np.isnan(values))}
    np.testing.assert_allclose(arm_scores(study(values, status=gone))["low"], own.low)


def test_nothing_is_filled_in_beside_a_trial_that_is_worse_than_any_number() -> None:
    """The gap of the other arm, for which all is known, is filled as ever."""
    values = np.array([[[-np.inf, np.nan, 1.0], [3.0, 5.0, np.nan]], np.arange(6.0).reshape(2, 3)])
    values[1, 0, 0] = np.nan
    whole = filled(values, paired(values, "means"))
    np.testing.assert_array_equal(whole[0], values[0])
    assert np.isnan(whole[1, 0, 0])  # Nobody else has a score there.
    assert np.isfinite(whole[1].ravel()[1:]).all()


@pytest.mark.slow
@pytest.mark.parametrize("lower", [0.0, 0.7])
@pytest.mark.parametrize("settings", [1, 4])
def test_the_mean_of_what_survived_is_held_as_often_as_documented(
    settings: int, lower: float
) -> None:
    """Half of all trials diverge, chosen by luck that correlates with their score by `lower`."""
    words = (
        "or the lower more often; one setting, or four; normal | t over means of what survived |"
    )

    def drawn(rng: np.random.Generator, *shape: int) -> tuple[Array, Array]:
        scores, other = rng.normal(size=shape), rng.normal(size=shape)
        return scores, lower * scores + math.sqrt(1 - lower**2) * other < 0

    scores, lost = drawn(np.random.default_rng(0), 200_000, settings)
    known = np.where(lost, np.nan, scores)[~lost.all(axis=1)]
    mean = np.nanmean(np.nanmean(known, axis=1))
    told = stated("statistics", words + 4 * " # % |")
    for seeds, percent in zip((3, 5, 10, 20), told, strict=True):
        scores, lost = drawn(np.random.default_rng(seeds), 2000, settings, seeds)
        states = {tuple(map(int, at)): "diverged" for at in np.argwhere(lost)}
        found = arm_scores(study(np.where(lost, 0.0, scores), status=states))
        # An arm of one seed has no limits.
        limited = np.isfinite(found["low"].values)
        held = ((found["low"] <= mean) & (mean <= found["high"])).values[limited]
        assert abs(held.mean() - percent / 100) < slack(percent, held.size), seeds


@pytest.mark.slow
def test_the_mean_of_what_survived_is_held_where_trials_failed_besides() -> None:
    """Failed trials of settings that are seldom survived would count whole: 64 % of means held."""
    survived, level = np.array([1.0, 0.8, 0.5, 0.2]), 3.0 * np.arange(4)[:, None]
    rng, runs, seeds, held = np.random.default_rng(6), 100, 20, 0
    alive = rng.random((200_000, 4)) < survived
    known = np.where(alive, level[:, 0], np.nan)[alive.any(axis=1)]
    mean = np.nanmean(np.nanmean(known, axis=1))
    for _ in range(runs):
        values = rng.normal(size=(3, 4, seeds)) + level
        values[0, rng.random((4, seeds)) > survived[:, None]] = -np.inf
        values[rng.random(values.shape) < 0.2] = np.nan
        states = {
            tuple(map(int, at)): "failed" if np.isnan(values[tuple(at)]) else "diverged"
            for at in np.argwhere(~np.isfinite(values))
        }
        scores = arm_scores(study(np.where(np.isfinite(values), values, 0.0), status=states))
        held += bool(scores["low"][0] <= mean <= scores["high"][0])
    assert held / runs > 0.95 - four_standard_errors(0.95, runs)


GAPS = {
    1: "| one setting, no bounds | |",
    4: "half of all trials missing; four settings | least squares, jackknife over seeds |",
}
"""Rows of docs/statistics.md, by settings."""


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 20])
@pytest.mark.parametrize("missing", [0.25, 0.5])
@pytest.mark.parametrize("settings", GAPS)
def test_intervals_of_arms_with_gaps_cover_as_often_as_documented(
    settings: int, missing: float, seeds: int
) -> None:
    """Of four arms, and of those among them whose trials are all there."""
    numbers = stated("statistics", GAPS[settings] + 4 * " # / # % |")
    percent = numbers[2 * (3, 5, 10, 20).index(seeds) + (missing == 0.5)]
    rng, runs = np.random.default_rng(seeds), 50 if seeds == 20 else 100
    held: list[bool] = []
    for _ in range(runs):
        values = rng.normal(size=(4, settings, seeds))
        values[rng.random(values.shape) < missing] = np.nan
        fitted, seen = interval_with_gaps(values, 0.95), t_interval(values.mean(axis=1))
        low = np.where(np.isnan(fitted.low), seen.low, fitted.low)
        high = np.where(np.isnan(fitted.high), seen.high, fitted.high)
        # An arm of one seed has no limits.
        held += ((low <= 0) & (high >= 0))[np.isfinite(low)].tolist()
    # Arms of a study share what was filled in.
    assert abs(np.mean(held) - percent / 100) < slack(percent, len(held) // 2)


def test_equal_arms_are_told_apart_from_the_best_at_most_at_the_stated_rate() -> None:
    # Holm over all pairs keeps the level; over the pairs with the best, chosen by looking, not.
    runs, arms, level = 4000, 4, 0.05
    rng = np.random.default_rng(3)
    values = rng.normal(size=(runs, arms, SEEDS)) + 3 * rng.normal(size=(runs, 1, SEEDS))
    first, second = np.triu_indices(arms, 1)
    p = paired_t(values[:, first] - values[:, second])
    best = values.mean(axis=-1).argmax(axis=-1)
    with_best = (first == best[:, None]) | (second == best[:, None])
    adjusted = holm(p)
    wrong = np.mean(((adjusted < level) & with_best).any(axis=1))
    assert wrong < level + four_standard_errors(level, runs)
    naive = np.stack([holm(row[kept]) for row, kept in zip(p, with_best, strict=True)])
    assert np.mean((naive < level).any(axis=1)) > level + four_standard_errors(level, runs)


DISCRETE: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "seven or eight modes": lambda rng, shape: 7.0 + (rng.random(shape) < 0.5),
    "eight modes, rarely seven": lambda rng, shape: 7.0 + (rng.random(shape) < 0.9),
    "all modes or none": lambda rng, shape: 8.0 * (rng.random(shape) < 0.5),
    "number of modes": lambda rng, shape: rng.binomial(8, 0.7, shape).astype(float),
}


@pytest.mark.parametrize("law", DISCRETE)
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_equal_arms_with_counts_for_scores_are_rarely_told_apart(law: str, seeds: int) -> None:
    """Few seeds of a count often differ by the same number in all: this is no certainty."""
    runs, level = 4000, 0.05
    for arms in (2, 4):
        values = DISCRETE[law](np.random.default_rng(5), (runs, arms, seeds))
        first, second = np.triu_indices(arms, 1)
        p = paired_t(values[:, first] - values[:, second])
        # The smallest of the p-values adjusted by Holm is the smallest times their number.
        wrong = np.mean(p.min(axis=1) * len(first) < level)
        assert wrong < level + four_standard_errors(level, runs)


COVERAGE = {
    "seven or eight modes": (7.5, {3: 0.75, 5: 0.94, 10: 0.98}),
    "eight modes, rarely seven": (7.9, {3: 0.27, 5: 0.41, 10: 0.65}),
    "number of modes": (5.6, {3: 0.94, 5: 0.94, 10: 0.95}),
}
"""True means, and the shares of intervals that cover, as in docs/statistics.md."""


@pytest.mark.parametrize("law", COVERAGE)
def test_intervals_of_counts_cover_as_seldom_as_documented(law: str) -> None:
    """Seeds that all score the same leave no width, and miss what was not drawn."""
    runs, (mean, documented) = 4000, COVERAGE[law]
    for seeds, expected in documented.items():
        interval = t_interval(DISCRETE[law](np.random.default_rng(7), (runs, seeds)))
        covered = np.mean((interval.low <= mean + 1e-9) & (interval.high >= mean - 1e-9))
        assert abs(covered - expected) < 0.005 + four_standard_errors(expected, runs)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_equal_arms_with_skewed_scores_are_rarely_told_apart(seeds: int) -> None:
    """Differences of equal arms are symmetric, and their tails only make the test cautious."""
    runs, level = 4000, 0.05
    values = np.random.default_rng(6).lognormal(size=(runs, 2, seeds))
    wrong = np.mean(paired_t(values[:, 0] - values[:, 1]) < level)
    assert 0.01 < wrong < level


def test_a_real_difference_is_found() -> None:
    # Paired differences of two standard deviations: the t test with n = 5 has power 0.92.
    runs = 4000
    differences = 2 + np.random.default_rng(4).normal(size=(runs, SEEDS))
    found = np.mean(paired_t(differences) < 0.05)
    assert abs(found - 0.92) < 0.03
