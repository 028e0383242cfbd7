"""Statistics of arms against SciPy and against numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy import stats

from ganstudy import analysis
from ganstudy.analysis.arms import most_agree
from ganstudy.analysis.grades import clear_effect, fewest_seeds, graded, seeds_for
from ganstudy.analysis.intervals import holm
from ganstudy.analysis.periods import periodicity
from ganstudy.analysis.resampling import bca_interval, sign_flip_p
from ganstudy.analysis.variance import shares, variance

Make = Callable[..., xr.Dataset]
NAN = math.nan


def study(
    values: NDArray[np.float64] | Sequence[object],
    *,
    axes: Sequence[str] = ("arm", "lr"),
    status: Mapping[tuple[int, ...], str] | None = None,
    lower: bool = False,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> xr.Dataset:
    """A study whose scores are `values`, dims (axes…, seed)."""
    levels = np.asarray(values, np.float64)
    states = np.full(levels.shape, "complete", dtype="<U10")
    for point, state in (status or {}).items():
        states[point] = state
    dims = (*axes, "seed")
    attrs = {
        "long_name": "quality",
        "role": "metric",
        "direction": "lower" if lower else "higher",
        "bounds": list(bounds),
        "value_at_equality": NAN,
    }
    curve = np.where(states == "complete", levels, NAN)[..., None]
    return xr.Dataset(
        {
            "status": (dims, states),
            "diverged_at": (dims, np.where(states == "diverged", 5.0, NAN)),
            "quality": ((*dims, "step"), curve, attrs),
        },
        coords={
            **{axis: [f"{axis}{k}" for k in range(levels.shape[i])] for i, axis in enumerate(axes)},
            "seed": np.arange(levels.shape[-1]),
            "step": [10],
        },
        attrs={"study": "hand", "compare": axes[0], "score": "quality"},
    )


@pytest.fixture
def scores() -> NDArray[np.float64]:
    """Three arms, two settings, six seeds."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 2, 6)) + np.arange(3)[:, None, None] + rng.normal(size=6)


def test_bca_interval_is_scipys() -> None:
    values = np.random.default_rng(1).exponential(size=12)
    expected = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=9999, rng=np.random.default_rng(0)
    ).confidence_interval
    assert_allclose(bca_interval(np.append(values, NAN)), expected)
    assert_array_equal(bca_interval(np.array([1.0, 2.0])), [NAN, NAN])
    assert_array_equal(bca_interval(np.full(5, 0.1)), [0.1, 0.1])


@pytest.mark.parametrize("pairs", [5, 9])
def test_sign_flips_are_scipys_permutation_test(pairs: int) -> None:
    values = np.random.default_rng(2).normal(size=pairs) + 0.7
    expected = stats.permutation_test(
        (values, np.zeros(pairs)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert sign_flip_p(values) == pytest.approx(expected.pvalue)


def test_sign_flips_of_many_pairs_approach_the_t_test() -> None:
    values = np.random.default_rng(3).normal(size=200) + 0.15
    assert sign_flip_p(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.01)


def test_sign_flips_at_the_edges() -> None:
    assert sign_flip_p(np.ones(5)) == 2**-4
    assert sign_flip_p(np.zeros(5)) == 1
    assert math.isnan(sign_flip_p(np.array([NAN])))


def test_pairs_by_resampling(scores: NDArray[np.float64]) -> None:
    few = analysis.compare_by_resampling(study(scores))
    assert few["p"].isnull().all(), "3 / 2⁵ is the least that six seeds and three pairs can give"
    scores = np.concatenate([scores, scores[..., :2] + 0.1], axis=2)
    pairs = analysis.compare_by_resampling(study(scores))
    ours = pairs.sel(arm="arm2", other="arm0", drop=True)
    differences = (scores[2] - scores[0]).mean(axis=0)
    assert float(ours["difference"]) == pytest.approx(differences.mean())
    assert_allclose([ours["low"], ours["high"]], bca_interval(differences), rtol=1e-12)
    wins = (scores[2] > scores[0]).mean()
    assert float(ours["improvement"]) == pytest.approx(wins)
    assert int(ours["pairs"]) == 16
    raw = [sign_flip_p((scores[i] - scores[j]).mean(axis=0)) for i, j in ((0, 1), (0, 2), (1, 2))]
    adjusted = pairs["p"].values[[0, 0, 1], [1, 2, 2]]
    assert_allclose(np.sort(adjusted), np.sort(holm(np.array(raw))))
    other = pairs.sel(arm="arm0", other="arm2", drop=True)
    assert float(other["low"]) == -float(ours["high"])
    assert float(other["improvement"]) == pytest.approx(1 - wins)


def test_improvement_counts_ties_half_and_follows_the_direction() -> None:
    values = np.array([[[1.0, 2.0, 3.0, 4.0]], [[1.0, 1.0, 1.0, 9.0]]])
    for lower, expected in ((False, (2 + 0.5) / 4), (True, (1 + 0.5) / 4)):
        pairs = analysis.compare_by_resampling(study(values, lower=lower))
        assert float(pairs["improvement"][0, 1]) == expected


def test_improvement_over_a_diverged_trial_without_a_worst_bound() -> None:
    """It lost against every trial that did not diverge, and ties with those that did."""
    values = np.array([[[1.0, 2.0, 3.0, 4.0]], [[2.0, 1.0, 4.0, 5.0]]])
    status = {(0, 0, 0): "diverged", (1, 0, 1): "diverged", (0, 0, 2): "diverged"}
    status |= {(1, 0, 2): "diverged"}
    pairs = analysis.compare_by_resampling(study(values, status=status, lower=True))
    assert float(pairs["improvement"][0, 1]) == (0 + 1 + 0.5 + 1) / 4
    assert int(pairs["pairs"][0, 1]) == 4
    assert float(pairs["difference"][0, 1]) == -1.0


def test_improvement_is_over_shared_settings() -> None:
    """At the second setting the third arm is excluded; what diverged there takes no part."""
    values = np.array([[[1.0, 1.0], [9.0, 9.0]], [[2.0, 2.0], [0.0, 0.0]], [[3.0, 3.0]] * 2])
    status = {(2, 1, seed): "excluded" for seed in range(2)} | {(0, 1, 0): "diverged"}
    pairs = analysis.compare_by_resampling(study(values, status=status))
    assert float(pairs["improvement"][0, 1]) == 0
    assert int(pairs["pairs"][0, 1]) == 2


def test_pairs_without_a_common_trial_are_not_compared() -> None:
    status = {(0, 0, 0): "failed", (1, 0, 1): "missing"}
    pairs = analysis.compare_by_resampling(study(np.ones((2, 1, 2)), status=status))
    assert int(pairs["pairs"][0, 1]) == 0
    assert np.isnan(pairs["p"][0, 1])
    assert np.isnan(pairs["improvement"][0, 1])


def test_profile_is_the_share_at_least_as_good() -> None:
    values = np.array([[[0.0, 5.0, 10.0, 10.0]], [[2.0, 2.0, 2.0, 2.0]]])
    profile = analysis.performance_profile(study(values))
    assert_allclose(profile.sel(level=[0.0, 2.0, 5.0, 10.0], method="nearest").values, [
        [1.0, 0.75, 0.75, 0.5],
        [1.0, 1.0, 0.0, 0.0],
    ])  # fmt: skip
    lower = analysis.performance_profile(study(values, lower=True))
    assert_allclose(lower.sel(level=[0.0, 2.0, 10.0], method="nearest").values, [
        [0.25, 0.25, 1.0],
        [0.0, 1.0, 1.0],
    ])  # fmt: skip
    assert "this or less" in lower.attrs["long_name"]
    assert_array_equal(lower["level"], [0.0, 2.0, 5.0, 10.0])


def test_profile_steps_at_the_scores_however_far_one_of_them_lies() -> None:
    """On a hundred even levels a thousand hid where half of the trials are: at 10, and not at 1."""
    values = np.array([[[1.0, 1.1, 2.0, 1000.0]]])
    profile = analysis.performance_profile(study(values, lower=True))[0]
    assert float(profile["level"][profile.values >= 0.5].min()) == 1.1


@pytest.mark.parametrize("count", [4, 8, 20])
def test_interquartile_mean_is_scipys_trimmed_mean(count: int) -> None:
    values = np.random.default_rng(4).normal(size=(1, 1, count))
    iqm = analysis.interquartile_mean(study(values))
    assert float(iqm[0]) == pytest.approx(stats.trim_mean(values.ravel(), 0.25))


def test_interquartile_mean_of_a_number_that_four_does_not_divide() -> None:
    # Of five, a quarter of 1.25 is left out on each side: 0.75, 1 and 0.75 of the middle three.
    values = np.array([[[100.0, 1.0, 2.0, 4.0, -100.0]]])
    expected = (0.75 * 1 + 2 + 0.75 * 4) / 2.5
    assert float(analysis.interquartile_mean(study(values))[0]) == pytest.approx(expected)


def test_diverged_trials_of_an_unbounded_metric_are_the_worst() -> None:
    values = np.array([[np.arange(8.0)], [np.arange(8.0)]])
    status = {(0, 0, 0): "diverged", (1, 0, 7): "diverged"}
    ds = study(values, status=status, lower=True)
    iqm = analysis.interquartile_mean(ds)
    assert_allclose(iqm, [4.5, 3.5])
    profile = analysis.performance_profile(ds)
    assert float(profile.max("level")[0]) == 7 / 8
    many = {(0, 0, seed): "diverged" for seed in range(4)}
    assert math.isinf(analysis.interquartile_mean(study(values, status=many, lower=True))[0])
    ranks = analysis.rank_table(study(values, status=many))
    assert_array_equal(ranks["rank"], [(4 * 2 + 4 * 1.5) / 8, (4 * 1 + 4 * 1.5) / 8])


def test_an_exploded_trial_makes_no_others_equal() -> None:
    """Rounding is of the scores in a sum: a third arm's trial at 1e13 hid differences up to 10."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 1, 12)) / 10 + np.array([5.0, 6.0, 7.0])[:, None, None]
    alone = analysis.compare_arms(study(values[:2], lower=True)).isel(arm=0, other=1)
    assert alone["grade"] == "clear"
    ranks = analysis.rank_table(study(values[:2], lower=True))["rank"]
    values[2, 0, 3] = 1e13
    ds = study(values, lower=True)
    beside = analysis.compare_arms(ds).isel(arm=0, other=1)
    assert float(beside["difference"]) == float(alone["difference"]) == pytest.approx(-1, abs=0.2)
    assert float(beside["won"]) == float(alone["won"]) == 1
    assert beside["grade"] == "clear"
    assert_array_equal(analysis.rank_table(ds)["rank"][:2], ranks)
    profile = analysis.performance_profile(ds)
    assert_allclose(profile.isel(level=0), [1 / 12, 0, 0])
    assert not most_agree(values[2]).any()


def test_scores_of_any_size_are_won() -> None:
    values = np.array([[1e12, 1e13, 2e13], [2e12, 2e13, math.inf]])[:, None, :]
    found = analysis.compare_arms(study(values, lower=True)).isel(arm=0, other=1)
    assert float(found["won"]) == 1


def test_infinitely_bad_trials_are_the_worst_and_not_left_out() -> None:
    """A complete trial of infinite divergence counts as one that diverged does."""
    values = np.array([[np.arange(8.0)], [np.arange(8.0) + 0.5]])
    values[0, 0, 0] = math.inf
    ds = study(values, lower=True)
    assert int(analysis.trial_scores(ds)["unbounded"].sum()) == 1
    assert_allclose(analysis.interquartile_mean(ds), [4.5, 4.0])
    assert float(analysis.performance_profile(ds).max("level")[0]) == 7 / 8
    assert_allclose(analysis.rank_table(ds)["rank"], [(2 + 7 * 1) / 8, (1 + 7 * 2) / 8])
    pairs = analysis.compare_by_resampling(ds).sel(arm="arm0", other="arm1", drop=True)
    assert (float(pairs["improvement"]), int(pairs["pairs"])) == (7 / 8, 8)
    assert float(pairs["difference"]) == -0.5
    means = analysis.arm_scores(ds)
    assert_array_equal(means["trials"], [7, 8])


def test_ranks_and_friedman_are_scipys(scores: NDArray[np.float64]) -> None:
    for lower in (False, True):
        table = analysis.rank_table(study(scores, lower=lower))
        means = scores.mean(axis=1)
        expected = stats.friedmanchisquare(*means)
        assert float(table["statistic"]) == pytest.approx(expected.statistic)
        # Iman and Davenport's F, as the two-way analysis of variance of ranks has it.
        order = stats.rankdata(means if lower else -means, axis=0)
        left = order - order.mean(axis=1, keepdims=True)
        error = ((left - left.mean(axis=0)) ** 2).sum() / 10
        ratio = 6 * order.mean(axis=1).var(ddof=1) / error
        assert float(table["p"]) == pytest.approx(max(stats.f.sf(ratio, 2, 10), 1 / 6**5))
        ranks = stats.rankdata(means if lower else -means, axis=0).mean(axis=1)
        assert_allclose(table["rank"], ranks)


def test_friedman_with_ties_is_scipys() -> None:
    values = np.array([[1.0, 1, 2, 3], [1, 2, 2, 1], [2, 2, 2, 1]])[:, None, :]
    expected = stats.friedmanchisquare(*values[:, 0])
    assert float(analysis.rank_table(study(values))["statistic"]) == pytest.approx(
        expected.statistic
    )


def test_friedmans_p_is_no_less_than_ties_allow() -> None:
    """Two groups of equal arms: 10 orders, so that three blocks agree by chance in 1 of 100."""
    values = np.repeat([0.0, 0, 0, 1, 1], 3).reshape(5, 1, 3)
    assert float(analysis.rank_table(study(values))["p"]) == pytest.approx(1 / 100)
    one = values.copy()
    one[:, 0, 0] = np.arange(5)
    assert float(analysis.rank_table(study(one))["p"]) > 1 / 101
    many = np.repeat(np.arange(200.0), 2).reshape(200, 1, 2)
    assert float(analysis.rank_table(study(many))["p"]) < 1e-100


@pytest.mark.parametrize(("arms", "quantile"), [(2, 1.960), (4, 2.569), (6, 2.850), (10, 3.164)])
def test_critical_difference_has_demsars_quantiles(arms: int, quantile: float) -> None:
    """Demsar 2006, table 5a, for a level of 0.05."""
    values = np.random.default_rng(5).normal(size=(arms, 1, 7))
    table = analysis.rank_table(study(values))
    expected = quantile * math.sqrt(arms * (arms + 1) / (6 * 7))
    assert float(table["critical_difference"]) == pytest.approx(expected, rel=1e-3)


def test_ranks_leave_out_and_count_incomplete_seeds(scores: NDArray[np.float64]) -> None:
    ds = study(scores, status={(0, 0, 1): "failed", (1, 0, 2): "missing", (1, 1, 2): "failed"})
    table = analysis.rank_table(ds)
    assert (int(table["blocks"]), int(table["left_out"])) == (5, 1)
    means = scores.mean(axis=1)
    means[:, 1] = scores[:, 1, 1]
    ranks = stats.rankdata(-np.delete(means, 2, axis=1), axis=0).mean(axis=1)
    assert_allclose(table["rank"], ranks)


def test_effects_of_one_factor_are_scipys_one_way_anova() -> None:
    values = np.random.default_rng(6).normal(size=(3, 4, 1)) + np.arange(3)[:, None, None]
    ds = study(values, axes=("arm", "lr"))
    # One seed and four replicates: with the replicates as seeds, and no seed effect in the truth,
    # dropping the block by hand leaves the one-way analysis.
    effects = analysis.factor_effects(ds).sel(effect="arm")
    grand = values.mean()
    between = 4 * ((values.mean(axis=(1, 2)) - grand) ** 2).sum()
    assert float(effects["share"]) == pytest.approx(between / ((values - grand) ** 2).sum())
    assert int(effects["freedom"]) == 2


def test_shares_of_a_full_grid_add_up_to_one() -> None:
    rng = np.random.default_rng(7)
    ds = study(rng.normal(size=(3, 2, 2, 5)), axes=("arm", "lr", "steps"))
    effects = analysis.factor_effects(ds)
    assert float(effects["share"].sum() + effects["residual"]) == pytest.approx(1)
    assert effects["effect"].values.tolist() == [
        "arm", "lr", "steps", "arm × lr", "arm × steps", "lr × steps", "seed",
    ]  # fmt: skip
    assert_array_equal(effects["freedom"], [2, 1, 1, 2, 2, 1, 4])
    assert effects["low"].isnull().values.tolist() == [False] * 6 + [True]


def test_an_interaction_is_not_taken_for_a_factor() -> None:
    # Which lr is better depends on the arm, and neither matters on average.
    values = np.array([[[1.0] * 4, [-1.0] * 4], [[-1.0] * 4, [1.0] * 4]])
    noise = 0.1 * np.random.default_rng(8).normal(size=values.shape)
    effects = analysis.factor_effects(study(values + noise))
    share = dict(zip(effects["effect"].values, effects["share"].values, strict=True))
    assert share["arm × lr"] > 0.97
    assert max(share["arm"], share["lr"]) < 0.01
    # The least that four seeds can give, as the smallest of three.
    assert float(effects["p"].sel(effect="arm × lr")) == 3 * 2 / 4**4


def test_two_way_analysis_of_variance_by_hand() -> None:
    """Effects of 2 and 10, the second less in one seed: sums of squares known in advance."""
    values = np.zeros((2, 2, 2))
    values += np.array([0.0, 2.0])[:, None, None] + np.array([0.0, 10.0])[None, :, None]
    values += np.array([-0.5, 0.5])[None, :, None] * np.array([1.0, -1.0])
    effects = analysis.factor_effects(study(values))
    total = 8 * 1 + 8 * 25 + 8 * 0.25
    share = dict(zip(effects["effect"].values, effects["share"].values, strict=True))
    assert share["arm"] == pytest.approx(8 / total)
    assert share["lr"] == pytest.approx((200 - 2) / total)
    assert share["seed"] == pytest.approx(-(2 / 3) / total)
    assert float(effects["statistic"].sel(effect="lr")) == pytest.approx(200 / 2)


def test_effects_of_two_levels_are_paired_t_tests(scores: NDArray[np.float64]) -> None:
    """F is the square of t over the means of seeds, adjusted by Holm over the three effects."""
    values = scores[:2]
    effects = analysis.factor_effects(study(values)).drop_sel(effect="seed")
    contrasts = [
        values.mean(axis=1)[1] - values.mean(axis=1)[0],
        values.mean(axis=0)[1] - values.mean(axis=0)[0],
        values[1, 1] - values[1, 0] - values[0, 1] + values[0, 0],
    ]
    tests = [stats.ttest_1samp(contrast, 0) for contrast in contrasts]
    assert_allclose(effects["statistic"], [test.statistic**2 for test in tests])
    expected = holm(np.array([test.pvalue for test in tests]))
    assert_allclose(effects["p"], expected)


def test_share_of_a_factor_is_jackknifed_over_seeds(scores: NDArray[np.float64]) -> None:
    """Against SciPy's standard error of the values without each seed."""
    effects = analysis.factor_effects(study(scores)).sel(effect="arm")
    without = [
        float(analysis.factor_effects(study(np.delete(scores, k, axis=2)))["share"][0])
        for k in range(6)
    ]
    error = np.sqrt(5) * np.std(without) * stats.t.isf(0.025, 5)
    share = float(effects["share"])
    assert float(effects["low"]) == pytest.approx(max(share - error, 0.0))
    assert float(effects["high"]) == pytest.approx(min(share + error, 1.0))


def test_effects_of_a_grid_with_holes_do_not_mix() -> None:
    """Without the point at which both are high, plain means of lr would show an effect of arm."""
    rng = np.random.default_rng(9)
    values = np.zeros((2, 2, 6)) + np.array([0.0, 5.0])[None, :, None]
    values += 0.1 * rng.normal(size=values.shape)
    holes = {(1, 1, seed): "failed" for seed in range(4)}
    effects = analysis.factor_effects(study(values, status=holes))
    assert int(effects["trials"]) == 20
    assert float(effects["share"].sel(effect="arm")) < 0.01
    assert float(effects["share"].sel(effect="lr")) > 0.5


def test_a_full_table_and_its_model_explain_the_same() -> None:
    """Sums of squares of means are those of least squares, which a level without values needs."""
    rng = np.random.default_rng(10)
    table = rng.normal(size=(3, 4, 2, 5))
    effects = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (3,)]
    whole = variance(table, effects)
    unused = np.full((3, 4, 2, 1), np.nan)
    model = variance(np.concatenate([table, unused], axis=3), effects)
    for effect in effects:
        assert model.explained[effect] == pytest.approx(whole.explained[effect])
    assert model.residual == pytest.approx(whole.residual)


def test_full_studies_side_by_side_have_the_shares_of_each() -> None:
    tables = np.random.default_rng(12).normal(size=(3, 2, 4, 5))
    found = shares(tables, 1)
    for number, table in enumerate(tables):
        alone = shares(table)
        for name in ("share", "statistic", "p"):
            np.testing.assert_allclose(getattr(found, name)[number], getattr(alone, name))
    tables[1, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="with gaps are taken one by one"):
        shares(tables, 1)


def test_effects_beside_gaps_are_those_of_least_squares() -> None:
    """Against NumPy's solver on indicator columns, type II by hand."""
    rng = np.random.default_rng(11)
    table = rng.normal(size=(3, 4, 5))
    table[rng.random(table.shape) < 0.2] = np.nan
    table[0, 0] = np.nan
    found = variance(table, [(0,), (1,), (0, 1), (2,)])
    at = np.nonzero(np.isfinite(table))
    y = table[at]
    one = {(d,): np.eye(size)[at[d]] for d, size in enumerate(table.shape)}
    one[0, 1] = (one[0,][:, :, None] * one[1,][:, None, :]).reshape(len(y), -1)

    def residual(*names: tuple[int, ...]) -> tuple[float, int]:
        design = np.concatenate([np.ones((len(y), 1)), *(one[name] for name in names)], axis=1)
        beta, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
        return float(((y - design @ beta) ** 2).sum()), int(rank)

    for effect, others in {
        (0,): [(1,), (2,)],
        (1,): [(0,), (2,)],
        (2,): [(0,), (1,), (0, 1)],
        (0, 1): [(0,), (1,), (2,)],
    }.items():
        without, rank = residual(*others)
        rest, rank_with = residual(*others, effect)
        assert found.explained[effect] == pytest.approx((without - rest, rank_with - rank))
    rest, rank = residual(*one)
    assert found.residual == pytest.approx((rest, len(y) - rank))


def test_gaps_take_nothing_from_the_share_of_an_axis() -> None:
    """Of 0.40, 0.25 was found with half of the trials gone; levels without any change nothing."""
    rng, found = np.random.default_rng(0), []
    for _ in range(40):
        table = rng.normal(size=(3, 2, 10)) + np.array([-1.0, 0.0, 1.0])[:, None, None]
        table[rng.random(table.shape) < 0.5] = np.nan
        found.append(shares(table).share[0])
    assert abs(np.mean(found) - 0.4) < 0.1
    whole = rng.normal(size=(3, 2, 4))
    unused = np.concatenate([whole, np.full((3, 1, 4), np.nan)], axis=1)
    assert_allclose(shares(unused).share, shares(whole).share)


def test_an_axis_of_one_value_has_no_share_beside_gaps() -> None:
    table = np.random.default_rng(1).normal(size=(1, 3, 4))
    table[0, 1, 2] = np.nan
    found = shares(table).share
    assert np.isnan(found[0])
    assert_allclose(found[1], shares(table[0]).share[0])


def test_pairs_that_are_too_large_to_be_fitted_are_named() -> None:
    values = np.random.default_rng(12).normal(size=(2, 800, 2))
    values[0, 0, 0] = np.nan
    found = variance(values[:, :, None, :], [(0,), (1,), (0, 1), (3,)])
    assert found.left_out == [(0, 1)]
    assert set(found.explained) == {(0,), (1,), (3,)}


def test_equal_scores_have_no_variance_to_explain() -> None:
    effects = analysis.factor_effects(study(np.full((2, 2, 3), 0.1)))
    assert effects["share"].isnull().all()
    assert effects["p"].isnull().all()


def test_effects_count_the_settings_behind_their_values() -> None:
    """Behind each value of two axes there are four settings, behind each of their pairs two."""
    noise = np.random.default_rng(14).normal(size=(2, 2, 2, 8))
    values = 50.0 * np.array([[2, 0], [1, 3]])[..., None, None] + noise
    axes = ("arm", "lr", "steps")
    grade = analysis.factor_effects(study(values, axes=axes))["grade"]
    told = dict(zip(grade["effect"].values.tolist(), grade.values.tolist(), strict=True))
    assert (told["arm"], told["arm × lr"]) == ("clear", "leaning")
    lost = {(0, 1, steps, seed): "failed" for steps, seed in np.ndindex(2, 8)}
    grade = analysis.factor_effects(study(values, axes=axes, status=lost))["grade"]
    assert "clear" not in grade.values
    more = np.concatenate([values, values + 0.1], axis=3)
    grade = analysis.factor_effects(study(more, axes=axes))["grade"]
    assert grade.sel(effect="arm × lr") == "clear"


def test_one_scored_seed_of_several_tests_no_effect() -> None:
    """F against what is left of one seed gave a p below the least that there is for it, 1/2."""
    values = np.random.default_rng(15).normal(size=(3, 3, 3, 3))
    values += 9.0 * np.arange(3)[:, None, None, None]
    lost = {at: "failed" for at in np.ndindex(values.shape) if at[3]}
    effects = analysis.factor_effects(study(values, axes=("arm", "lr", "steps"), status=lost))
    assert float(effects["share"].sel(effect="arm")) > 0.5
    assert effects["p"].isnull().all()
    assert not effects["grade"].astype(bool).any()


@pytest.mark.parametrize("why", [{"searches": 1}, {"seeds_added": 1}, {"deterministic": 1}])
def test_what_no_seed_tests_has_no_statistics_of_effects_and_ranks(why: dict[str, int]) -> None:
    """Shares of variance and their differences had limits, and ranks a p-value."""
    noise = np.random.default_rng(16).normal(size=(3, 2, 12))
    ds = study(noise + 9.0 * np.arange(3)[:, None, None])
    untested = ds.assign_attrs(why)
    shares_of, found = analysis.factor_effects(ds), analysis.factor_effects(untested)
    assert_allclose(found["share"], shares_of["share"])
    assert shares_of["low"].notnull().any()
    pairs = analysis.compare_effects(untested)
    assert pairs["difference"].notnull().all()
    for limits in (found, pairs):
        assert limits[["low", "high", "p"]].to_array().isnull().all()
    ranks = analysis.rank_table(untested)
    assert_allclose(ranks["rank"], [3, 2, 1])
    for name in ("statistic", "p", "critical_difference"):
        assert ranks[name].isnull()
        assert analysis.rank_table(ds)[name].notnull()


def test_differences_of_shares_have_no_limits_where_most_trials_are_missing() -> None:
    """As the shares themselves have none."""
    rng = np.random.default_rng(17)
    values = rng.normal(size=(3, 3, 8))
    gone = {tuple(at): "failed" for at in np.argwhere(rng.random(values.shape) < 0.55).tolist()}
    pairs = analysis.compare_effects(study(values, status=gone))
    assert np.isfinite(pairs["p"].values[0, 1])
    assert pairs[["low", "high"]].to_array().isnull().all()
    assert analysis.compare_effects(study(values))["low"].notnull().values[0, 1]


def test_marginal_means_compare_like_for_like(scores: NDArray[np.float64]) -> None:
    ds = study(scores)
    means = analysis.marginal_means(ds, "lr")
    assert_allclose(means["mean"], scores.mean(axis=(0, 2)))
    status = {(2, 1, seed): "excluded" for seed in range(6)}
    means = analysis.marginal_means(study(scores, status=status), "lr")
    assert_allclose(means["mean"], scores[:2].mean(axis=(0, 2)))
    with pytest.raises(KeyError, match="no axis 'nope'"):
        analysis.marginal_means(ds, "nope")


def test_no_value_of_an_axis_gains_by_missing_the_hard_trials() -> None:
    """All values are alike, and one has lost its trials of the hardest arm."""
    values = np.random.default_rng(0).normal(size=(3, 2, 6)) + np.array([0, 0, -9.0])[:, None, None]
    status = {(2, 1, seed): "failed" for seed in range(5)}
    means = analysis.marginal_means(study(values, status=status), "lr")
    assert abs(float(means["mean"][1] - means["mean"][0])) < 1
    assert ((means["low"] < means["mean"]) & (means["mean"] < means["high"])).all()


def test_differences_of_few_common_trials_are_graded_as_such() -> None:
    """Four settings, of which each seed has one in both arms: as of a study of one setting."""
    values = np.random.default_rng(0).normal(size=(2, 4, 5)) + np.array([9.0, 0.0])[:, None, None]
    gone = [(0, lr, seed) for lr, seed in np.ndindex(4, 5) if lr != seed % 4]
    assert analysis.compare_arms(study(values))["grade"][0, 1] == "clear"
    pairs = analysis.compare_arms(study(values, status=dict.fromkeys(gone, "failed")))
    assert pairs["grade"][0, 1] == "leaning"
    assert np.isinf(pairs["detectable"][0, 1])
    # By wins, each seed is one toss.
    worse = study(values, status=dict.fromkeys(gone, "failed") | {(1, 0, 0): "diverged"})
    pairs = analysis.compare_arms(worse)
    assert pairs.attrs["basis"] == "wins"
    assert float(pairs["p"][0, 1]) == 2 / 2**5


def test_axes_are_graded_in_the_order_of_their_shares() -> None:
    """Of few seeds with gaps the mean of pseudo-values can put them the other way round."""
    scores = np.array([[[1, 8, 0, 1], [0, 1, NAN, NAN]], [[NAN, NAN, 0, 0], [1, 8, NAN, 0]]])
    states = {tuple(at): "failed" for at in np.argwhere(np.isnan(scores)).tolist()}
    found = analysis.compare_effects(study(scores, status=states)).isel(effect=0, other=1)
    assert float(found["difference"]) < 0
    assert float(found["p"]) < 0.05
    assert found["grade"] == "open"


def test_perfect_sampler_is_read_from_the_dataset(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, samples=5)
    scale = analysis.perfect_sampler(ds).sel(metric="high_quality")
    values = np.array([0.986, 0.989, 0.991])
    assert float(scale["mean"]) == pytest.approx(values.mean())
    assert float(scale["spread"]) == pytest.approx(values.std(ddof=1))
    assert (float(scale["low"]), float(scale["high"])) == (0.986, 0.991)
    assert (float(scale["worst"]), float(scale["at_equality"])) == (0.0, 0.989)
    without = analysis.perfect_sampler(ds.drop_vars("high_quality_perfect"))
    assert np.isnan(without["mean"].sel(metric="high_quality"))


def test_stability_knows_when_a_trial_was_perfect_and_whether_it_stayed() -> None:
    curves = np.array([[[[1.0, 8, 8, 8], [8, 1, 8, 8], [1, 1, 7, 7], [1, 8, NAN, NAN]]]])
    ds = study(curves[..., 0], status={(0, 0, 3): "diverged"}, bounds=(0, 8))
    ds = ds.drop_dims("step").assign_coords(step=[10, 20, 30, 40])
    attrs = study(curves[..., 0], bounds=(0, 8))["quality"].attrs | {"value_at_equality": 8.0}
    ds["quality"] = (("arm", "lr", "seed", "step"), curves, attrs)
    stable = analysis.stability(ds).squeeze()
    assert float(stable["share_perfect"]) == 0.75
    assert float(stable["share_kept"]) == 0.25
    assert float(stable["steps_to_perfect"]) == 20
    assert float(stable["diverged_at"]) == 5
    assert float(stable["seed_spread"]) == pytest.approx(np.std([8, 8, 7, 0], ddof=1))


def test_perfection_is_measured_against_the_own_target() -> None:
    """Four of eight modes are not perfect because another setting has a target of four."""
    curves = np.array([[[[4.0, 4]], [[4, 8]]], [[[4.0, 3]], [[8, 8]]]])
    ds = study(curves[..., 0], bounds=(0, 8))
    attrs = ds["quality"].attrs | {"value_at_equality": NAN}
    ds = ds.drop_dims("step").assign_coords(step=[10, 20])
    ds["quality"] = (("arm", "lr", "seed", "step"), curves, attrs)
    ds["quality_perfect"] = (("lr", "draw"), [[4.0, 4.0], [8.0, 8.0]])
    stable = analysis.stability(ds)
    assert_array_equal(stable["trial_perfect"].squeeze(), [[1, 1], [1, 1]])
    assert_array_equal(stable["steps_to_perfect"], [15, 10])
    assert_array_equal(stable["trial_kept"].squeeze(), [[1, 1], [0, 1]])
    assert math.isnan(stable.attrs["perfect"])
    ds["quality_perfect"] = ("draw", [8.0, 7.0])
    stable = analysis.stability(ds)
    assert_array_equal(stable["trial_perfect"].squeeze(), [[0, 1], [0, 1]])
    assert stable.attrs["perfect"] == 7


def test_a_trial_has_collapsed_by_the_ends_of_its_own_target() -> None:
    """Three modes of four are no collapse, three of 25 are; without an end nobody can say."""
    ds = study(
        [[[3.0, 3.0, 3.0], [3.0, 20.0, 3.0]]], status={(0, 1, 2): "diverged"}, bounds=(0, 25)
    )
    assert np.isnan(analysis.stability(ds)["trial_collapsed"]).all()
    assert np.isnan(analysis.stability(ds)["share_collapsed"]).all()
    ds["quality_worst"], ds["quality_at_equality"] = ("lr", [0.0, 0.0]), ("lr", [4.0, 25.0])
    stable = analysis.stability(ds)
    assert_array_equal(stable["trial_collapsed"].squeeze(), [[0, 0, 0], [1, 0, 1]])
    # Clouds of p are not there either: what is perfect is stated, of each target.
    assert_array_equal(stable["trial_perfect"].squeeze(), [[0, 0, 0], [0, 0, 0]])
    unbounded = study(
        [[[3.0, 3.0]]], status={(0, 0, 0): "diverged"}, lower=True, bounds=(0, math.inf)
    )
    assert np.isnan(analysis.stability(unbounded)["trial_collapsed"]).all()


def test_a_trial_exactly_as_good_as_a_cloud_of_p_is_perfect() -> None:
    """Curves are of single precision, clouds of double: 0.9845 is not below 0.9845."""
    ds = study(np.full((1, 1, 3), 0.9845), bounds=(0, 1))
    ds["quality"] = ds["quality"].astype(np.float32)
    for share in (0.9845, 0.9835, 0.9842):
        level = ds.assign(quality_perfect=("draw", [0.99, share]))
        level["quality"][:] = np.float32(share)
        assert float(analysis.stability(level)["share_perfect"][0]) == 1


def test_detectable_differences_are_those_of_the_noncentral_t() -> None:
    """By the t test alone: leaving out any seed asks for more, and not for much more."""
    for pairs, seeds in ((1, 10), (6, 10), (3, 20), (36, 40)):
        effect = clear_effect(seeds, pairs)
        bound = stats.t.isf(0.01 / pairs / 2, seeds - 1)
        alone = stats.nct.sf(bound, seeds - 1, effect * math.sqrt(seeds))
        assert 0.84 < alone < 0.99
    assert fewest_seeds(1) == 5
    assert fewest_seeds(6) == 7
    assert clear_effect(6, 6) == math.inf
    assert seeds_for(clear_effect(12, 6), 6) == 12
    assert seeds_for(1e-3, 1) is None


@pytest.mark.parametrize("pairs", [1, 3, 6, 36])
@pytest.mark.parametrize("settings", [1, 4])
def test_fewer_seeds_than_wins_need_make_nothing_clear(pairs: int, settings: int) -> None:
    """Though one arm wins all; so many do."""
    fewest = fewest_seeds(pairs, settings, wins=True)
    for seeds in (fewest - 1, fewest):
        _, grade = graded(np.ones((pairs, seeds)), settings, wins=True)
        assert {*grade} == ({"clear"} if seeds == fewest else {"leaning"})


@pytest.mark.parametrize("settings", [1, 3])
def test_ten_seeds_of_few_settings_can_be_clear_and_nine_cannot(settings: int) -> None:
    """However large the difference; of four settings or more nine can."""
    differences = 10.0 + np.random.default_rng(0).normal(size=(1, 10))
    assert graded(differences, settings)[1].item() == "clear"
    assert graded(differences[:, 1:], settings)[1].item() == "leaning"
    assert graded(differences[:, 1:], 4)[1].item() == "clear"


def test_comparisons_state_what_would_have_been_seen(scores: NDArray[np.float64]) -> None:
    ds = study(np.concatenate([scores, scores], axis=2), status={(0, 0, 1): "failed"})
    pairs = analysis.compare_arms(ds)
    apart = np.concatenate([(scores[2] - scores[1]).mean(axis=0)] * 2)
    expected = clear_effect(12, 3) * apart.std(ddof=1)
    assert float(pairs["detectable"][1, 2]) == pytest.approx(expected)
    assert float(pairs["won"][2, 1]) == (apart > 0).mean()
    half = stats.t.isf(0.025 / 3, 11) * apart.std(ddof=1) / math.sqrt(12)
    assert_allclose(
        [pairs["low"][2, 1], pairs["high"][2, 1]], apart.mean() + half * np.array([-1, 1])
    )
    assert_array_equal(pairs["trials"], [[0, 23, 23], [23, 0, 24], [23, 24, 0]])
    ranked = analysis.rank_arms(ds)
    assert ranked["arm"].values.tolist() == ["arm2", "arm1", "arm0"]
    assert_array_equal(ranked["detectable"], pairs["detectable"].values[2, [2, 1, 0]])


def test_period_of_a_sine_is_found_and_noise_is_not_taken_for_one() -> None:
    time = np.arange(48)
    noise = np.random.default_rng(10).normal(size=(400, 48))
    strength, period, p = periodicity(np.sin(2 * np.pi * time / 8) + 0.05 * time)
    assert float(period) == 8
    assert float(strength) > 0.95
    assert float(p) < 1e-6
    wrong = np.mean(periodicity(noise)[2] < 0.05)
    assert abs(wrong - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 400)
    assert np.isnan(periodicity(0.3 * time + 1.0)[0])
    assert np.isnan(periodicity(noise[:, :24])[0]).all()


def test_fisher_test_has_the_published_critical_value() -> None:
    """Fisher 1929, table: the 5 % point of g for n = 20 frequencies is 0.27040."""
    from ganstudy.analysis.periods import fisher_tail

    assert fisher_tail(0.27040, 20) == pytest.approx(0.05, abs=5e-5)


@pytest.mark.parametrize(("frequencies", "strength"), [(24, 0.9), (249, 0.03), (400, 0.02)])
def test_fisher_test_is_exact_arithmetic(frequencies: int, strength: float) -> None:
    from fractions import Fraction

    from ganstudy.analysis.periods import fisher_tail

    g = Fraction(strength)
    terms = (
        (-1) ** (k - 1) * math.comb(frequencies, k) * (1 - k * g) ** (frequencies - 1)
        for k in range(1, int(1 / g) + 1)
    )
    assert fisher_tail(strength, frequencies) == pytest.approx(float(sum(terms)), rel=1e-9)


@pytest.mark.parametrize("records", [50, 1000, 6000])
def test_a_spike_in_a_long_curve_is_no_cycle(records: int) -> None:
    """All frequencies are as strong in it; a weak sine in noise is found at any length."""
    spike = np.zeros(records)
    spike[records // 3] = 1.0
    assert float(periodicity(spike)[2]) > 0.999
    noise = np.random.default_rng(14).normal(size=records)
    assert 0.01 < float(periodicity(noise)[2]) <= 1.0
    assert float(periodicity(noise + 2 * np.sin(np.arange(records)))[2]) < 1e-3


def test_equilibrium_of_an_uninformed_critic(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, steps=50, samples=5)
    ds["real_logit"][0] = 0.0
    ds["fake_logit"][0] = 0.0
    ds["real_logit"][1] = 50.0
    ds["fake_logit"][1] = -50.0
    found = analysis.equilibrium(ds)
    assert_allclose(found["critic_gap"], [0.0, 0.5])
    assert found["generator_loss_strength"].notnull().all()
    assert "bound" not in found
    assert "duality_gap" not in found


def test_equilibrium_is_of_complete_trials_and_of_the_second_half(make_study: Make) -> None:
    """A cycle of five records, one every 100 M-steps, after a first half that turns otherwise."""
    status = dict.fromkeys(((0, 1), (0, 2), (2, 0), (2, 1), (2, 2)), "diverged")
    ds = make_study({"divergence": ["a", "b", "c"]}, seeds=3, steps=80, samples=5, status=status)
    time = np.arange(80)
    noise = np.random.default_rng(15).normal(size=ds["critic_loss"].shape)
    wave = np.where(time < 40, 9 * np.sin(2 * np.pi * time / 13), np.sin(2 * np.pi * time / 5))
    gone = time >= 39
    curves = {"critic_loss": wave + 0.1 * noise, "generator_loss": noise, "bound": 1 + 0 * noise}
    curves |= {"real_logit": 0 * noise, "fake_logit": np.full(noise.shape, -math.log(3))}
    curves["critic_gradient_norm"] = 2 + 0 * noise
    for name, values in curves.items():
        values[0, 1:] = np.where(gone, NAN, 1000.0)
        values[2] = np.where(gone, NAN, values[2])
        ds[name] = (("divergence", "seed", "step"), values)
    found = analysis.equilibrium(ds)
    assert_array_equal(found["critic_loss_cycles"], [1, 1, NAN])
    assert_allclose(found["critic_loss_period"], [500, 500, NAN])
    assert (found["critic_loss_strength"][:2] > 0.9).all()
    assert np.isnan(found["trial_critic_loss_strength"][0, 1:]).all()
    # sigma(0) = 1/2 and sigma(-log 3) = 1/4: a distance of 0 and of 1/4.
    assert_allclose(found["critic_gap"], [0.125, 0.125, NAN])
    assert_allclose(found["bound"], [1, 1, NAN])
    assert_allclose(found["critic_gradient_norm"], [2, 2, NAN])


def test_game_at_the_end_is_the_last_number_of_complete_trials(make_study: Make) -> None:
    """Trials end at different steps, and some have no Jacobian."""
    ds = make_study({"divergence": ["a", "b"]}, seeds=3, samples=5)
    gaps = ds["critic_loss"].copy(data=np.full(ds["critic_loss"].shape, np.nan))
    gaps[0, :, -1] = [1.0, 2.0, 9.0]
    gaps[1, 0, 1] = 5.0
    ds["status"][0, 2] = "diverged"
    found = analysis.equilibrium(ds.assign(duality_gap=gaps, jacobian_real=gaps * np.nan))
    assert_allclose(found["duality_gap"], [1.5, 5.0])
    assert_allclose(found["duality_gap_trials"], [2, 1])
    assert found["jacobian_real"].isnull().all()
    assert_allclose(found["jacobian_real_trials"], [0, 0])


def test_accessor_has_the_verbs_of_analysis(make_study: Make) -> None:
    from ganstudy.analysis.accessor import Gan

    ds = make_study({"divergence": ["a", "b"], "critic_steps": [1, 5]}, seeds=3, samples=1)
    verbs = {name for name in vars(Gan) if not name.startswith("_")}
    assert verbs <= {*analysis.__all__}
    # The others take no dataset.
    others = {"Power", "RecordedMetric", "open_runs", "over_seeds", "share_over_seeds"}
    assert {*analysis.__all__} - verbs == others
    assert all(vars(Gan)[name].__wrapped__ is getattr(analysis, name) for name in verbs)
    # Others look at samples or joined studies, and have tests of their own.
    shown = ("trial_scores", "arm_scores", "setting_scores", "best_setting_scores", "rank_arms")
    shown += ("compare_arms", "compare_by_resampling", "rank_table", "performance_profile")
    shown += ("interquartile_mean", "factor_effects", "compare_effects", "marginal_means")
    for name in (*shown, "stability", "equilibrium", "perfect_sampler", "status_counts"):
        given = ("critic_steps",) if name == "marginal_means" else ()
        ours = getattr(ds.gan, name)(*given)
        xr.testing.assert_identical(ours, getattr(analysis, name)(ds, *given))
    xr.testing.assert_identical(ds.gan.arm_scores("mode_kl"), analysis.arm_scores(ds, "mode_kl"))
