"""Scores of trials, arms and settings: the stated rules, on numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ganstudy import analysis
from ganstudy.analysis.intervals import holm
from ganstudy.score import trial_score

Make = Callable[..., xr.Dataset]


def constant(
    values: list[list[list[float]]],
    status: Mapping[tuple[int, int, int], str] | None = None,
    *,
    lower: bool = False,
    bounds: tuple[float, float] = (0.0, 8.0),
) -> xr.Dataset:
    """A study of arms, settings and seeds whose metric is constant over ten steps."""
    levels = np.asarray(values)
    states = np.full(levels.shape, "complete", dtype="<U10")
    for point, state in (status or {}).items():
        states[point] = state
    ran = np.isin(states, ["complete", "diverged"])
    dims = ("arm", "lr", "seed")
    attrs = {
        "long_name": "quality",
        "role": "metric",
        "direction": "lower" if lower else "higher",
        "bounds": list(bounds),
        "value_at_equality": bounds[0] if lower else bounds[1],
    }
    curve = np.repeat(np.where(ran, levels, np.nan)[..., None], 10, axis=-1)
    return xr.Dataset(
        {
            "status": (dims, states),
            "diverged_at": (dims, np.where(states == "diverged", 5.0, np.nan)),
            "quality": ((*dims, "step"), curve, attrs),
        },
        coords={
            "arm": [f"arm{index}" for index in range(levels.shape[0])],
            "lr": 10.0 ** -np.arange(levels.shape[1]),
            "seed": np.arange(levels.shape[2]),
            "step": np.arange(1, 11),
        },
        attrs={"study": "hand", "compare": "arm", "score": "quality", "question": "?"},
    )


def test_no_trial_is_beaten_by_a_diverged_one_through_rounding() -> None:
    """Eight modes of which one is left have KL log 8, in single precision more than the bound."""
    bounds = (0.0, math.log(8))
    status = {(0, 0, seed): "diverged" for seed in range(3)}
    ds = constant([[[0.0] * 3], [[math.log(8)] * 3]], status, lower=True, bounds=bounds)
    ds["quality"] = ds["quality"].astype(np.float32)
    assert float(ds["quality"].max()) > bounds[1]
    assert_array_equal(analysis.trial_scores(ds)["score"], bounds[1])
    pairs = analysis.compare_by_resampling(ds)
    assert_array_equal(pairs["improvement"], 0.5)
    reading = ds["quality"].attrs
    curve = ds["quality"].values[1, 0, 0]
    assert trial_score("complete", curve, reading) == trial_score("diverged", curve, reading)


def test_bounds_do_not_put_arms_in_order() -> None:
    """Least squares put two arms beyond the most modes there are: told as 8 both, they tied."""
    noise = 0.01 * np.random.default_rng(0).normal(size=(3, 2, 12))
    easy_and_other = np.array([[7.4, 0.0], [7.8, 0.0], [6.0, 7.5]])[..., None] + noise
    failed = {(arm, 1, seed): "failed" for arm, seed in np.ndindex(2, 12)}
    ranked = analysis.rank_arms(constant(easy_and_other.tolist(), failed))
    assert ranked["arm"].values.tolist() == ["arm1", "arm0", "arm2"]
    assert ranked["mean"].values[:2].tolist() == [8, 8]
    assert ranked["equals_best"].values.tolist() == [True, False, False]
    assert ranked["grade"].values.tolist() == ["", "clear", "clear"]


def test_complete_trial_scores_mean_of_last_fifth(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, steps=20, samples=1)
    scores = analysis.trial_scores(ds)
    curve = ds["modes_covered"].values
    assert_allclose(scores["score"], curve[..., -4:].mean(axis=-1))
    assert_array_equal(scores["last"], curve[..., -1])
    assert_array_equal(scores["best"], curve.max(axis=-1))
    assert not scores["charged"].any()


def test_best_is_the_lowest_where_lower_is_better(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=2, samples=1)
    best = analysis.trial_scores(ds, "mode_kl")["best"]
    assert_array_equal(best, ds["mode_kl"].min("step"))


@pytest.mark.parametrize(("lower", "worst"), [(False, 0.0), (True, 8.0)])
def test_diverged_trial_scores_the_worst_bound(lower: bool, worst: float) -> None:
    ds = constant([[[4.0, 5.0]]], {(0, 0, 1): "diverged"}, lower=lower)
    scores = analysis.trial_scores(ds)
    assert_array_equal(scores["score"].squeeze(), [4.0, worst])
    assert_array_equal(scores["last"].squeeze(), [4.0, worst])
    assert_array_equal(scores["best"].squeeze(), [4.0, 5.0])
    assert_array_equal(scores["charged"].squeeze(), [False, True])


def test_diverged_trial_has_no_score_without_a_worst_bound() -> None:
    ds = constant([[[4.0, 5.0]]], {(0, 0, 1): "diverged"}, lower=True, bounds=(0.0, math.inf))
    scores = analysis.trial_scores(ds)
    assert_array_equal(scores["score"].squeeze(), [4.0, math.nan])
    assert not scores["charged"].any()


@pytest.mark.parametrize("state", ["failed", "missing", "excluded"])
def test_trials_that_did_not_run_have_no_score(state: str) -> None:
    ds = constant([[[4.0, 5.0]]], {(0, 0, 1): state})
    assert_array_equal(analysis.trial_scores(ds)["score"].squeeze(), [4.0, math.nan])


def test_infinite_tail_has_no_score() -> None:
    ds = constant([[[4.0, math.inf]]], bounds=(0.0, math.inf), lower=True)
    assert_array_equal(analysis.trial_scores(ds)["score"].squeeze(), [4.0, math.nan])


def test_charged_curve_is_worst_from_divergence_on() -> None:
    ds = constant([[[4.0, 4.0]]], {(0, 0, 1): "diverged"})
    curve = analysis.charged_curves(ds).squeeze()
    assert_array_equal(curve.isel(seed=0), np.full(10, 4.0))
    assert_array_equal(curve.isel(seed=1), [4.0] * 4 + [0.0] * 6)


def test_arm_score_averages_settings_within_a_seed_first() -> None:
    # Seed means 3 and 5 over unequal settings: n is the two seeds, not the four trials.
    scores = analysis.arm_scores(constant([[[2.0, 4.0], [4.0, 6.0]]])).squeeze()
    assert_array_equal(scores["seed_mean"], [3.0, 5.0])
    assert float(scores["mean"]) == 4.0
    assert int(scores["seeds"]) == 2
    assert int(scores["trials"]) == 4
    assert int(scores["settings"]) == 2


def test_interval_is_clipped_to_the_bounds() -> None:
    """Student's, which a mean over four settings has, would leave them on both sides."""
    values = np.tile([8.0, 7.7, 7.9, 6.0, 7.8], (4, 1))
    scores = analysis.arm_scores(constant([values.tolist()])).squeeze()
    assert float(scores["high"]) == 8.0
    mean, error = values.mean(), np.std(values[0], ddof=1) / math.sqrt(5)
    assert float(scores["low"]) == pytest.approx(mean - stats.t.isf(0.025, 4) * error)
    scores = analysis.arm_scores(constant([(8 - values).tolist()])).squeeze()
    assert float(scores["low"]) == 0.0


def test_interval_of_one_setting_or_of_seeds_that_agree_is_clopper_and_pearsons() -> None:
    """Of zeros and eights in one setting, and of eights alone in any number of settings."""
    scores = analysis.arm_scores(constant([[[8.0, 0.0, 8.0, 8.0, 8.0]]])).squeeze()
    exact = stats.binomtest(4, 5).proportion_ci(method="exact")
    assert_allclose([scores["low"] / 8, scores["high"] / 8], [exact.low, exact.high], atol=0.006)
    scores = analysis.arm_scores(constant([[[8.0] * 5] * 4])).squeeze()
    exact = stats.binomtest(5, 5).proportion_ci(method="exact")
    assert_allclose([scores["low"] / 8, scores["high"] / 8], [exact.low, 1.0], atol=0.006)


def test_failed_trials_are_left_out_of_their_seed() -> None:
    ds = constant([[[2.0, 4.0], [4.0, 6.0]]], {(0, 1, 0): "failed"})
    scores = analysis.arm_scores(ds).squeeze()
    assert_array_equal(scores["seed_mean"], [2.0, 5.0])
    assert int(scores["trials"]) == 3


def test_gaps_take_no_width_from_an_arm_whose_seeds_agree() -> None:
    """What is filled in agrees with nothing; the seeds that were seen have all their modes."""
    rng = np.random.default_rng(0)
    values = np.stack([np.full((4, 5), 8.0), *rng.uniform(4.0, 8.0, size=(2, 4, 5))])
    gaps = {(0, seed % 4, seed): "failed" for seed in range(5)}
    scores = analysis.arm_scores(constant(values.tolist(), gaps))
    exact = stats.binomtest(5, 5).proportion_ci(method="exact")
    assert float(scores["low"][0]) < 8 * exact.low + 0.05
    # Those without a gap are what they are without the others' gaps.
    whole = analysis.arm_scores(constant(values.tolist()))
    assert_allclose(scores["low"][1:], whole["low"][1:])
    assert_allclose(scores["high"][1:], whole["high"][1:])


def test_no_mean_is_beyond_the_bounds_of_its_metric() -> None:
    """Beside an arm that scatters, what a good one lacks was filled in with distances below 0."""
    values = [[[0.1, 0.1, 0.1]], [[0.1, 0.2, 0.1]], [[30.0, 20.0, 1.0]]]
    ds = constant(values, {(0, 0, 2): "failed"}, lower=True, bounds=(0.0, math.inf))
    for scores in (analysis.arm_scores(ds), analysis.marginal_means(ds, "arm")):
        assert float(scores["mean"][0]) == 0.0 == float(scores["low"][0])
        assert float(scores["high"][0]) > 0.0
    assert float(analysis.arm_scores(ds)["seed_mean"].min()) >= 0.0
    assert analysis.rank_arms(ds)["arm"].values.tolist()[-1] == ds["arm"].values[2]


def test_no_score_is_made_up_for_a_trial_that_is_worse_than_any_number() -> None:
    """It diverged in all trials of a setting and was told as if it had run there: 0.153."""
    values = np.array([[0.1, 9.0], [0.2, 0.3]])[..., None] * [1.01, 1.02, 1.03]
    ds = constant(
        values.tolist(),
        {(0, 1, seed): "diverged" for seed in range(3)},
        lower=True,
        bounds=(0.0, math.inf),
    )
    scores = analysis.arm_scores(ds)
    assert_allclose(scores["mean"], [0.102, 0.255])
    assert_allclose(scores["seed_mean"][0], [0.101, 0.102, 0.103])
    # Without an upper bound that limit is Student's.
    assert_allclose(scores["high"][0], 0.102 + stats.t.ppf(0.975, 2) * 0.001 / math.sqrt(3))
    assert scores["fitted"].values.tolist() == [False, False]
    assert scores["unbounded"].values.tolist() == [3, 0]
    assert scores["settings"].values.tolist() == [1, 2]
    means = analysis.marginal_means(ds, "lr")
    assert_allclose(means["mean"], [0.153, 0.306])
    assert means["unbounded"].values.tolist() == [0, 3]
    assert not means["fitted"].any()


def test_a_missing_trial_is_filled_beside_one_that_is_worse_than_any_number() -> None:
    """Differences add up: the second arm is one behind the first and two ahead of the third."""
    values = [[[1.0, 3.0, 0.0]], [[2.0, 0.0, 6.0]], [[4.0, 6.0, 8.0]]]
    status = {(0, 0, 2): "diverged", (1, 0, 1): "missing"}
    scores = analysis.arm_scores(constant(values, status, lower=True, bounds=(0.0, math.inf)))
    assert_allclose(scores["mean"], [(1 + 3) / 2, (2 + 4 + 6) / 3, 6.0])
    assert scores["fitted"].values.tolist() == [False, True, False]
    assert scores["unbounded"].values.tolist() == [1, 0, 0]


def test_means_differ_by_the_difference_where_all_arms_lack_a_trial() -> None:
    """They were over trials, limits and differences over seeds: 3.67, with limits around 3."""
    values = [[[1.0, 2.0], [0.0, 8.0]], [[0.0, 0.0], [0.0, 0.0]]]
    ranked = analysis.rank_arms(constant(values, {(0, 1, 0): "failed", (1, 1, 0): "failed"}))
    assert ranked["mean"].values.tolist() == [(1 + 5) / 2, 0.0]
    assert float(ranked["difference"][1]) == -3.0


def test_an_arm_with_a_single_trial_has_a_mean_and_no_interval() -> None:
    values = np.arange(24.0).reshape(2, 3, 4) % 5
    gaps = {(0, *place): "failed" for place in np.ndindex(3, 4) if place != (1, 2)}
    scores = analysis.arm_scores(constant(values.tolist(), gaps))
    assert np.isfinite(scores["mean"]).all()
    assert np.isnan(scores["low"]).values.tolist() == [True, False]


def test_arms_are_averaged_over_settings_that_all_arms_have() -> None:
    excluded = {(1, 0, seed): "excluded" for seed in range(2)}
    ds = constant([[[8.0, 8.0], [2.0, 2.0]], [[0.0, 0.0], [3.0, 3.0]]], excluded)
    shared = analysis.arm_scores(ds)
    assert_array_equal(shared["mean"], [2.0, 3.0])
    assert_array_equal(shared["settings"], [1, 1])
    own = analysis.arm_scores(ds, settings="own")
    # Where both have been the second is better by one: of both settings it would have had 9 and 3.
    assert_array_equal(own["mean"], [5.0, 6.0])
    assert_array_equal(own["settings"], [2, 1])


def test_arms_without_a_shared_setting_are_refused() -> None:
    excluded = {(0, 0, 0): "excluded", (1, 1, 0): "excluded"}
    ds = constant([[[1.0], [1.0]], [[1.0], [1.0]]], excluded)
    with pytest.raises(ValueError, match="no setting is planned for every arm"):
        analysis.arm_scores(ds)


def test_best_setting_and_held_out_score() -> None:
    # Seeds agree on the first setting only in the mean: left out, seed 2 would choose the second.
    ds = constant([[[1.0, 1.0, 8.0], [3.0, 3.0, 2.0]]])
    best = analysis.best_setting_scores(ds).squeeze()
    assert float(best["mean"]) == pytest.approx(10 / 3)
    assert float(best["lr"]) == 1.0
    assert int(best["ties"]) == 1
    # Without seed 0 or 1 the first setting leads (4.5 to 2.5), without seed 2 the second.
    assert float(best["held_out"]) == pytest.approx((1 + 1 + 2) / 3)


def test_best_setting_where_lower_is_better_and_ties() -> None:
    ds = constant([[[3.0, 3.0], [1.0, 1.0], [1.0, 1.0]]], lower=True)
    best = analysis.best_setting_scores(ds).squeeze()
    assert (float(best["mean"]), float(best["lr"]), int(best["ties"])) == (1.0, 0.1, 2)


def test_best_setting_needs_as_many_seeds_as_the_others() -> None:
    ds = constant([[[8.0, 8.0], [3.0, 3.0]]], {(0, 0, 1): "failed"})
    assert float(analysis.best_setting_scores(ds)["mean"].squeeze()) == 3.0


def test_held_out_score_needs_another_seed_that_chose_the_setting() -> None:
    """Only seed 0 has scores: left out, no seed is left that could choose."""
    status = {(0, 0, 1): "failed", (0, 1, 1): "missing"}
    best = analysis.best_setting_scores(constant([[[4.0, 4.0], [5.0, 5.0]]], status)).squeeze()
    assert (float(best["mean"]), int(best["seeds"])) == (5.0, 1)
    assert math.isnan(best["held_out"])
    assert int(best["held_out_seeds"]) == 0


def test_seeds_that_are_worse_than_any_number_at_the_best_setting_are_counted() -> None:
    """Without seed 2 all others choose the first setting, at which it diverged."""
    one = partial(constant, [[[1.0] * 5, [5.0] * 5]], lower=True, bounds=(0.0, math.inf))
    lost = {(0, 0, 2): "diverged"}
    best = analysis.best_setting_scores(one(lost)).squeeze()
    assert (float(best["lr"]), int(best["unbounded"])) == (0.1, 0)
    assert (int(best["held_out_seeds"]), int(best["held_out_unbounded"])) == (4, 1)
    lost |= {(0, 1, 3): "diverged"}
    best = analysis.best_setting_scores(one(lost)).squeeze()
    assert (float(best["mean"]), int(best["unbounded"])) == (1.0, 1)
    assert (int(best["held_out_seeds"]), int(best["held_out_unbounded"])) == (3, 2)
    failed = dict.fromkeys(lost, "failed")
    best = analysis.best_setting_scores(one(failed)).squeeze()
    assert (int(best["unbounded"]), int(best["held_out_unbounded"])) == (0, 0)


def on_targets(*each: xr.Dataset) -> xr.Dataset:
    """Studies of one grid as one, on a target each."""
    names = ["ring", "grid", "spiral"][: len(each)]
    whole = xr.concat(each, "target", data_vars="all").assign_coords(target=names)
    return whole.transpose("arm", "target", ...).assign_attrs(each[0].attrs, given=["target"])


def test_a_best_setting_is_chosen_for_each_target_and_no_target_is() -> None:
    """The ring is easy at the first rate, and the grid at the second, where all is worth less."""
    ring = constant([[[8.0] * 3, [4.0] * 3], [[7.0] * 3, [7.0] * 3]])
    grid = constant([[[2.0] * 3, [6.0] * 3], [[1.0] * 3, [2.0] * 3]])
    best = analysis.best_setting_scores(on_targets(ring, grid))
    for name in ("mean", "held_out"):
        assert_allclose(best[name], [(8 + 6) / 2, (7 + 2) / 2])
    assert best["lr"].dims == best["ties"].dims == ("arm", "target")
    assert_array_equal(best["lr"], [[1.0, 0.1], [1.0, 0.1]])
    assert_array_equal(best["ties"], [[1, 1], [2, 1]])
    alone = analysis.best_setting_scores(on_targets(ring, grid).isel(target=[1]))
    assert_allclose(alone["mean"], [6.0, 2.0])


def test_scores_at_best_settings_are_of_targets_that_all_arms_have() -> None:
    everywhere = constant([[[8.0, 8.0]], [[4.0, 4.0]]])
    one_arm = constant(
        [[[1.0, 1.0]], [[0.0, 0.0]]], dict.fromkeys([(1, 0, 0), (1, 0, 1)], "excluded")
    )
    best = analysis.best_setting_scores(on_targets(everywhere, one_arm))
    assert_allclose(best["mean"], [8.0, 4.0])


def test_a_seed_without_a_score_on_one_target_has_none_over_all() -> None:
    """Its mean over the easy target alone would be as good as that."""
    whole = constant([[[8.0, 8.0, 8.0]]])
    lost = constant([[[2.0, 2.0, 2.0]]], {(0, 0, 1): "failed"})
    best = analysis.best_setting_scores(on_targets(whole, lost)).squeeze()
    assert (float(best["mean"]), int(best["seeds"])) == (5.0, 2)


def test_a_fresh_seed_of_a_searched_point_is_no_setting() -> None:
    """Two searches with two fresh seeds of what each found: nobody chooses among these."""
    found = constant([[[8.0, 0.0], [0.0, 8.0]]]).rename(lr="fresh_seed")
    best = analysis.best_setting_scores(found).squeeze()
    assert (float(best["mean"]), float(best["held_out"])) == (4.0, 4.0)


def test_setting_scores_count_what_did_not_complete() -> None:
    status = {(0, 0, 0): "diverged", (0, 0, 1): "failed", (0, 1, 0): "missing"}
    cells = analysis.setting_scores(constant([[[4.0, 4.0, 4.0], [5.0, 5.0, 5.0]]], status))
    assert_array_equal(cells["mean"].squeeze(), [2.0, 5.0])
    assert_array_equal(cells["seeds"].squeeze(), [2, 2])
    for name, counts in {"diverged": [1, 0], "failed": [1, 0], "missing": [0, 1]}.items():
        assert_array_equal(cells[name].squeeze(), counts)


def test_ranking_pairs_arms_within_seeds() -> None:
    # Seeds differ by far more than arms, and the arms by 1 in every seed up to 0.1.
    seeds = np.array([1.0, 3.0, 5.0, 6.0, 2.0])
    better = seeds + 1 + 0.1 * np.array([1, -1, 1, -1, 0])
    ranked = analysis.rank_arms(constant([[seeds.tolist()], [better.tolist()]]))
    assert ranked["arm"].values.tolist() == ["arm1", "arm0"]
    assert_allclose(ranked["difference"], [0.0, -1.0])
    # Five seeds of one setting make nothing clear; as many of four do.
    assert ranked["grade"].values.tolist() == ["", "leaning"]
    assert float(ranked["low"][0]) < float(ranked["high"][1]), "unpaired intervals overlap"
    four = [[seeds.tolist()] * 4, [better.tolist()] * 4]
    assert analysis.rank_arms(constant(four))["grade"].values.tolist() == ["", "clear"]


def test_ranking_sees_no_difference_in_noise() -> None:
    ranked = analysis.rank_arms(constant([[[1.0, 3.0, 2.0]], [[3.0, 1.5, 2.0]]]))
    assert ranked["grade"].values.tolist() == ["", "open"]
    assert float(ranked["p"][1]) > 0.5


def test_ranking_of_equal_arms_keeps_study_order() -> None:
    ranked = analysis.rank_arms(constant([[[8.0, 8.0]], [[8.0, 8.0]]]))
    assert ranked["arm"].values.tolist() == ["arm0", "arm1"]
    assert float(ranked["p"][1]) == 1.0
    assert ranked["grade"].values.tolist() == ["", "open"]


def test_ranking_where_lower_is_better_puts_arms_without_score_last() -> None:
    ds = constant(
        [[[5.0] * 3], [[1.0] * 3], [[2.0] * 3]],
        {(1, 0, 0): "failed", (1, 0, 1): "missing", (1, 0, 2): "failed"},
        lower=True,
    )
    ranked = analysis.rank_arms(ds)
    assert ranked["arm"].values.tolist() == ["arm2", "arm0", "arm1"]
    assert_array_equal(ranked["difference"], [0.0, 3.0, math.nan])
    # Three seeds that agree have a p of 2 / 4³ = 0.03, which no third seed could take back.
    assert ranked["grade"].values.tolist() == ["", "leaning", ""]


@pytest.mark.parametrize("failed", [0, 1])
def test_comparison_uses_only_points_that_both_arms_have(failed: int) -> None:
    # The failed trial is at the setting where both arms are bad; averages alone would mislead.
    values = [[[8.0, 8.0, 8.0], [0.0, 0.0, 0.0]], [[8.0, 8.0, 8.0], [0.0, 0.0, 0.0]]]
    ds = constant(values, {(failed, 1, 2): "failed"})
    pairs = analysis.compare_arms(ds)
    assert_array_equal(pairs["difference"], np.zeros((2, 2)))
    assert_array_equal(pairs["seeds"], [[0, 3], [3, 0]])
    assert_allclose(analysis.arm_scores(ds)["mean"], [4.0, 4.0])


def test_comparisons_are_antisymmetric_and_corrected_over_all_pairs() -> None:
    rng = np.random.default_rng(3)
    ds = constant((4 + rng.normal(size=(4, 2, 5))).tolist())
    pairs = analysis.compare_arms(ds)
    assert_allclose(pairs["difference"], -pairs["difference"].values.T)
    assert_allclose(pairs["low"], -pairs["high"].values.T)
    assert_allclose(pairs["p"], pairs["p"].values.T)
    raw = [
        float(analysis.compare_arms(ds.isel(arm=[i, j]))["p"][0, 1])
        for i, j in zip(*np.triu_indices(4, 1), strict=True)
    ]
    assert_allclose(pairs["p"].values[np.triu_indices(4, 1)], holm(np.array(raw)))


def test_status_counts_and_planned_points() -> None:
    status = {(0, 0, 0): "diverged", (1, 0, 0): "excluded", (1, 0, 1): "excluded"}
    ds = constant([[[1.0, 1.0]], [[1.0, 1.0]]], status)
    counts = analysis.status_counts(ds)
    assert counts.sel(arm="arm0", status="complete") == 1
    assert counts.sel(arm="arm0", status="diverged") == 1
    assert counts.sel(arm="arm1", status="excluded") == 2
    assert int(counts.sum()) == 4
    assert analysis.planned(ds).values.tolist() == [[True], [False]]


def test_study_without_axes_is_one_arm(make_study: Make) -> None:
    ds = make_study({}, samples=1)
    assert analysis.arm_dim(ds) == "study"
    assert analysis.setting_dims(ds) == []
    scores = analysis.rank_arms(ds)
    assert scores["study"].values.tolist() == ["mode_collapse"]
    assert int(scores["seeds"][0]) == 5
    assert int(scores["settings"][0]) == 1
    assert float(scores["mean"][0]) == pytest.approx(
        float(ds["modes_covered"].values[:, -4:].mean())
    )


def test_compare_must_be_an_axis(make_study: Make) -> None:
    ds = make_study({"lr": [1, 2]}, samples=1).assign_attrs(compare="rate")
    with pytest.raises(ValueError, match="'rate', which is not an axis of lr"):
        analysis.arm_scores(ds)


@pytest.mark.slow
def test_single_precision_and_lazy_storage_make_no_difference(
    make_study: Make, tmp_path: Path
) -> None:
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2]}, samples=1)
    noisy = np.random.default_rng(6).random(ds["high_quality"].shape, dtype=np.float32)
    noisy[1, ..., -4:] = noisy[0, ..., :-5:-1]
    ds["high_quality"] = ds["high_quality"].copy(data=noisy)
    ds.to_zarr(tmp_path / "results.zarr", zarr_format=2)
    stored = xr.open_zarr(tmp_path / "results.zarr")
    xr.testing.assert_identical(analysis.rank_arms(stored), analysis.rank_arms(ds))
    xr.testing.assert_identical(analysis.stability(stored), analysis.stability(ds))
    # Equal in single precision is equal: no difference is made of rounding.
    assert float(analysis.rank_arms(ds, "high_quality")["p"][1]) == 1.0


def test_unknown_metric_names_the_known_ones(make_study: Make) -> None:
    with pytest.raises(KeyError, match="modes_covered, high_quality, mode_kl"):
        analysis.trial_scores(make_study({"lr": [1]}, samples=1), "critic_loss")


def test_unknown_direction_is_refused(make_study: Make) -> None:
    ds = make_study({"lr": [1]}, samples=1)
    ds["modes_covered"].attrs["direction"] = "up"
    with pytest.raises(ValueError, match="direction is 'up'"):
        analysis.RecordedMetric.of(ds)


def test_stability_is_oriented_by_the_metric() -> None:
    ds = constant([[[1.0, 1.0, 1.0]]], {(0, 0, 2): "missing"})
    ds["quality"][0, 0, 0] = [1, 4, 8, 8, 5, 5, 6, 2, 8, 8]
    rising = analysis.stability(ds, threshold=2.0).squeeze()
    assert int(rising["trials"]) == 2
    assert_array_equal(rising["trial_drops"], [2.0, 0.0, math.nan])
    assert float(rising["drops"]) == 1.0
    assert float(rising["share_dropped"]) == 0.5
    assert float(rising["largest_drawdown"]) == 6.0
    assert float(rising["drawdown"]) == 3.0
    ds["quality"].attrs["direction"] = "lower"
    falling = analysis.stability(ds, threshold=2.0).squeeze()
    assert_array_equal(falling["trial_drops"], [3.0, 0.0, math.nan])
    assert float(falling["largest_drawdown"]) == 7.0


def test_share_diverged_is_of_trials_that_ran() -> None:
    status = {(0, 0, 0): "diverged", (0, 0, 1): "failed"}
    stable = analysis.stability(constant([[[1.0, 1.0, 1.0]]], status)).squeeze()
    assert float(stable["share_diverged"]) == 0.5


def test_drop_threshold_is_a_tenth_of_the_range(make_study: Make) -> None:
    ds = make_study({"lr": [1]}, samples=1)
    assert analysis.drop_threshold(ds) == pytest.approx(0.8)
    recorded = ds["mode_kl"].values[np.isfinite(ds["mode_kl"].values)]
    assert analysis.drop_threshold(ds, "mode_kl") == pytest.approx(0.1 * np.ptp(recorded))


def test_intervals_stay_within_the_bounds_of_a_metric(
    make_study: Callable[..., xr.Dataset],
) -> None:
    """Student's with two seeds is 12.7 standard errors; scores of 0 to 8 differ by 8 at most."""
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, steps=4, samples=9)
    ds["modes_covered"].attrs["bounds"] = [0.0, 8.0]
    ds["modes_covered"].loc[{"divergence": "a"}] = xr.DataArray([2.0, 6.0], dims="seed")
    ds["modes_covered"].loc[{"divergence": "b"}] = xr.DataArray([5.0, 5.0], dims="seed")
    pairs = analysis.compare_arms(ds, "modes_covered")
    assert float(pairs["low"].min()) == -8.0
    assert float(pairs["high"].max()) == 8.0
    unbounded = ds["modes_covered"].attrs | {"bounds": [-math.inf, math.inf]}
    ds["modes_covered"].attrs = unbounded
    assert float(analysis.compare_arms(ds, "modes_covered")["high"].max()) > 20
