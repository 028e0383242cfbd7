"""Error and power of contests whose seeds are added until they are settled, by simulation.

The figures are those of docs/statistics.md; tolerances are four binomial standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from ganstudy.analysis.intervals import t_interval
from ganstudy.contest import Contest, Method, StoppingRules, paired_differences, play
from tests.statistical.simulated import Stated, four_standard_errors, slack, stated

pytestmark = pytest.mark.slow

MOST = 40
RUNS = 400

Draw = Callable[
    [np.random.Generator, tuple[int, ...]], np.ndarray[tuple[int, ...], np.dtype[np.float64]]
]


class Rates(NamedTuple):
    """wrong: some pair was told apart that is equal, or the wrong way round; and so for equal.

    seeds, error  of an arm, on average, and the standard error of that
    """

    wrong: float
    wrongly_equal: float
    settled: float
    seeds: float
    error: float


def normal(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Scores whose paired differences have a standard deviation of 1."""
    return rng.normal(scale=math.sqrt(0.5), size=shape)


def simulate(
    effect: float,
    method: Method = "e_process",
    margin: float | None = None,
    draw: Draw = normal,
    runs: int = RUNS,
) -> Rates:
    """Four arms, the first of them ahead by an effect."""
    rng = np.random.default_rng(0)
    rules = StoppingRules(5, MOST, equal_within=margin, method=method)
    recorded = np.ones((4, MOST), bool)
    found = []
    for _ in range(runs):
        scores = draw(rng, (4, 1, MOST))
        scores[0] += effect
        contest = Contest(rules, 4, paired_differences(scores))
        seeds, standing = play(contest, recorded)
        assert standing is not None
        true = np.array([np.sign(effect) if i == 0 else 0.0 for i, _ in contest.pairs])
        wrong = ((standing.better != 0) & (standing.better != true)).any()
        far = np.array([effect if i == 0 else 0.0 for i, _ in contest.pairs])
        equal = (standing.equal & (far >= (margin or math.inf))).any()
        found.append((wrong, equal, standing.settled, seeds.mean()))
    error = np.std([seeds for *_, seeds in found]) / math.sqrt(runs)
    return Rates(*np.mean(found, axis=0).tolist(), float(error))


def collapsing(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """As a bounded score where one seed in five collapses: 0.2 or 0.98, with jitter."""
    return np.where(rng.random(shape) < 0.2, 0.2, 0.98) + rng.uniform(-0.005, 0.005, shape)


def heavy(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return rng.standard_cauchy(shape)


@pytest.mark.parametrize("draw", [normal, collapsing, heavy])
def test_equal_arms_are_told_apart_rarely(draw: Draw) -> None:
    """2 to 3 %, whatever the law: what is assumed is that arms are exchangeable within a seed."""
    rates = simulate(0.0, draw=draw)
    assert rates.wrong <= 0.03 + four_standard_errors(0.03, RUNS)


def unequal(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Equal means: the first arm collapses in one seed in five, the others never do."""
    scores = 0.824 + 0.02 * rng.normal(size=shape)
    fallen = rng.random(shape[1:]) < 0.2
    scores[0] = np.where(fallen, 0.2, 0.98) + 0.005 * rng.normal(size=shape[1:])
    return scores


@pytest.mark.parametrize(("method", "rate"), [("e_process", 0.15), ("group_sequential", 0.24)])
def test_equal_means_of_unequal_shapes_are_told_apart(method: Method, rate: float) -> None:
    """They are not exchangeable: what docs/settled.md warns of."""
    assert abs(simulate(0.0, method, draw=unequal).wrong - rate) < four_standard_errors(rate, RUNS)


EFFECTS = (0.5, 1.0, 2.0)
TABLE = {
    "e_process": "| `e_process` | 2 to 3 % | # %, # seeds per arm | # %, # | # %, # |",
    "group_sequential": "| `group_sequential` | 4.6 % | # %, # | # %, # | # %, # |",
}


def as_stated(rates: Rates, settled: Stated, seeds: Stated, runs: int) -> bool:
    """Whether so many percent were settled after so many seeds an arm, but for chance."""
    apart = abs(rates.settled - settled / 100), abs(rates.seeds - seeds)
    return apart[0] < slack(settled, runs) and apart[1] < seeds.rounding + 4 * rates.error


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("method", TABLE)
def test_power_and_cost(method: Method, effect: float) -> None:
    """The table of docs/settled.md."""
    at = 2 * EFFECTS.index(effect)
    settled, seeds = stated("settled", TABLE[method])[at : at + 2]
    rates = simulate(effect, method)
    assert as_stated(rates, settled, seeds, RUNS), rates
    assert settled < 100 or rates.settled >= 0.995
    assert rates.wrong <= 0.05


def test_the_error_of_group_sequential_looks() -> None:
    assert abs(simulate(0.0, "group_sequential").wrong - 0.046) <= four_standard_errors(0.046, RUNS)


def test_a_t_test_after_every_seed_would_err() -> None:
    """What the methods are for: 31 % of four equal arms, with Holm over the pairs at each look."""
    rng = np.random.default_rng(0)
    d = np.array([paired_differences(normal(rng, (4, 1, MOST))) for _ in range(RUNS)])
    n = np.arange(5, MOST + 1)
    mean = np.cumsum(d, axis=-1)[..., 4:] / n
    square = np.cumsum(d**2, axis=-1)[..., 4:]
    t = mean / np.sqrt((square - n * mean**2) / (n - 1) / n)
    p = 2 * stats.t.sf(np.abs(t), n - 1)
    rate = float((p.min(axis=(1, 2)) * 6 <= 0.05).mean())
    assert abs(rate - 0.31) < four_standard_errors(0.31, RUNS) + 0.05


@pytest.mark.parametrize(("effect", "of_arms", "of_leader"), [(0.0, 0.93, 0.87), (1.0, 0.95, 0.95)])
def test_intervals_of_arms_whose_seeds_were_added(
    effect: float, of_arms: float, of_leader: float
) -> None:
    """Student's, as for a fixed number: what the page says beside them."""
    runs, rng, rules = 150, np.random.default_rng(0), StoppingRules(5, MOST, step=5)
    recorded = np.ones((4, MOST), bool)
    true = np.array([effect, 0.0, 0.0, 0.0])
    inside = np.zeros((runs, 4), bool)
    leaders = np.zeros(runs, bool)
    for run in range(runs):
        scores = normal(rng, (4, 1, MOST)) + true[:, None, None]
        seeds, standing = play(Contest(rules, 4, paired_differences(scores)), recorded)
        assert standing is not None
        for arm, count in enumerate(seeds.tolist()):
            found = t_interval(scores[arm, 0, :count])
            inside[run, arm] = found.low <= true[arm] <= found.high
        leaders[run] = inside[run, standing.leader]
    assert abs(inside.mean() - of_arms) < four_standard_errors(of_arms, runs) / 2
    assert abs(leaders.mean() - of_leader) < four_standard_errors(of_leader, runs)


@pytest.mark.parametrize("method", TABLE)
def test_an_arm_at_the_margin_is_called_equal_rarely(method: Method) -> None:
    (percent,) = stated("settled", "An arm exactly `equal_within` ahead is called equal in # %")
    at_margin = simulate(1.0, method, margin=1.0)
    assert abs(at_margin.wrongly_equal - percent / 100) < slack(percent, RUNS)
    assert at_margin.wrong <= 0.05


WIDE = (
    "With `equal_within` at 1 sd, four equal arms are settled in # % of studies after # seeds,"
    " and at 1.5 sd in all of them after # (`group_sequential`: in all of them, after # and #); at"
    " 0.5 sd, forty seeds are too few."
)


@pytest.mark.parametrize("margin", [1.0, 1.5])
@pytest.mark.parametrize("method", TABLE)
def test_equal_arms_are_settled_where_the_margin_is_wide(method: Method, margin: float) -> None:
    most, *seeds = stated("settled", WIDE)
    which = [(name, of) for name in TABLE for of in (1.0, 1.5)].index((method, margin))
    rates = simulate(0.0, method, margin=margin, runs=200)
    assert as_stated(rates, most if which == 0 else Stated("100"), seeds[which], 200), rates
    assert rates.wrong <= 0.05


@pytest.mark.parametrize("method", TABLE)
def test_equal_arms_are_seldom_settled_where_the_margin_is_narrow(method: Method) -> None:
    rates = simulate(0.0, method, margin=0.5, runs=100)
    assert rates.settled <= {"e_process": 0.0, "group_sequential": 0.25}[method]
    assert rates.seeds > 38
