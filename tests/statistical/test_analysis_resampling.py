"""Error rates of the statistics that stand beside the t tests, by simulation with known truth.

Tolerances are four binomial standard errors. Rates that are not nominal are the documented ones
(docs/statistics.md), so that a change of method is noticed either way.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2

from ganstudy import analysis
from ganstudy.analysis.intervals import t_interval
from ganstudy.analysis.ranks import friedman, ranked
from ganstudy.analysis.resampling import bca_interval, sign_flip_p
from ganstudy.analysis.variance import shares
from tests.statistical.simulated import Array, four_standard_errors, study

pytestmark = pytest.mark.slow

LEVEL = 0.05


def within(rate: float, expected: float, runs: int) -> bool:
    return abs(rate - expected) < four_standard_errors(expected, runs)


@pytest.mark.parametrize(("seeds", "bca"), [(5, 0.83), (10, 0.90), (20, 0.93)])
def test_coverage_of_bootstrap_and_t_intervals(seeds: int, bca: float) -> None:
    """Of normal differences: t is exact, BCa too narrow at the numbers of seeds in use."""
    runs = 400
    values = np.random.default_rng(seeds).normal(size=(runs, seeds))
    limits = np.array([bca_interval(row) for row in values])
    covered = np.mean((limits[:, 0] <= 0) & (limits[:, 1] >= 0))
    assert within(float(covered), bca, runs)
    exact = t_interval(values)
    assert within(float(np.mean((exact.low <= 0) & (exact.high >= 0))), 0.95, runs)


def test_t_covers_better_than_bca_for_skewed_differences_too() -> None:
    """Differences of exponentials less their mean, five seeds: both fall short, BCa by more."""
    runs = 400
    values = np.random.default_rng(1).exponential(size=(runs, 5)) - 1
    limits = np.array([bca_interval(row) for row in values])
    bca = float(np.mean((limits[:, 0] <= 0) & (limits[:, 1] >= 0)))
    exact = t_interval(values)
    t = float(np.mean((exact.low <= 0) & (exact.high >= 0)))
    assert within(t, 0.88, runs)
    assert within(bca, 0.77, runs)


def test_bca_of_skewed_differences_is_not_right_with_twenty_seeds() -> None:
    """Lognormal less their mean, as docs/statistics.md has it."""
    runs = 300
    rng = np.random.default_rng(9)
    values = rng.lognormal(size=(runs, 20)) - math.exp(0.5)
    limits = np.array([bca_interval(row) for row in values])
    covered = float(np.mean((limits[:, 0] <= 0) & (limits[:, 1] >= 0)))
    assert within(covered, 0.87, runs)


def friedman_of(values: Array) -> tuple[Array, Array]:
    """Statistics and p of studies without settings, `(runs, seeds, arms)`."""
    ranks = ranked(-values.reshape(-1, values.shape[-1])).reshape(values.shape)
    statistic, p = zip(*map(friedman, ranks), strict=True)
    return np.array(statistic), np.array(p)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_friedman_by_iman_and_davenport_keeps_its_level_and_finds_more(seeds: int) -> None:
    """Of four equal arms, and of arms half a standard deviation apart; chi-square finds less."""
    runs, rng = 400, np.random.default_rng(seeds)
    found = {}
    for name, step in (("null", 0.0), ("apart", 0.5)):
        values = rng.normal(size=(runs, seeds, 4)) + step * np.arange(4)
        statistic, p = friedman_of(values)
        found[name] = np.mean(p < LEVEL), np.mean(chi2.sf(statistic, 3) < LEVEL)
    assert found["null"][0] < LEVEL + four_standard_errors(LEVEL, runs)
    assert found["apart"][0] > found["apart"][1]
    table = analysis.rank_table(study(values[0].T[:, None]))
    assert (table["statistic"], table["p"]) == (statistic[0], p[0])


@pytest.mark.parametrize(("seeds", "smallest"), [(5, 2 / 32), (8, 2 / 256)])
def test_sign_flips_keep_their_level_and_find_differences(seeds: int, smallest: float) -> None:
    runs = 2000
    rng = np.random.default_rng(seeds)
    null = np.array([sign_flip_p(row) for row in rng.standard_t(3, size=(runs, seeds))])
    # The level of a discrete test is the largest multiple of its step that the level allows.
    size = math.floor(LEVEL / smallest) * smallest
    assert within(float(np.mean(null < LEVEL + 1e-9)), size, runs) if size else (null > LEVEL).all()
    shifted = np.array([sign_flip_p(row) for row in rng.normal(size=(300, seeds)) + 2.0])
    assert (shifted == smallest).mean() > 0.7


def test_ranks_keep_their_level_and_find_differences() -> None:
    """Of equal arms, Friedman's test and Nemenyi's distance, which stands for all pairs, find few.

    One simulation for both: 1,000 studies, of which at most 77 may err (a level of 0.078).
    """
    runs, arms, seeds = 1000, 4, 10
    rng = np.random.default_rng(2)
    values = rng.normal(size=(runs, seeds, arms))
    largest = LEVEL + four_standard_errors(LEVEL, runs)
    assert np.mean(friedman_of(values)[1] < LEVEL) < largest
    table = analysis.rank_table(study(values[0].T[:, None]))
    mean_ranks = ranked(-values.reshape(-1, arms)).reshape(values.shape).mean(axis=1)
    np.testing.assert_allclose(table["rank"], mean_ranks[0])
    apart = np.ptp(mean_ranks, axis=1) > float(table["critical_difference"])
    assert 0 < np.mean(apart) < largest
    better = rng.normal(size=(200, seeds, arms)) + np.arange(arms)
    assert np.mean(friedman_of(better)[1] < LEVEL) > 0.9


def test_effects_keep_their_level_with_seeds_in_common_and_holes() -> None:
    """No effect of arm or lr; seeds differ much, and a fifth of the trials is missing."""
    runs, rng = 200, np.random.default_rng(4)
    wrong = 0
    for _ in range(runs):
        values = rng.normal(size=(3, 2, 5)) + 3 * rng.normal(size=5)
        gone = rng.random(values.shape) < 0.2
        wrong += bool((shares(np.where(gone, np.nan, values)).p < LEVEL).any())
    assert wrong / runs < LEVEL + 4 * math.sqrt(LEVEL * (1 - LEVEL) / runs)


def test_shares_recover_known_variances() -> None:
    """Effects of variance 4 and 1, and noise of 3: a half, an eighth, and the rest."""
    rng = np.random.default_rng(5)
    arm, lr = np.array([-2.0, 2.0])[:, None, None], np.array([-1.0, 1.0])[None, :, None]
    values = arm + lr + math.sqrt(3) * rng.normal(size=(2, 2, 400))
    effects = analysis.factor_effects(study(values))
    share = dict(zip(effects["effect"].values, effects["share"].values, strict=True))
    assert share["arm"] == pytest.approx(4 / 8, abs=0.04)
    assert share["lr"] == pytest.approx(1 / 8, abs=0.04)
    assert share["arm × lr"] < 0.01
