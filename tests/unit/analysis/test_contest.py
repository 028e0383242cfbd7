"""The evidence of pairs, the looks, and the seeds that a contest asks for."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from ganstudy.contest import Contest, StoppingRules, paired_differences, play
from ganstudy.contest.evidence import STAKES, evidence, one_sided_evidence
from ganstudy.contest.group_sequential import critical_values, looks, running_t

LOOKS = (5, 7, 10, 14, 20, 28, 40)
SIZES = [0.3, 0.0, 2.0, math.inf, 0.1, math.nan, 1.0, 1.0, 5.0, math.inf]


def flipped(sizes: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(list(product((1.0, -1.0), repeat=len(sizes)))) * np.array(sizes)


def test_evidence_is_the_formula() -> None:
    d = np.array([0.5, -1.0, 2.0])
    u = [d[i] / math.sqrt(np.mean(d[: i + 1] ** 2)) for i in range(3)]
    terms = [
        math.prod(math.exp(sign * c * x) / math.cosh(c * x) for x in u)
        for c in STAKES
        for sign in (1, -1)
    ]
    assert evidence(d)[-1] == pytest.approx(math.log(np.mean(terms)), rel=1e-12)


@pytest.mark.parametrize("sizes", [SIZES, SIZES[::-1], [math.inf] * 8, [1.0] * 8])
def test_evidence_is_a_martingale_under_fair_signs(sizes: list[float]) -> None:
    """Its mean over all signs is 1 after every pair, and at a time that the past chooses."""
    for paths in (evidence(flipped(sizes)), one_sided_evidence(flipped(sizes))):
        values = np.exp(paths)
        np.testing.assert_allclose(values.mean(axis=0), 1.0, rtol=1e-12)
        reached = values >= 1.5
        stop = np.where(reached.any(axis=1), reached.argmax(axis=1), values.shape[1] - 1)
        stopped = values[np.arange(len(values)), stop]
        assert stopped.mean() == pytest.approx(1.0, rel=1e-12)
        # Ville, exactly: over all signs, the share that ever reaches 4 is at most a quarter.
        assert np.mean(values.max(axis=1) >= 4) <= 1 / 4


def test_evidence_has_one_side() -> None:
    rng = np.random.default_rng(0)
    d = rng.normal(size=(500, 30)) * rng.exponential(size=30)
    assert (np.minimum(one_sided_evidence(d), one_sided_evidence(-d)) <= 1e-12).all()
    np.testing.assert_allclose(evidence(d), evidence(-d))
    np.testing.assert_allclose(evidence(7.0 * d), evidence(d))


def test_looks_and_what_they_spend() -> None:
    """The chance to cross no boundary, by SciPy's multivariate normal law."""
    assert looks(5, 40) == LOOKS
    assert looks(2, 3) == (2, 3)
    assert looks(6, 6) == (6,)
    covariance = [[math.sqrt(min(a, b) / max(a, b)) for a in LOOKS] for b in LOOKS]
    for level in (0.05, 0.05 / 6):
        bound = np.array(critical_values(LOOKS, level))
        assert bound[0] == pytest.approx(stats.norm.isf(level * (5 / 40) ** 1.5 / 2))
        for last in (2, 4, 7):
            law = stats.multivariate_normal(
                np.zeros(last), np.array(covariance)[:last, :last], seed=0, maxpts=200_000
            )
            inside = law.cdf(bound[:last], lower_limit=-bound[:last])
            spent = level * (LOOKS[last - 1] / 40) ** 1.5
            assert 1 - inside == pytest.approx(spent, rel=0.02)


def test_running_t_is_that_of_scipy() -> None:
    d = np.random.default_rng(1).normal(0.4, 1.0, size=(3, 9))
    d[0, 2] = math.nan
    z = running_t(d)
    for row, values in zip(z, d, strict=True):
        for n in range(3, 10):
            t, p = stats.ttest_1samp(values[:n], 0.0, nan_policy="omit")
            assert 2 * stats.norm.sf(abs(row[n - 1])) == pytest.approx(p, rel=1e-9)
            assert np.sign(row[n - 1]) == np.sign(t)
    # No spread is no certainty, and neither is none but for rounding.
    for constant in (np.full(5, 0.2), 0.1 * 3 - np.full(5, 0.1)):
        p = 2 * stats.norm.sf(running_t(constant))
        np.testing.assert_allclose(p[1:], 2 * 0.25 ** np.arange(2, 6))


def test_differences_of_infinite_and_missing_scores() -> None:
    inf, nan = math.inf, math.nan
    first = np.array([[1.0, -inf, -inf, nan, 2.0], [3.0, 5.0, -inf, 1.0, nan]])
    second = np.array([[0.0, 0.0, -inf, 4.0, 1.0], [1.0, -inf, 9.0, 3.0, nan]])
    found = paired_differences(np.array([first, second]))
    # Two settings; one each that is worse than any number; one of the first arm alone; ...
    np.testing.assert_array_equal(found, [[1.5, 0.0, -inf, -2.0, 1.0]])


def contest(scores: list[list[float]], **rules: object) -> Contest:
    differences = paired_differences(np.array(scores)[:, None])
    return Contest(StoppingRules(**rules), len(scores), differences)  # type: ignore[arg-type]


def clear(most: int = 12) -> list[list[float]]:
    """Three arms: two that are close, and one that is far behind."""
    noise = np.random.default_rng(3).normal(size=(3, most))
    return (noise + np.array([[6.0], [6.0], [0.0]])).tolist()


def test_only_arms_that_are_not_told_apart_go_on() -> None:
    seeds, standing = play(contest(clear(), start=5, most=12), np.ones((3, 12), bool))
    assert standing is not None
    assert not standing.settled
    assert standing.active.tolist() == [True, True, False]
    assert seeds.tolist() == [12, 12, int(seeds[2])]
    assert seeds[2] < 12
    assert standing.better.tolist() == [0, 1, 1]


def test_records_alone_decide() -> None:
    """A look that lacks a record ends what is known; the same records give the same answer."""
    own = contest(clear(), start=5, most=12)
    recorded = np.ones((3, 12), bool)
    recorded[:, 5:] = False
    seeds, standing = play(own, recorded)
    assert standing is not None
    assert seeds.max() == 6
    recorded[1, 4] = False
    seeds, standing = play(own, recorded)
    assert standing is None
    assert seeds.tolist() == [5, 5, 5]
    whole, most = play(own, np.ones((3, 12), bool))
    raised, more = play(contest(clear(12), start=5, most=9), np.ones((3, 12), bool))
    assert most is not None
    assert more is not None
    # What is known with fewer seeds stays known with more.
    assert (most.better[more.better != 0] == more.better[more.better != 0]).all()
    assert (whole >= raised).all()


def test_arms_that_do_equally_well_end_a_contest() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=0.1, size=(2, 40)).tolist()
    seeds, standing = play(
        contest(scores, start=5, most=40, equal_within=0.5), np.ones((2, 40), bool)
    )
    assert standing is not None
    assert standing.settled
    assert standing.equal.tolist() == [True]
    assert standing.better.tolist() == [0]
    assert seeds.max() < 15
    _, open_ = play(contest(scores, start=5, most=40), np.ones((2, 40), bool))
    assert open_ is not None
    assert not open_.settled


def test_a_mean_that_points_the_other_way_is_no_verdict() -> None:
    """Better in every seed, until one in which it is far worse: the mean is behind."""
    scores = np.zeros((2, 30))
    scores[0] = 1.0 + 0.01 * np.arange(30)
    own = contest(scores.tolist(), start=5, most=30)
    assert own.standing(np.array([30, 30])).better.tolist() == [1]
    scores[0, 29] = -1000.0
    own = contest(scores.tolist(), start=5, most=30)
    assert own.standing(np.array([29, 29])).better.tolist() == [1]
    assert own.standing(np.array([30, 30])).better.tolist() == [0]


def test_an_arm_that_diverges_without_a_bound_loses() -> None:
    scores = np.random.default_rng(0).normal(size=(2, 20))
    scores[1, ::2] = -math.inf
    for method in ("e_process", "group_sequential"):
        own = contest(scores.tolist(), start=5, most=20, method=method)
        seeds, standing = play(own, np.ones((2, 20), bool))
        assert standing is not None
        assert standing.leader == 0
        assert standing.better[0] >= 0
        assert seeds.max() <= 20


def test_an_arm_that_comes_back_catches_up() -> None:
    """The third was told apart from the first leader, and is not from the one that takes its place.

    The first has eight good seeds, and bad ones from then on.
    """
    n = 30
    scores = np.random.default_rng(138).normal(scale=0.7, size=(3, n))
    scores += np.array([[0.0], [0.5], [-0.3]])
    scores[0] += np.where(np.arange(n) < 8, 1.5, -4.0)
    own = contest(scores.tolist(), start=5, most=n)
    recorded = np.ones((3, n), bool)
    recorded[2, 8:] = False
    seeds, standing = play(own, recorded)
    assert standing is not None
    assert standing.seeds[standing.active].tolist() == [9, 9, 8]
    # A seed of the third is what is waited for, and the others get none before.
    assert seeds.tolist() == [9, 9, 9]
    seeds, standing = play(own, np.ones((3, n), bool))
    assert standing is not None
    assert standing.settled
    assert standing.leader == 1
    assert seeds.tolist() == [22, 22, 11]


def test_a_leader_that_falls_behind_goes_on_as_far_as_the_next() -> None:
    """The third is told apart from both before, and never comes back."""
    n = 30
    rng = np.random.default_rng(5)
    scores = rng.normal(scale=0.3, size=(3, n))
    scores[0, :10] += 3.0
    scores[0, 10:] -= 6.0
    scores[1] += 2.9
    own = contest(scores.tolist(), start=5, most=n)
    seeds, standing = play(own, np.ones((3, n), bool))
    assert standing is not None
    assert seeds[2] < seeds[1]
    for pair, (i, j) in enumerate(own.pairs):
        if standing.active[i] and standing.active[j]:
            assert standing.better[pair] == 0
            assert seeds[i] == seeds[j]


def test_a_claim_allows_for_the_pairs_that_are_left() -> None:
    """Evidence that settles one pair of one does not settle one pair of three, until one is out."""
    rng = np.random.default_rng(1)
    noise = rng.normal(scale=0.7, size=(3, 40))
    scores = noise + np.array([[1.0], [0.0], [0.0]])
    three = contest(scores.tolist(), start=5, most=40)
    pair = contest(scores[:2].tolist(), start=5, most=40)
    path = np.maximum.accumulate(three.apart[0])
    np.testing.assert_array_equal(three.apart[0], pair.apart[0])
    between = int(np.flatnonzero((path >= math.log(20)) & (path < math.log(60)))[0]) + 1
    assert pair.standing(np.full(2, between)).better.tolist() == [1]
    assert (three.apart[1:, :between].max(axis=1) < math.log(60)).all()
    assert three.standing(np.full(3, between)).better.tolist() == [0, 0, 0]
    standing = three.standing(np.full(3, 40))
    assert standing.better[0] == 1
    left = int((standing.better == 0).sum())
    assert three.needed(standing) == pytest.approx(np.full(40, math.log(20 * left)))
