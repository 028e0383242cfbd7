"""Arms over several targets: places, first choices, agreement of rankings and of metrics."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from joined_studies import joined_of, made_run, text_of
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from recomputed import sentences, unexplained
from scipy.stats import kendalltau, rankdata, spearmanr
from unrendered import undrawn

from ganstudy import analysis, open_runs
from ganstudy.analysis.across import wins
from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.blocks import paired
from ganstudy.analysis.bounded import gaffke_interval
from ganstudy.analysis.first_choice import most_behind
from ganstudy.analysis.grades import graded
from ganstudy.analysis.intervals import t_interval
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.remembered import remembering
from ganstudy.analysis.sharing import variances
from ganstudy.report import across, build, style
from ganstudy.report.across.first import first
from ganstudy.report.across.ranking import budgets, by_budget
from ganstudy.report.across.words import share
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.sections.methods import Methods
from ganstudy.report.sections.studies import Studies, draw_alike_on, draw_places
from ganstudy.score import tail_mean


def drawn(studies: int = 3, arms: int = 4, seeds: int = 5, noise: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(1)
    return 4 + rng.normal(size=(studies, arms, 1)) + noise * rng.normal(size=(studies, arms, seeds))


@pytest.mark.slow
def test_scores_are_those_of_each_study_alone(joined: xr.Dataset) -> None:
    found = analysis.study_scores(joined)
    for name in joined["study"].values:
        arms = analysis.tuned(analysis.of_study(joined, name))
        alone = analysis.trial_scores(arms)["score"].mean("fresh_seed").values
        own = found["score"].sel(study=name).values.reshape(alone.shape)
        bad = analysis.trial_scores(arms)["unbounded"].any("fresh_seed").values
        np.testing.assert_allclose(own[~bad], alone[~bad])
        assert np.isnan(own[bad]).all()
        oriented = found["oriented"].sel(study=name).values.reshape(alone.shape)
        assert np.isneginf(oriented[bad]).all()
    assert found.attrs["scored"] == "fresh"
    assert found["arm"].values[0] == "minimax, published"


@pytest.mark.slow
def test_what_a_page_asks_again_is_found_once(
    joined: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page scored all studies 23 times. What one sentence changes of its own is no other's."""
    expected, asked = analysis.study_scores(joined, 2), []

    def counted(ds: xr.Dataset, name: str) -> xr.Dataset:
        asked.append(name)
        return analysis.of_study(ds, name)

    monkeypatch.setattr("ganstudy.analysis.across.of_study", counted)
    with remembering():
        for _ in range(2):
            found = analysis.study_scores(joined, 2)
            xr.testing.assert_identical(found, expected)
            found["score"] = 0.0
            found.attrs["scored"] = "never"
        other = analysis.study_scores(joined, 1)
        assert not other["score"].equals(expected["score"])
    assert len(asked) == 2 * joined.sizes["study"]
    analysis.study_scores(joined, 2)
    assert len(asked) == 3 * joined.sizes["study"]


@pytest.mark.slow
def test_every_analysis_of_a_page_is_found_once(
    joined: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page scored its trials 48 times for five answers; a default may be said or left out.

    Lists, which have no hash, are taken.
    """
    one, asked = analysis.of_study(joined, joined["study"].values[0]), []

    def counted(curves: np.ndarray) -> np.ndarray:
        asked.append(curves)
        return tail_mean(curves)

    monkeypatch.setattr("ganstudy.analysis.scores.tail_mean", counted)
    with remembering():
        found = analysis.trial_scores(one)
        for said in ({"metric": None}, {}):
            xr.testing.assert_identical(analysis.trial_scores(one, **said), found)
        assert len(asked) == 1
        xr.testing.assert_identical(found, analysis.trial_scores(one.copy()))
        assert len(asked) == 2
        assert analysis.wins_by_budget(joined, [1, 2])["budget"].values.tolist() == [1, 2]


@pytest.mark.slow
def test_a_budget_is_that_of_the_curve(joined: xr.Dataset) -> None:
    """Of one search seed, by what the search was told; of too many points, refused."""
    for budget in (1, 3):
        found = analysis.study_scores(joined, budget)
        assert found.attrs["scored"] == "told"
        for name in joined["study"].values:
            curve = analysis.budget_curve(analysis.of_study(joined, name))["best"]
            whole = np.isfinite(found["score"].sel(study=name)).all("repeat").values
            expected = curve.isel(trial=budget - 1).values.ravel()[whole]
            mean = found["score"].sel(study=name).mean("repeat").values[whole]
            np.testing.assert_allclose(mean, expected)
    with pytest.raises(ValueError, match="from 1 to 4 points"):
        analysis.study_scores(joined, 5)
    with pytest.raises(ValueError, match="is a grid"):
        analysis.study_scores(joined_of(drawn()), 1)


@pytest.mark.slow
def test_a_search_that_has_not_tried_as_many_is_not_worse_than_any_number(
    joined: xr.Dataset,
) -> None:
    """Nor one whose points failed; that is for points that ran and have no number."""
    arm = {"divergence": 0, "constraint": 0}
    status, found = joined["status"].copy(deep=True), {}
    for ended, trials in (
        *(("missing", [3]), ("failed", range(4)), ("diverged", range(4))),
        ("unmeasured", range(4)),
    ):
        changed, score = status.copy(deep=True), joined["sliced_wasserstein"].copy(deep=True)
        at = {**arm, "study": 1, "trial": list(trials)}
        changed[at] = "complete" if ended == "unmeasured" else ended
        score[at] = np.nan
        ds = joined.assign(status=changed, sliced_wasserstein=score)
        oriented = analysis.study_scores(ds, 4)["oriented"]
        found[ended] = oriented.isel(study=1, arm=0).values
        assert oriented.isel(study=1, arm=1).notnull().any()
    assert np.isnan(found["missing"]).all()
    assert np.isnan(found["failed"]).all()
    assert np.isnan(found["unmeasured"]).all()
    assert np.isneginf(found["diverged"]).all()


def test_places_and_grades_are_those_of_the_arms_of_one_study() -> None:
    """By `rank_arms`, of grids without settings."""
    ds = joined_of(drawn(seeds=12))
    found = analysis.rank_studies(ds)
    for name in ds["study"].values:
        alone = analysis.rank_arms(analysis.of_study(ds, name))
        own = found.sel(study=name)
        order = own["arm"].values[np.argsort(own["place"].values)]
        assert order.tolist() == alone["divergence"].values.tolist()
        assert own["best"].item() == order[0]
        own = own.sel(arm=order)
        np.testing.assert_allclose(own["mean"], alone["mean"])
        np.testing.assert_allclose(own["low"], alone["low"])
        np.testing.assert_allclose(own["behind"], -alone["difference"], atol=1e-12)
        assert own["grade"].values.tolist() == alone["grade"].values.tolist()
    assert {"clear", "open"} <= set(found["grade"].values.ravel().tolist())


def test_a_search_that_diverged_is_the_worst_where_no_bound_says_how_bad() -> None:
    values = np.array([[[1.0] * 4, [2.0] * 4, [0.5, 0.5, 0.5, np.nan]]])
    ds = joined_of(values, "lower", (0.0, np.inf))
    found = analysis.rank_studies(ds).isel(study=0)
    # The third wins three of four searches, but not the last.
    assert found["place"].values.tolist() == [2, 3, 1]
    np.testing.assert_allclose(found["diverged"], [0, 0, 1 / 4])
    values[0, 2, 1:] = np.nan
    found = analysis.rank_studies(joined_of(values, "lower", (0.0, np.inf))).isel(study=0)
    assert found["place"].values.tolist() == [1, 2, 3]


def test_equals_share_a_place() -> None:
    """Which of them was in which place was the order of the arms in the study."""
    values = np.array([[[1.0] * 4, [0.1 + 0.2] * 4, [0.3] * 4, [2.0] * 4]])
    for own, places in ((values, [3, 1, 1, 4]), (values[:, ::-1], [4, 1, 1, 3])):
        ds = joined_of(own, "lower", (0.0, 9.0))
        found = analysis.rank_studies(ds).isel(study=0)
        assert found["place"].values.tolist() == places
        assert found["equals_best"].values.tolist() == [place == 1 for place in places]
        over = analysis.rank_over_studies(ds).sel(arm=found["arm"].values)
        assert over["worst_place"].values.tolist() == places
        assert over["study_best"].item() == found["best"].item() == "d1"


def test_arms_that_win_as_often_share_a_place() -> None:
    """Where no score is as bad as what diverged, and nothing is averaged; none is known of d3."""
    lost = [1.0, 1.0, np.nan, np.nan]
    values = np.array([[[1.0] * 4, lost, lost[::-1], [np.nan] * 4]])
    found = analysis.rank_studies(joined_of(values, "lower", (0.0, np.inf))).isel(study=0)
    assert found["place"].values.tolist() == [1, 2, 2, 4]


def test_wins_over_targets_know_no_units() -> None:
    values = drawn()
    scaled = values * np.array([1.0, 0.01, 0.3])[:, None, None]
    one, other = (analysis.rank_over_studies(joined_of(own)) for own in (values, scaled))
    xr.testing.assert_allclose(one, other)
    better = values[:, :, None] > values[:, None]
    expected = better.mean(axis=(0, 2, 3)) * 4 / 3
    np.testing.assert_allclose(one["wins"].sortby("arm"), expected)
    assert one["wins"].values.tolist() == sorted(one["wins"].values, reverse=True)


def test_the_first_choice_is_scored_where_it_was_not_chosen() -> None:
    """Against all that is done by hand: each search is scored by a choice made on the others."""
    values = drawn(noise=1.0)
    found = analysis.first_choice(joined_of(values))

    def chosen(own: np.ndarray) -> int:
        return int((own[:, :, None] > own[:, None]).sum(axis=(0, 2, 3)).argmax())

    cost, new = np.zeros((2, 3, 5))
    for s, r in product(range(3), range(5)):
        rest = np.delete(values, r, axis=2)
        best = rest[s].mean(axis=1).argmax()
        cost[s, r] = values[s, best, r] - values[s, chosen(rest), r]
        new[s, r] = values[s, best, r] - values[s, chosen(np.delete(rest, s, axis=0)), r]
    assert (cost.mean(axis=1) < 0).any()
    np.testing.assert_allclose(found["cost"], np.maximum(cost.mean(axis=1), 0))
    np.testing.assert_allclose(found["new_cost"], np.maximum(new.mean(axis=1), 0))
    assert found["arm"].item() == f"d{chosen(values)}"
    assert (found["most"] >= found["cost"]).all()
    assert (found["share"] == found["cost"] / 8).all()


def by_target(ds: xr.Dataset, name: str) -> list[Sentence]:
    return across.sentences(ds, name)["Which objective on which target"]


def told(ds: xr.Dataset, answer: Callable[[xr.Dataset, str], list[Sentence]]) -> str:
    """What is said of a question, without markup; each number is in what its call returns."""
    names = [*ds["study"].values, "d0", "d1", "d2", "over 4 seeds"]
    with remembering():
        said = answer(ds, "ds")
        for text, call in said:
            value = eval(call, {"ds": ds, "analysis": analysis})
            assert unexplained(text, value, names) == []
    return re.sub(r"<[^>]+>", "", " ".join(str(text) for text, _ in said))


@pytest.mark.slow
def test_searches_that_a_first_choice_loses_are_told() -> None:
    """It wins most where it is no worse than any number, and its cost was that of the others."""
    values = np.repeat([[[1.0], [2.0], [3.0]]], 10, axis=2).repeat(2, axis=0)
    values[0, 0, :6] = np.nan
    ds = joined_of(values, "lower", (0.0, np.inf))
    found = analysis.first_choice(ds)
    assert found["lost"].values.tolist() == [6, 0]
    assert found["new_lost"].values.tolist() == [6, 0]
    said = told(ds, first)
    lost = "target0 by 0.00, and by more than any number in 6 of 10 seeds, with no limit; "
    assert f"it is on {lost}on target1 by 0.00, at most 0.00; limits hold" in said
    assert f"is behind the best of {lost}target1 by " in said
    values[1, :, :3] = np.nan
    assert analysis.first_choice(with_gaps(values))["lost"].values.tolist() == [0, 0]


def test_the_mean_on_a_target_is_of_searches_that_have_a_number() -> None:
    """Others were worse where the first arm was lost, which filled it in with more than its 1."""
    values = np.repeat([[[1.0], [2.0], [3.0]]], 4, axis=2).repeat(2, axis=0)
    values[0, 1:, 2:] += 6.0
    values[0, 0, 2:] = np.nan
    ranked = analysis.rank_studies(joined_of(values, "lower", (0.0, np.inf)))
    np.testing.assert_allclose(ranked["mean"].sel(study="target0"), [1.0, 5.0, 6.0])


@pytest.mark.slow
def test_arms_that_win_as_often_are_all_told() -> None:
    values = np.repeat([[[3.0], [2.0], [1.0]], [[2.0], [3.0], [1.0]]], 3, axis=2)
    ds = joined_of(values)
    assert analysis.first_choice(ds)["ties"] == 2
    said = told(ds, first)
    assert said.startswith("Try d0 first: it is one of 2 arms that win most comparisons over all ")
    assert "and is still chosen 100% of the times" in said
    # By wins, whatever their means are: that of the first is of the three that have a number.
    lost = [[1.0, 1, 4.5, np.nan], [2.0, 2, 2, 2], [1.5, 9, 9, 9]]
    said = told(joined_of([lost], "lower", (0.0, np.inf)), by_target)
    assert (
        "On target0 d0 and d1 are first, equally, in score (lower is better) with 2.17 and 2.00; "
        in said
    )
    equal = [[1.0, 1, 1, np.nan], [1.0] * 4, [9.0] * 4]
    said = told(joined_of([equal], "lower", (0.0, np.inf)), by_target)
    assert "On target0 d1 is first in score" in said


@pytest.mark.slow
def test_who_wins_most_at_a_budget_is_told_of_all_that_do(joined: xr.Dataset) -> None:
    same = joined.assign(sliced_wasserstein=xr.full_like(joined["sliced_wasserstein"], 1.0))
    same = same.assign(modes_covered=xr.full_like(joined["modes_covered"], 2.0))
    same = same.assign(status=xr.full_like(joined["status"], "complete"))
    said = told(same, by_budget)
    assert "most comparisons are won by 6 arms, equally, with 1 (50%), 6 arms, equally, " in said
    assert "On ring first place goes to 6 arms, equally, with 1, 6 arms, equally, with 2" in said
    assert "in brackets, over how many" not in said
    said = told(same.isel(constraint=[0], divergence=[0, 1]), by_budget)
    assert "won by “hinge, published” and “minimax, published”, equally, with 1 (50%)" in said


@pytest.mark.slow
def test_an_arm_of_which_no_trial_ran_did_not_diverge_most() -> None:
    values = np.ones((2, 3, 4))
    values[0, :2, 0] = np.nan
    ds = joined_of(values)
    ds["status"][:, 2] = "missing"
    said = told(ds, by_target)
    assert "On average over targets 12.5% of trials diverged, of d0 and d1 most: 12.5%." in said
    ds["status"][:, :2] = "complete"
    assert "No trial diverged." in told(ds, by_target)


@pytest.mark.parametrize("searches", [3, 5, 8, pytest.param(20, marks=pytest.mark.slow)])
def test_no_choice_is_further_behind_the_best_than_is_said(searches: int) -> None:
    """Of ten arms on four targets, for all arms and targets at once, whichever is chosen.

    Student's limits of held-out costs held for all four in 58 to 93 % of studies of eight arms.
    """
    runs, rng = 1000, np.random.default_rng(searches)
    worth = 2.0 * rng.normal(size=(runs, 4, 10))
    oriented = worth[..., None] + rng.normal(size=(*worth.shape, searches))
    most = most_behind(oriented, 0.05 / 4)
    held = (worth.max(axis=-1, keepdims=True) - worth <= most).all(axis=(1, 2)).mean()
    assert held > 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)


@pytest.mark.parametrize("searches", [3, 10])
def test_searches_that_all_agree_may_have_missed_what_is_rare(searches: int) -> None:
    """Two arms cover all modes but where the first collapses, in one search of five.

    Student's limit of what it is behind is zero as long as none has, in half of studies of three.
    """
    runs, rng = 200, np.random.default_rng(searches)
    covered = 8.0 * (rng.random((runs, 2, searches)) >= np.array([0.2, 0.0])[:, None])
    held = (most_behind(covered, 0.05, 8.0)[:, 0] >= 1.6).mean()
    assert held > 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)


def test_spreads_are_graded_in_the_direction_that_is_told() -> None:
    """Two labels lack different searches, and what both have puts them the other way round."""
    gone = np.nan
    values = np.array(
        [
            [[4, 7, gone, 4], [3, 2, 4, gone]],
            [[2, 0, 6, 5], [5, 4, 6, 2]],
            [[6, 5, 4, 1], [5, 3, 2, 2]],
        ]
    )
    found = analysis.spread_of_arms(with_gaps(values[None]), "constraint").isel(study=0)
    one = found.sel(constraint="c0", to="c1")
    assert one["narrower"] < 0
    assert one["grade"] == "open"


def with_gaps(values: np.ndarray) -> xr.Dataset:
    """Joined grids, in which NaN is a trial that failed."""
    ds = joined_of(values)
    return ds.assign(status=ds["status"].where(ds["status"] != "diverged", "failed"))


@pytest.mark.slow
def test_gaps_are_no_ties_and_no_arm_gains_by_them() -> None:
    """Arms one apart on each target, seeds far more; another arm is missing in each seed."""
    values = np.arange(2.0, 6.0)[:, None] + 0.7 * np.arange(-2.0, 3.0)
    values = np.stack([values, values + 0.1])
    gaps = values.copy()
    for seed in range(5):
        gaps[:, seed % 4, seed] = np.nan
    ds, whole = with_gaps(gaps), with_gaps(values)
    found = analysis.rank_agreement(ds)
    np.testing.assert_allclose(found["correlation"], 1.0)
    np.testing.assert_allclose(found["of_means"], 1.0)
    over = analysis.rank_over_studies(ds)
    assert over["arm"].values.tolist() == ["d3", "d2", "d1", "d0"]
    np.testing.assert_allclose(over["wins"], analysis.rank_over_studies(whole)["wins"], atol=0.1)
    for name in ("place", "mean"):
        own, full = (analysis.rank_studies(one)[name] for one in (ds, whole))
        np.testing.assert_allclose(own, full)


def test_an_arm_with_gaps_is_chosen_for_what_it_wins() -> None:
    """The first wins all that it has, in two seeds of eight; the second the others of all."""
    values = np.repeat([[5.0], [4.0], [3.0], [2.0], [1.0]], 8, axis=1)
    values[0, 2:] = np.nan
    assert analysis.first_choice(with_gaps(values[None]))["arm"] == "d0"
    assert np.isinf(most_behind(np.array([[1.0, 2, 3], [2.0, np.nan, np.nan]]), 0.05)[0])


def test_an_arm_that_is_worse_than_any_number_can_be_behind_by_anything() -> None:
    oriented = np.array([[1.0, 1.1, 0.9], [-np.inf, 5.0, 5.0], [0.0, 0.1, -0.1]])
    np.testing.assert_allclose(most_behind(oriented, 0.05), [0.0, np.inf, 1.0])


def test_agreement_of_rankings_is_kendalls_over_different_searches() -> None:
    values = drawn()
    found = analysis.rank_agreement(joined_of(values))
    for s, t in product(range(3), range(3)):
        own = [
            kendalltau(values[s, :, r], values[t, :, q]).statistic
            for r, q in product(range(5), range(5))
            if r != q
        ]
        assert found["correlation"].values[s, t] == pytest.approx(np.mean(own))
        of_means = kendalltau(values[s].mean(axis=1), values[t].mean(axis=1)).statistic
        assert found["of_means"].values[s, t] == pytest.approx(of_means)
    np.testing.assert_allclose(found["same_way"], (1 + found["correlation"]) / 2)
    # A tie is no order: of Kendall's coefficients it is the first, and not SciPy's.
    tied = np.round(values[:2])
    signs = np.sign(tied[:, :, None] - tied[:, None])
    assert (signs == 0).sum() > 2 * 4 * 5  # not of an arm with itself alone
    pairs = [(r, q) for r, q in product(range(5), range(5)) if r != q]
    alike = [(signs[0, ..., r] * signs[1, ..., q]).sum() / (4 * 3) for r, q in pairs]
    of_tied = analysis.rank_agreement(joined_of(tied))["correlation"].values[0, 1]
    assert of_tied == pytest.approx(np.mean(alike))
    # One target is ranked upside down, in all searches alike.
    apart = np.stack([values[0, :, :1].repeat(5, 1), 8 - values[0, :, :1].repeat(5, 1)])
    turned = analysis.rank_agreement(joined_of(apart))
    np.testing.assert_allclose(turned["correlation"], [[1, -1], [-1, 1]])
    # Searches that all say the same have no limits: these would be as far apart as nothing.
    assert turned["low"].isnull().all()
    assert turned["same_high"].isnull().all()


@pytest.mark.slow
@pytest.mark.parametrize(("searches", "often"), [(3, 0.47), (5, 0.65)])
def test_limits_of_agreement_hold_with_two_arms(searches: int, often: float) -> None:
    """Of all studies in which the better arm wins nine searches of ten, on both targets.

    Those in which all searches say the same had limits without width, which never hold.
    """
    truth, stated, held = (1 + 0.8**2) / 2, 0.0, 0.0
    for kinds in combinations_with_replacement(product((1, -1), repeat=2), searches):
        chance = float(math.factorial(searches))
        for kind, times in Counter(kinds).items():
            chance *= math.prod(0.9 if won > 0 else 0.1 for won in kind) ** times
            chance /= math.factorial(times)
        first = 4 + np.array(kinds, float).T
        ds = joined_of(np.stack([first, np.full_like(first, 4)], axis=1))
        found = analysis.rank_agreement(ds).isel(study=0, other=1)
        low, high = float(found["same_low"]), float(found["same_high"])
        stated += chance * math.isfinite(low)
        held += chance * (low <= truth <= high)
    assert stated == pytest.approx(often, abs=0.01)
    assert held > 0.99 * stated


def test_agreement_of_metrics_is_spearmans(joined: xr.Dataset) -> None:
    found = analysis.metric_agreement(joined)
    one = analysis.seen(analysis.of_study(joined, "ring"))
    names = ("modes_covered", "sliced_wasserstein")
    scores = [analysis.trial_scores(one, name)["score"] for name in names]
    complete = one["status"] == "complete"
    own = [
        spearmanr(
            *(s.isel(repeat=r).values[complete.isel(repeat=r).values] for s in scores)
        ).statistic
        for r in range(one.sizes["repeat"])
    ]
    here = found["correlation"].sel(study="ring", metric=names[0], other=names[1])
    # A short distance is as good as many modes.
    assert here.item() == pytest.approx(-np.mean(own))
    assert np.isnan(found["correlation"].sel(study="roll", metric="modes_covered")).all()
    # Each metric is 1 with itself, in every search.
    assert found["mean_low"].sel(metric=names[0], other=names[0]).isnull()
    assert found["mean_low"].sel(metric=names[0], other=names[1]).notnull()
    assert found["studies"].sel(metric="sliced_wasserstein", other="sliced_wasserstein") == 2


def test_limits_without_width_are_not_told() -> None:
    row = xr.Dataset({"share": 1.0, "low": 1.0, "high": 1.0})
    assert share(row, "share") == "100%"
    assert share(row.assign(low=0.5), "share") == "100% (50% to 100%)"


def test_spread_is_that_of_the_arms_and_not_of_the_searches() -> None:
    """Six arms one apart at the first label and equal at the second, with noise of one half."""
    rng = np.random.default_rng(2)
    noise = 0.5 * rng.normal(size=(2, 6, 2, 12))
    apart = np.arange(6.0)[:, None] * np.array([1.0, 0.0])
    found = analysis.spread_of_arms(joined_of(2 + apart[None, :, :, None] + noise), "constraint")
    truth = np.std(np.arange(6), ddof=1)
    assert np.abs(found["spread"].sel(constraint="c0") - truth).max() < 0.3
    assert found["spread"].sel(constraint="c1").max() < 0.3
    assert (found["grade"].sel(constraint="c0", to="c1") == "clear").all()
    assert (found["low"] <= found["spread"]).all()
    assert (found["vanished"].sel(constraint="c0", to="c1") > 8).all()
    with pytest.raises(ValueError, match="no axis 'divergence' beside the arms"):
        analysis.spread_of_arms(joined_of(noise + 2), "divergence")


def test_effects_are_those_of_each_study(joined: xr.Dataset) -> None:
    found = analysis.study_effects(joined)
    alone = analysis.factor_effects(analysis.tuned(analysis.of_study(joined, "ring")))
    own = found.sel(study="ring")
    np.testing.assert_allclose(own["share"].sel(effect=alone["effect"]), alone["share"])
    assert "divergence × constraint" in found["effect"].values


def test_two_searches_have_no_intervals(joined: xr.Dataset) -> None:
    two = joined_of(drawn(seeds=2))
    assert analysis.rank_agreement(two)["low"].isnull().all()
    assert analysis.first_choice(two)["cost"].isnull().all()
    assert not Path(joined.attrs["runs"][0]).is_file()


@pytest.mark.parametrize("searches", [3, 8])
def test_intervals_of_correlations_cover(searches: int) -> None:
    """Student's, over correlations of 72 trials in each search: as `metric_agreement` has them."""
    runs, rng = 1000, np.random.default_rng(searches)
    first = rng.normal(size=(runs, searches, 72))
    ranks = [rankdata(x, axis=-1) for x in (first, first + 0.5 * rng.normal(size=first.shape))]
    one, other = ((x - 36.5) / np.linalg.norm(np.arange(72) - 35.5) for x in ranks)
    found = t_interval((one * other).sum(axis=-1))
    covered = ((found.low <= found.mean.mean()) & (found.mean.mean() <= found.high)).mean()
    assert abs(covered - 0.945) < 4 * np.sqrt(0.95 * 0.05 / runs)


@pytest.mark.slow
def test_intervals_of_wins_and_of_spreads_cover() -> None:
    """Six arms on four targets with two constraints, as far apart as five searches scatter.

    Spreads are equal: their difference is clear in one study of a hundred at most, and leans in one
    of five.
    """
    runs, rng = 150, np.random.default_rng(5)
    worth = rng.normal(size=(4, 6, 2))
    worth = (worth - worth.mean(axis=1, keepdims=True)) / worth.std(axis=1, ddof=1, keepdims=True)
    values = worth[..., None] + rng.normal(size=(runs, *worth.shape, 5))
    of_arms = np.swapaxes(values.reshape(runs, 4, 12, 5), 1, 2)
    shares = xr.DataArray(
        [wins(paired(own, "wins")) for own in of_arms], dims=("run", "arm", "seed")
    )
    fact = RecordedMetric("wins", "", "", True, (0.0, 1.0), np.nan)
    won = interval_over_seeds(shares, fact, 0.95, settings=4)
    variance, pseudo = variances(np.swapaxes(values, 2, 3))
    limits = t_interval(pseudo)
    half = (limits.high - limits.low) / 2
    _, grades = graded(pseudo[:, :, 0] - pseudo[:, :, 1], 1)
    slack = 4 * np.sqrt(0.95 * 0.05 / runs)
    truth = won["mean"].mean("run")
    assert ((won["low"] <= truth) & (truth <= won["high"])).mean() > 0.95 - slack
    assert (np.abs(variance - 1) <= half).mean() > 0.94 - slack
    assert (grades == "clear").any(axis=1).mean() <= 0.01 + 4 * np.sqrt(0.0099 / runs)
    assert (grades != "open").any(axis=1).mean() <= 0.2 + 4 * np.sqrt(0.16 / runs)
    ds = joined_of(values[0], bounds=(-np.inf, np.inf))
    ranked = analysis.rank_over_studies(ds).sortby("arm")
    np.testing.assert_allclose(ranked["low"], won["low"][0])
    spread = analysis.spread_of_arms(ds, "constraint")
    np.testing.assert_allclose(spread["high"], np.sqrt(np.maximum(variance + half, 0))[0])
    assert spread["grade"].values[:, 0, 1].tolist() == grades[0].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "clear"), [(5, 0), (9, 0), (10, 0.11)])
def test_spreads_are_told_apart_with_ten_seeds_at_least(seeds: int, clear: float) -> None:
    """Of three arms with one mean one rarely collapses at one of two labels: fewer seeds miss it,
    and the spread was clearly another in 30 and 14 % of studies."""
    runs, rng = 300, np.random.default_rng(seeds)
    values = 0.824 + 0.02 * rng.normal(size=(runs, 3, 2, seeds))
    fell = rng.random((runs, seeds)) < 0.2
    values[:, 0, 0] = np.where(fell, 0.2, 0.98) + 0.005 * rng.normal(size=(runs, seeds))
    _, pseudo = variances(np.swapaxes(values, 1, 2))
    grades = graded(pseudo[:, [0]] - pseudo[:, [1]], 1)[1][:, 0].tolist()
    told = [analysis.spread_of_arms(joined_of(own[None]), "constraint") for own in values[:3]]
    assert [found["grade"].values[0, 0, 1] for found in told] == grades[:3]
    slack = 4 * math.sqrt(clear * (1 - clear) / runs)
    assert abs(grades.count("clear") / runs - clear) <= slack


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [5, 8])
def test_intervals_of_agreement_cover(seeds: int) -> None:
    """Arms and targets are as they are; what is drawn anew is the noise of searches.

    Ten arms with effects of size one on two targets that share half of them, noise of one. The
    truth is the mean over 2,000 such studies, each of which is unbiased. Among 1,000 studies at
    95 % the share that covers has a standard error of 0.007.
    """
    from ganstudy.analysis import agreement
    from ganstudy.analysis.intervals import jackknife

    rng = np.random.default_rng(seeds)
    shared, own = rng.normal(size=10), rng.normal(size=(2, 10))
    effects = np.sqrt(0.5) * (shared + own)
    values = []
    limits = []
    for _ in range(2000):
        noisy = effects[:, None] + rng.normal(size=(2, seeds, 10))
        signs = agreement.pair_signs(noisy)
        whole = agreement.kendall(signs)
        without = [agreement.kendall(np.delete(signs, r, axis=1)) for r in range(seeds)]
        values.append(whole)
        limits.append(jackknife(whole, np.array(without), 0.95)[1:3])
    truth = np.mean(values, axis=0)
    low, high = np.moveaxis(np.array(limits), 0, 1)
    covered = ((low <= truth) & (truth <= high)).mean(axis=0)
    assert 0.93 < covered[0, 1] < 0.985, covered
    assert 0.93 < covered[0, 0] < 0.985, covered


@pytest.mark.slow
def test_sentences_on_grids_speak_of_seeds() -> None:
    """Not of searches; of two targets there is one pair, and no share is below zero."""
    values = np.full((2, 2, 2, 4), 4.0) + np.array([[0, 1, 0, 1], [1, 0, 1, 0]])[:, None]
    said = across.sentences(joined_of(values))
    text = " ".join(str(own.text) for part in said.values() for own in part)
    assert "search" not in text
    assert "the better by a seed on another" in text
    assert "Least alike" not in text
    assert "-" not in text.replace("Spearman's", "")
    assert not said["At which budget"]


def test_arms_of_one_mean_are_first_together() -> None:
    """The first of them in the study alone was called first."""
    values = np.array([[3.0, 3, 3, 3], [3, 3, 3, 3], [1, 2, 1, 2]])[None].repeat(2, axis=0)
    said = across.sentences(joined_of(values))
    (one, *_) = [
        str(own.text)
        for own in said["Which objective on which target"]
        if " first, equally," in str(own.text)
    ]
    assert re.search(r"</strong> and <strong>[^<]*</strong> are first, equally, in ", one)
    assert " with 3.00; " in one
    lead = str(said["Which objective on which target"][0].text)
    assert re.search(r"</strong> and <strong>[^<]*</strong> win most often, equally,", lead)
    assert "all others" not in one


def test_pairs_that_lean_are_not_told_apart() -> None:
    values = np.full((2, 2, 2, 4), 4.0) + np.array([[0, 1, 0, 1], [1, 0, 1, 0]])[:, None]
    said = across.sentences(joined_of(values))
    text = " ".join(str(own.text) for part in said.values() for own in part)
    assert "of 2 pairs of divergences the lead is clear or leans in 0 with" in text, text


@pytest.mark.slow
def test_the_page_says_how_its_numbers_are_made(joined: xr.Dataset, tmp_path: Path) -> None:
    """What is true for what was joined: searches with fresh seeds here, grids of seeds there."""
    with undrawn():
        page = build(joined, {}, tmp_path).read_text(encoding="utf-8")
    found = [text for text, _ in sentences(page)]
    assert len(found) > 10
    assert not [text for text in found if re.search(r"\([^()]*\(", text)], "brackets in brackets"
    said = page.partition('<section id="methods">')[2]
    assert "every combination of divergence and constraint" in said
    assert "worst value on ring; on roll" in said
    assert "on fresh seeds, which no search has seen" in said
    assert '<th scope="row">target.name</th><td class="label">ring</td>' in said
    grids = Methods(Findings.of(joined_of(drawn()))).facts()["joined"]
    assert (grids.unit, grids.count, grids.scored) == ("seed", 5, "seeds")
    assert (grids.budgets, grids.further) == ([], [])


def of_each(ds: xr.Dataset, own: dict[str, dict[str, object]]) -> xr.Dataset:
    """Joined studies with further attributes of some of them."""
    known = json.loads(ds.attrs["own"])
    return ds.assign_attrs(own=json.dumps({n: known[n] | own.get(n, {}) for n in known}))


@pytest.mark.slow
@pytest.mark.parametrize("why", [{"deterministic": 1}, {"settled_by": "{}"}])
def test_what_is_not_tested_has_no_grades_and_no_limits(
    why: dict[str, object], tmp_path: Path
) -> None:
    """Computations, and studies whose seeds were added by results; on one of two targets, or both.

    Arms are far apart: all were graded.
    """
    rng = np.random.default_rng(1)
    far = 1 + np.arange(3.0)[:, None, None] * np.array([2.0, 1.0])[:, None]
    ds = joined_of(far + 0.1 * rng.normal(size=(2, 3, 2, 12)))
    whole = of_each(ds, dict.fromkeys(ds["study"].values.tolist(), why)).assign_attrs(why)
    part = of_each(ds, {"target0": why})
    for found in (analysis.rank_studies, partial(analysis.spread_of_arms, axis="constraint")):
        all_tested, mixed, none = (found(own) for own in (ds, part, whole))
        for name in ("low", "high"):
            xr.testing.assert_equal(mixed[name][1], all_tested[name][1])
            assert mixed[name].sel(study="target0").isnull().all()
            assert none[name].isnull().all()
        assert "clear" in mixed["grade"].sel(study="target1")
        assert not mixed["grade"].sel(study="target0").astype(bool).any()
        assert not none["grade"].astype(bool).any()
    assert (mixed["pairs_of_all"], none["pairs_of_all"], none["told_apart"].sum()) == (3, 0, 0)
    for own in (part, whole):
        over = analysis.rank_over_studies(own)
        assert over["low"].isnull().all()
        assert not over["grade"].astype(bool).any()
        first = analysis.first_choice(own)
        assert first["most"].sel(study="target0").isnull()
        assert first["cost"].notnull().all()
    for own in (analysis.rank_agreement(whole), analysis.study_effects(whole)):
        assert own["low"].isnull().all()
        assert own["high"].isnull().all()
    said = " ".join(str(s.text) for part in across.sentences(whole).values() for s in part)
    assert not re.search(r"clear|lean|open|interval|limits|\b[\d.]+%? to |at most", said), said
    with style.figure_style():
        captions = [str(own.draw(Findings.of(whole)).caption) for own in Studies.charts[::2]]
    assert not re.search("clear|interval", " ".join(captions))
    with undrawn():
        page = build(whole.assign_attrs(study="both"), {}, tmp_path).read_text(encoding="utf-8")
    methods = page.partition('<section id="methods">')[2]
    assert "nothing has an interval, and nothing is tested." in methods
    assert not re.search("paired t test|jackknife", methods)


@pytest.mark.slow
def test_budgets_are_those_that_every_study_has(tmp_path: Path) -> None:
    """One search had eight points, the other four: the page ended in an error."""
    text = text_of("ring").replace("trials: 4", "trials: 8")
    runs = [made_run(tmp_path, "ring", text), made_run(tmp_path, "roll")]
    ds = open_runs(*runs, along="study")
    assert budgets(ds) == [1, 2, 4]
    with undrawn():
        page = build(ds, {}, tmp_path / "page").read_text(encoding="utf-8")
    assert "By points of each search, most comparisons are won by" in page


@pytest.mark.slow
def test_nothing_is_said_of_what_one_seed_does_not_show() -> None:
    """How alike rankings are takes another seed of the same target; there is no figure of it."""
    joined = joined_of(drawn(seeds=1))
    said = [str(s.text) for part in across.sentences(joined).values() for s in part]
    assert said
    assert not [text for text in said if "–" in text or "by a seed on another" in text]
    charts = {own.name: own for own in Studies.charts}
    assert charts["alike"].missing(Findings.of(joined)) == "targets have one seed each"
    assert not charts["alike"].missing(Findings.of(joined_of(drawn())))


def test_a_target_of_one_seed_has_no_share_of_its_own() -> None:
    """It was "nan%", in white on white, where another target has more seeds."""
    scores = drawn()
    scores[0, :, 1:] = np.nan
    axes = Figure().subplots()
    draw_alike_on(axes, Findings.of(with_gaps(scores)))
    shown = {tuple(map(int, own.get_position())): own for own in axes.texts}
    assert shown[0, 0].get_text() == "–"
    assert to_hex(shown[0, 0].get_color()) == style.MUTED
    assert "nan" not in " ".join(own.get_text() for own in axes.texts)


def test_each_target_of_a_table_has_the_decimals_of_its_metric(joined: xr.Dataset) -> None:
    """Four modes, and distances in the thousands: all had the decimals of their middle."""
    own = joined["sliced_wasserstein"]
    far = own.where(own["study"] != "roll", 1000 * (1 + own)).assign_attrs(own.attrs)
    table, _ = Studies(Findings.of(joined.assign(sliced_wasserstein=far))).tables()["targets"]
    for study, _, mean, *_ in table.texts():
        assert re.fullmatch(r"\d\.\d\d" if study == "ring" else r"\d,\d{3}", mean), (study, mean)


@pytest.mark.slow
def test_few_seeds_are_not_called_divergence() -> None:
    """Two seeds of equal scores: too few to say how far arms are apart, and nothing to explain."""
    said = across.sentences(joined_of(np.full((2, 3, 2, 2), 4.0)))
    texts = [str(s.text) for part in said.values() for s in part]
    assert "On target0 fewer than three seeds have a finite score of every arm." in texts
    assert not [text for text in texts if "worse than any number" in text or "explains ." in text]


def test_an_arm_that_could_not_be_compared_is_not_clearly_behind() -> None:
    """Of one seed nothing is graded: its place looked like one that is clear."""
    rng = np.random.default_rng(0)
    ds = joined_of(np.array([6.0, 2.0, 4.0])[:, None] + 0.1 * rng.normal(size=(2, 3, 12)))
    lost = (ds["divergence"] == "d1") & (ds["seed"] > 0)
    short = ds.assign(
        status=ds["status"].where(~lost, "failed"),
        worth=ds["worth"].where(~lost).assign_attrs(ds["worth"].attrs),
    )
    whole = "; clearly ahead of d2 and d1."
    for own, ends, marks in (
        (ds, whole, ["1", "1", "2", "2", "3", "3"]),
        (short, "; clearly ahead of d2; d1 could not be compared.", [*"1122", "3?", "3?"]),
    ):
        said = across.sentences(own)["Which objective on which target"]
        assert ends in said[0].text
        assert said[1].text.endswith(ends)
        with style.figure_style():
            drawing = draw_places(Findings.of(own))
        assert [text.get_text() for text in drawing.figure.axes[0].texts] == marks
        assert ("? stands where the two could not" in drawing.caption) == (own is short)


def found_by(scores: np.ndarray, bounds: tuple[float, float] = (0.0, 100.0)) -> xr.Dataset:
    """What `tuned` has of repeated searches: scores (arms, fresh seeds, searches)."""
    grid = analysis.of_study(joined_of(scores[None], bounds=bounds), "target0")
    return grid.rename(constraint="fresh_seed").assign_attrs(searches=scores.shape[-1])


def test_a_search_is_one_setting_however_many_fresh_seeds_it_has() -> None:
    """Of fewer than ten nothing is clear, and limits are those that no law within bounds fools."""
    noise = np.random.default_rng(2).normal(size=(2, 5, 8))
    scores = np.array([60.0, 50.0])[:, None, None] + noise
    ds, whole = found_by(scores), scores.mean(axis=1)
    pairs = analysis.compare_arms(ds)
    assert "clear" not in pairs["grade"].values
    assert np.isinf(pairs["detectable"].values[0, 1])
    ranked = analysis.rank_arms(ds)
    expected = analysis.rank_studies(joined_of(whole[None], bounds=(0.0, 100.0)))
    assert ranked["grade"].values.tolist() == expected["grade"].squeeze().values.tolist()
    safe = gaffke_interval(whole, (0.0, 100.0))
    for found in (ranked, analysis.marginal_means(ds, "divergence")):
        np.testing.assert_allclose(found["low"], safe.low)
        np.testing.assert_allclose(found["high"], safe.high)
    assert ranked["trials"].values.tolist() == [40, 40]
    assert ranked["settings"].values.tolist() == [1, 1]
    profile = analysis.performance_profile(ds)
    assert profile.sizes["level"] == 80
    assert analysis.rank_table(ds)["rank"].values.tolist() == [1.0, 2.0]


def test_a_search_with_a_fresh_seed_worse_than_any_number_is_worse_too() -> None:
    noise = np.random.default_rng(3).normal(size=(2, 5, 8))
    noise[0, 1, 2:4] = -np.inf
    scores, bounds = np.array([60.0, 50.0])[:, None, None] + noise, (-np.inf, 100.0)
    ds = found_by(scores, bounds)
    pairs = analysis.compare_arms(ds)
    assert pairs.attrs["basis"] == "wins"
    assert pairs["won"].values[0, 1] == 6 / 8
    # Six searches of eight by their signs: 2 (1 + 8 + 28) / 2⁸.
    assert pairs["p"].values[0, 1] == pytest.approx(74 / 256)
    for found in (
        analysis.rank_arms(ds),
        analysis.rank_studies(joined_of(scores.mean(axis=1)[None], bounds=bounds)),
    ):
        assert found["grade"].squeeze().values.tolist() == ["", "open"]
    kept = [scores[0][:, [0, 1, 4, 5, 6, 7]].mean(), scores[1].mean()]
    np.testing.assert_allclose(analysis.best_setting_scores(ds)["mean"], kept)
    assert analysis.marginal_means(ds, "divergence")["seeds"].values.tolist() == [6, 8]


def test_seeds_of_a_grid_are_no_searches() -> None:
    """Beside repeated searches it has seeds of the same numbers, on other streams."""
    scores = np.full((2, 3, 8), np.nan)
    scores[0, :2] = np.random.default_rng(4).normal(60.0, size=(2, 8))
    scores[1, 2] = np.random.default_rng(5).normal(50.0, size=8)
    ds = found_by(scores).assign_coords(fresh_seed=["1", "2", "own"])
    ds["status"] = ds["status"].where(np.isfinite(scores), "excluded")
    found = analysis.rank_arms(ds, settings="own")
    assert found["mean"].values == pytest.approx(np.nanmean(scores, axis=(1, 2)))
    assert not {"clear", "leaning"} & {*found["grade"].values.tolist()}
    assert np.isnan(found["p"].values[1])
