"""The sentences of the report against data whose answer is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from markupsafe import Markup
from recomputed import unexplained

from ganstudy import analysis
from ganstudy.analysis.remembered import remembering
from ganstudy.report import explained, latex, prose, style
from ganstudy.report.answer import answer
from ganstudy.report.findings import Findings
from ganstudy.report.remarks import remarks
from ganstudy.report.sections import distribution, effects, ranking
from ganstudy.report.sections.curves import training
from ganstudy.report.sections.metrics import Metrics
from ganstudy.report.sections.settled import sentences as evidence
from ganstudy.report.tables import ranking_table, score_table
from ganstudy.report.verdicts import effect

Make = Callable[..., xr.Dataset]
ARMS = ["minimax", "non_saturating", "reverse_kl", "wasserstein"]


def plain(ds: xr.Dataset) -> tuple[str, str]:
    """Lead and all points without markup, found as on a page."""
    with remembering():
        told = answer(Findings.of(ds))
    strip = [re.sub(r"<[^>]+>", "", str(text)).replace("&nbsp;", " ") for text, _ in told.sentences]
    return re.sub(r"<[^>]+>", "", str(told.lead)).replace("&nbsp;", " "), " ".join(strip)


@pytest.mark.parametrize(
    ("axes", "settings"),
    [
        (None, {}),
        ({"divergence": ARMS}, {"score": "mode_kl", "status": {(0, 1): "diverged"}}),
        (
            {"divergence": ARMS, "lr": ["slow", "fast"]},
            {
                "seeds": 4,
                "status": {**{(3, 0, k): "excluded" for k in range(4)}, (1, 1, 2): "failed"},
            },
        ),
        ({}, {"seeds": 1}),
        ({"divergence": ARMS, "target": ["a", "b"], "lr": ["slow", "fast"]}, {"given": ["target"]}),
    ],
)
def test_every_number_of_the_answer_is_in_what_its_call_returns(
    make_study: Make, axes: Mapping[str, Sequence[str]] | None, settings: Mapping[str, Any]
) -> None:
    given = {name: own for name, own in settings.items() if name == "given"}
    built = {name: own for name, own in settings.items() if name != "given"}
    ds = make_study(axes, samples=7, **built).assign_attrs(given)
    findings = Findings.of(ds)
    names = {*findings.arms, *findings.axes, *(x for own in findings.settings for x in own)}
    labels = {name for name in names if not name.isdigit()}
    with remembering():
        told = answer(findings)
        for text, call in [(told.lead, told.call), *told.sentences]:
            value = eval(call, {"ds": ds, "analysis": analysis})
            assert unexplained(text, value, labels) == [], f"{text}: {call}"


def flat(ds: xr.Dataset, level: Mapping[str, float], noise: float = 0.0) -> xr.Dataset:
    """The study with each arm's headline curve set to a level plus noise by trial."""
    rng = np.random.default_rng(5)
    arm = str(ds.attrs["compare"])
    values = ds["modes_covered"].copy()
    for name, value in level.items():
        at = values.sel({arm: name})
        values.loc[{arm: name}] = value + noise * rng.normal(size=at.isel(step=0).shape)[..., None]
    return ds.assign(modes_covered=values.assign_attrs(ds["modes_covered"].attrs))


def test_a_clear_winner_is_named_with_its_interval(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS, "lr": ["slow", "fast"]}, samples=1, seeds=12)
    ds = flat(ds, {"minimax": 2, "non_saturating": 4, "reverse_kl": 7, "wasserstein": 5}, 0.1)
    lead, points = plain(ds)
    found = re.fullmatch(
        r"reverse_kl ranks first in modes covered, with (\d\.\d\d) of 8 \(95% interval over 12 "
        r"seeds, (\d\.\d\d) to (\d\.\d\d)\) on average over 2 settings and 90% of samples of high "
        r"quality: clearly ahead of every other\.",
        lead,
    )
    assert found is not None, lead
    mean, low, high = map(float, found.groups())
    assert low < mean < high
    assert mean == pytest.approx(7, abs=0.2)
    assert answer(Findings.of(ds)).verdict.grade == "clear"
    assert "behind reverse_kl: wasserstein by 2.0" in points
    assert "None of the 96 trials that ran diverged. All 96 planned trials are recorded." in points


@pytest.mark.slow
def test_no_arm_chooses_its_target(make_study: Make) -> None:
    """With nothing to choose among, nothing is said of best settings."""
    axes = {"divergence": ARMS, "target": ["ring", "grid"]}
    ds = make_study(axes, samples=1, seeds=4).assign_attrs(given=["target"])
    assert "best setting" not in plain(ds)[1]
    assert "at best setting" not in ranking_table(Findings.of(ds)).headings
    assert "best setting" in plain(ds.assign_attrs(given=[]))[1]
    rates = make_study(axes | {"lr": ["slow", "fast"]}, samples=1, seeds=4)
    values = rates["modes_covered"].copy()
    values.loc[{"lr": "slow", "target": "grid", "divergence": "minimax"}] += 9.0
    values.loc[{"lr": "fast", "target": "ring", "divergence": "minimax"}] += 9.0
    findings = Findings.of(rates.assign(modes_covered=values).assign_attrs(given=["target"]))
    assert "Each at its own best setting for each target: " in plain(findings.ds)[1]
    chosen = {row.arm: row.cells[-1] for row in ranking_table(findings).rows}
    assert chosen.pop("minimax") == "ring: fast; grid: slow"
    assert {*chosen.values()} == {"fast"}
    figure = ranking.draw(findings).figure
    assert "at its own best setting for each target" in figure.axes[1].get_title()


def test_arms_stand_to_the_best_by_their_grades(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS}, samples=1, seeds=12)
    ds = flat(ds, {"minimax": 1, "non_saturating": 6, "reverse_kl": 6, "wasserstein": 1}, 0.1)
    lead, points = plain(ds)
    _, other = sorted(["non_saturating", "reverse_kl"], key=lambda arm: not lead.startswith(arm))
    others = analysis.rank_arms(ds)["divergence"].values[2:].tolist()
    assert lead.endswith(f": clearly ahead of {others[0]} and {others[1]}, open against {other}.")
    assert answer(Findings.of(ds)).verdict.grade == "open"
    assert re.search(rf"{other} by [^;]*: open", points)
    assert re.search(r"minimax by [^;]*, better in 0% of seeds\): clear", points)


def test_what_would_have_been_clear_is_that_of_the_call(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS[:2]}, samples=1, seeds=12)
    ds = flat(ds, dict.fromkeys(ARMS[:2], 5.0), 0.5)
    least = float(analysis.rank_arms(ds)["detectable"][1])
    assert 0.5 < least < 1.5
    assert (
        f"Of those that are not clear, a difference of {least:.2f} would have been in four studies "
        "of five."
    ) in plain(ds)[1]
    few = ds.isel(seed=range(5))
    assert "no difference, however large, could have been clear" in plain(few)[1]
    apart = flat(ds, {"minimax": 1, "non_saturating": 7}, 0.1)
    assert "would have been" not in plain(apart)[1]


def test_the_first_screen_has_a_verdict_and_three_sentences(make_study: Make) -> None:
    told = answer(Findings.of(make_study(None, samples=7)))
    assert len(told.key) == 3
    assert "Paired within seeds" in told.key[0].text
    assert list(told.further) == ["Settings", "Scale", "Stability", "Trials"]
    texts = [text for text, _ in told.sentences]
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
def test_a_study_of_causes_opens_with_what_explains_the_score(make_study: Make) -> None:
    """And names no winner among causes that explain alike."""
    ds = make_study({"divergence": ARMS[:2], "lr": [1, 2], "critic_steps": [1, 5]}, seeds=8)
    rng = np.random.default_rng(0)
    noise = 0.2 * rng.normal(size=ds["modes_covered"].isel(step=0).shape)[..., None]
    large = 2.0 * np.arange(2)[:, None, None]
    values = 4 + large + 0 * ds["modes_covered"].values + noise
    ds["modes_covered"] = ds["modes_covered"].copy(data=values)
    ds.attrs["answer"] = "effects"
    told = answer(Findings.of(ds))
    lead = plain(ds)[0]
    assert lead.startswith("critic_steps explains more of the variance of modes covered than any ")
    assert lead.endswith("clearly ahead of every other.")
    assert told.verdict.grade == "clear"
    assert "ranks first" in told.key[0].text
    alike = 4 + np.arange(2)[:, None, None] + np.arange(2)[:, None, None, None] + noise
    ds["modes_covered"] = ds["modes_covered"].copy(data=alike + 0 * values)
    assert answer(Findings.of(ds)).verdict.grade == "open"


@pytest.mark.parametrize(("seeds", "told"), [(2, False), (3, True)])
def test_an_interaction_leans_with_three_seeds_and_not_with_two(
    make_study: Make, seeds: int, told: bool
) -> None:
    """Two arms that change places between two settings: of three effects, p is 3 · 2 · 4⁻ⁿ."""
    ds = make_study({"divergence": ARMS[:2], "lr": ["slow", "fast"]}, seeds=seeds)
    crossed = np.array([[1.0, 5.0], [5.0, 1.0]])[..., None, None]
    noise = 0.2 * np.random.default_rng(0).normal(size=(2, 2, seeds, 1))
    values = crossed + noise + 0 * ds["modes_covered"].values
    ds["modes_covered"] = ds["modes_covered"].copy(data=values)
    said = " ".join(plain(ds))
    assert bool(re.search(r"divergence × lr [\d.]+% \([^()]*leaning\);", said)) == told, said
    assert ("divergence × lr" in said) == told


def test_what_seeds_explain_is_said(make_study: Make) -> None:
    """Which is no axis, and was in no sentence, where it was nearly all of the variance."""
    ds = make_study({"divergence": ARMS[:2], "lr": ["slow", "fast"]}, seeds=4)
    noise = 0.01 * np.random.default_rng(0).normal(size=(2, 2, 4, 1))
    values = np.arange(4.0)[:, None] + noise + 0 * ds["modes_covered"].values
    ds["modes_covered"] = ds["modes_covered"].copy(data=values)
    said = explained.sentence(Findings.of(ds))
    assert said is not None
    assert "the seed explains &gt;99.9%, and &lt;0.1% is left to trials" in said


@pytest.mark.slow
def test_computations_without_chance_have_differences_and_no_more(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, samples=1)
    about = {"role": "claim", "printed": ""}
    about |= dict.fromkeys(("long_name", "claim", "source", "tolerance"), "x")
    dims, shape = ds["status"].dims, ds["status"].shape
    ds["holds"] = (dims, np.zeros(shape), about)
    ds["holds_tolerance"] = (dims, np.ones(shape))
    assert Findings.of(ds).graded  # claims alone are no reason
    assert Findings.of(ds).drawn
    ds.attrs["deterministic"] = 1
    findings = Findings.of(ds)
    assert findings.answer == "claims"
    told = answer(findings)
    assert "The one claim held" in told.lead
    assert told.verdict.grade == ""
    said = " ".join(str(text) for text, _ in told.sentences)
    assert "behind reverse_kl: wasserstein by" in said
    assert "Of the variance of the scores, divergence explains" in said
    for word in ("clear", "leaning", "open against", "95% interval", "of seeds", "chance", "% ("):
        assert word not in said
    effects_first = effect(Findings.of(ds.assign_attrs(answer="effects")))
    assert "of the variance of" in effects_first.text
    assert " to " not in effects_first.text
    for table in (ranking_table(findings), score_table(findings)):
        assert "95% interval" not in table.headings
    assert "Nemenyi" not in distribution.note(findings)
    assert distribution.table(findings).headings[-1] == "chance to beat reverse_kl"
    with style.figure_style():
        captions = [own.draw(findings).caption for own in (effects, ranking)]
    assert not any("interval" in caption for caption in captions)


@pytest.mark.slow
def test_coverage_names_the_share_of_good_samples(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, samples=1)
    share = float(analysis.arm_scores(ds, "high_quality")["mean"].sel(divergence="reverse_kl"))
    lead, points = plain(ds)
    assert f"and {100 * share:.0f}% of samples of high quality" in lead
    assert len(re.findall("of samples of high quality", points)) == 4
    lead, _ = plain(ds.drop_vars("high_quality"))
    assert "with no record of how many samples are of high quality" in lead
    assert "high quality" not in plain(ds.assign_attrs(score="mode_kl"))[0]


def test_quality_at_best_settings_is_of_the_settings_that_other_seeds_choose(
    make_study: Make,
) -> None:
    """Seeds 0 and 1 choose the first setting, seed 2 the second, as the modes beside it do."""
    ds = make_study({"divergence": ["a"], "lr": [1, 2]}, seeds=3, samples=1)
    modes = np.array([[1.0, 1.0, 8.0], [3.0, 3.0, 2.0]])[None, ..., None]
    shares = np.array([[0.1, 0.2, 0.9], [0.5, 0.5, 0.6]])[None, ..., None]
    ds["modes_covered"][:], ds["high_quality"][:] = modes, shares
    assert "At its best setting: a 1.33" in plain(ds)[1]
    assert "and 30% of samples of high quality. Each seed is scored at the" in plain(ds)[1]


def test_arms_that_are_told_by_their_survivors_come_last_at_their_best(make_study: Make) -> None:
    """And how many seeds are worse than any number stands beside them."""
    axes = {"divergence": ["a", "b"], "lr": [1, 2]}
    status = {(0, 0, 1): "diverged", (0, 1, 1): "diverged", (0, 1, 2): "diverged"}
    ds = make_study(axes, seeds=4, samples=1, score="mode_kl", status=status)
    ds = scored(ds, "mode_kl", np.array([0.25, 1.0])[:, None, None] + np.zeros((2, 2, 4)))
    points = plain(ds)[1]
    assert "best setting: b 1.00" in points
    assert re.search(r"; a 0\.25[^;]* without 1 seed worse than any number\. Each seed is", points)
    found = [s for s in answer(Findings.of(ds)).sentences if "best setting" in s.text]
    value = eval(found[0].call, {"ds": ds, "analysis": analysis})
    assert unexplained(found[0].text, value, {"a", "b"}) == []


def test_an_arm_of_one_seed_is_not_passed_over_as_worse_at_its_best(make_study: Make) -> None:
    """It had all modes, and the page told "the best 2", neither of which has."""
    status = {(2, lr, seed): "failed" for lr in range(2) for seed in (1, 2)}
    axes = {"divergence": ["a", "b", "c"], "lr": [1, 2]}
    ds = make_study(axes, seeds=3, samples=1, status=status)
    ds = scored(ds, "modes_covered", np.array([3.0, 5.0, 8.0])[:, None, None] + np.zeros((3, 2, 3)))
    points = plain(ds)[1]
    assert "Those with a held-out score, each at its own best setting: b 5.00" in points
    assert "The best 2" not in points
    eight = make_study({"divergence": list("abcdefgh"), "lr": [1, 2]}, seeds=3, samples=1)
    assert "The best 6, each at its own best setting: " in plain(eight)[1]
    lone = eight.assign(status=eight["status"].where(eight["divergence"] != "h", "failed"))
    assert "The best 6 of those with a held-out score, each at its" in plain(lone)[1]


def test_intervals_are_spoken_of_where_there_are_some(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2]}, samples=1)
    assert (
        "seeds choose; each interval is for its arm alone, and allows for the choice."
        in plain(ds)[1]
    )
    assert "seeds choose." in plain(ds.assign_attrs(deterministic="1"))[1]


def test_arms_that_drop_equally_often_share_the_place(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b", "c"]}, samples=1)
    for arm, drops in enumerate((0, 0, 1)):
        ds["modes_covered"][arm] = 5.0
        ds["modes_covered"][arm, :, :drops] = 8.0
    assert "1.0 times per trial with c, the most, and 0.0 times with a and b, the" in plain(ds)[1]


def test_both_arms_are_not_said_of_two_of_three(make_study: Make) -> None:
    """All trials of the third failed: "both arms 100%", and "with every arm"."""
    status = {(2, seed): "failed" for seed in range(5)}
    ds = make_study({"divergence": ["a", "b", "c"]}, samples=1, status=status)
    ds["modes_covered"][:] = 0.0
    ds["modes_covered"][:, :, 1] = 8.0
    points = plain(ds)[1]
    assert "to that of p: both arms that ran 100%" in points
    assert "1.0 times per trial with every arm that ran." in points
    alone = plain(ds.assign(status=ds["status"].where(ds["divergence"] == "a", "failed")))[1]
    assert "1.0 times per trial with a." in alone


def test_drops_of_arms_that_diverged_are_counted_until_then(make_study: Make) -> None:
    status = {(1, seed): "diverged" for seed in range(5)}
    ds = make_study({"divergence": ["a", "b"]}, samples=1, status=status)
    assert "b, the least; trials are followed until they diverge." in plain(ds)[1]


def test_one_trial_is_told_of_as_one(make_study: Make) -> None:
    study = {"axes": {"divergence": ["a", "b"]}, "samples": 1}
    said = plain(make_study(**study, status={(1, 2): "failed"}))[1]
    assert "Of 10 planned trials, 1 failed (in b); it is left out." in said
    said = plain(make_study(**study, status={(1, 2): "diverged"}))[1]
    assert "1 of 10 trials diverged (b 1 of 5); it counts with the worst value, 0." in said
    said = plain(make_study(**study, status={(1, 2): "diverged"}, score="mode_kl"))[1]
    assert "no worst value, so that it is in no average, and last in the order." in said


def test_all_interactions_that_are_more_than_chance_are_told(make_study: Make) -> None:
    """Six pairs of four axes, each with a sixth of the variance."""
    axes = {name: [0, 1] for name in "abcd"}
    ds = make_study(axes, seeds=10, samples=1, strengths=(0.5,))
    at = np.indices(ds["modes_covered"].shape[:4])
    pairs = sum(at[i] ^ at[k] for i, k in combinations(range(4), 2))
    noise = 0.1 * np.random.default_rng(0).normal(size=(2, 2, 2, 2, 10))
    ds["modes_covered"][:] = (4 + 0.5 * pairs[..., None] + noise)[..., None]
    assert re.search(
        r"(, \w × \w 1.% [^,]*; clear\)){2} and 3 other pairs 1\d% or less each; ", plain(ds)[1]
    )


def test_few_seeds_make_nothing_clear_whatever_their_spread(make_study: Make) -> None:
    """Of two seeds that differ by as much no spread is known, and none is needed to say so."""
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, samples=1)
    ds["modes_covered"][0], ds["modes_covered"][1] = 3.0, 5.0
    assert "no difference, however large, could have been clear" in plain(ds)[1]


def test_too_few_seeds_are_those_of_the_arms_that_lack_them(make_study: Make) -> None:
    """One arm that failed in nine seeds of twelve made all differences too small to be seen."""
    gone = {(2, seed): "failed" for seed in range(3, 12)}
    ds = make_study({"divergence": ["a", "b", "c", "d"]}, seeds=12, samples=1, status=gone)
    points = plain(flat(ds, {"a": 6.0, "b": 1.0, "c": 5.9, "d": 6.0}, 0.1))[1]
    few = (
        "With so few seeds no difference of c, however large, could have been clear. Of the others "
    )
    assert re.search(r"b by [^;]*: clear", points)
    assert re.search(rf"{few}that are not clear, a difference of 0\.\d+ would have been in", points)
    gone |= {(arm, seed): "failed" for arm in (1, 3) for seed in range(3, 12)}
    ds = make_study({"divergence": ["a", "b", "c", "d"]}, seeds=12, samples=1, status=gone)
    points = plain(ds)[1]
    assert "With so few seeds no difference, however large, could have been clear." in points


def test_shares_that_do_not_add_up_say_why(make_study: Make) -> None:
    """Seeds that disagree by less than chance have a share below zero."""
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2]}, seeds=4, samples=1)
    noise = np.random.default_rng(1).normal(size=(2, 2, 4))
    noise -= noise.mean(axis=(0, 1))
    ds["modes_covered"][:] = (4 + np.arange(2)[:, None, None] + noise)[..., None]
    told = "(more than 100% in all, as what is estimated below zero is told as 0%)."
    assert told in plain(ds)[1]


def test_samples_that_a_dataset_lacks_are_not_counted_as_none(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b"]}, samples=1).drop_vars("samples")
    assert "A perfect generator, measured like these, scores 8.00 in every" in plain(ds)[1]


def test_pruned_trials_are_counted(make_study: Make) -> None:
    status = {(0, seed): "pruned" for seed in range(5)}
    ds = make_study({"divergence": ARMS}, samples=1, status=status)
    assert "Of 20 planned trials, 5 were pruned (in minimax); they are left out" in plain(ds)[1]
    table = score_table(Findings.of(ds))
    place = table.headings.index("pruned")
    assert [row.cells[place] for row in table.rows if row.arm == "minimax"] == ["5"]
    assert "pruned" not in score_table(Findings.of(make_study({"divergence": ARMS}))).headings


def test_no_winner_is_named_where_all_arms_look_alike(make_study: Make) -> None:
    ds = flat(make_study({"divergence": ARMS}, samples=1), dict.fromkeys(ARMS, 5.0), 0.5)
    assert plain(ds)[0].endswith(": open against every other.")


def test_equal_arms_have_no_winner(make_study: Make) -> None:
    ds = flat(make_study({"divergence": ARMS}, samples=1), dict.fromkeys(ARMS, 8.0))
    lead, points = plain(ds)
    assert lead.startswith("All 4 arms do equally well in modes covered, with 8.00 of 8")
    assert "Paired within seeds" not in points
    two = flat(make_study({"divergence": ARMS[:2]}, samples=1), dict.fromkeys(ARMS[:2], 8.0))
    lead, _ = plain(two)
    # Neither the share of good samples nor the interval of the first is that of both.
    assert lead == (
        "Both arms do equally well in modes covered, with 8.00 of 8 and 68% to 77% of samples of "
        "high quality: no arm wins."
    )


def test_arms_that_tie_share_the_first_place(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS[:3]}, samples=1)
    ds = flat(ds, {ARMS[0]: 8.0, ARMS[1]: 8.0, ARMS[2]: 3.0}, 0.0)
    lead, points = plain(ds)
    assert lead.startswith(
        "minimax and non_saturating rank first, equally, in modes covered, with "
    )
    assert lead.endswith("% of samples of high quality: leaning ahead of reverse_kl.")
    assert "Paired within seeds, ties counting half, behind minimax: non_saturating by" in points
    assert answer(Findings.of(ds)).verdict.grade == "open"


def test_an_arm_is_first_of_those_that_have_a_score(make_study: Make) -> None:
    """What did not run, or has no number, is behind nobody, explains nothing and did not fail."""
    failed = {(0, lr, seed): "failed" for lr in range(2) for seed in range(5)}
    axes = {"divergence": ARMS[:2], "lr": [1, 2]}
    lead, points = plain(make_study(axes, samples=1, status=failed))
    assert lead.startswith("non_saturating reaches ")
    assert lead.endswith("; no other arm has a score.")
    assert "At its best setting: non_saturating " in points
    assert "divergence" not in points.split("Of the variance")[1].split(".")[0]
    ds = make_study(axes, samples=1)
    _, points = plain(ds.assign(modes_covered=ds["modes_covered"].where(ds.divergence != ARMS[0])))
    assert "minimax" not in points


def test_averages_are_over_the_settings_that_have_a_score(make_study: Make) -> None:
    """As while a study trains: what all arms lack is counted, and no mean is fitted to it."""
    missing = {(arm, 1, seed): "missing" for arm in range(2) for seed in range(5)}
    ds = make_study({"divergence": ARMS[:2], "lr": [1, 2, 3]}, samples=1, status=missing)
    lead, _ = plain(ds)
    assert " on average over 2 settings and" in lead
    assert lead.endswith("; 10 trials without a score.")


def test_trials_that_failed_are_told_with_what_went_wrong(make_study: Make) -> None:
    """A page of which a third of the trials had failed did not say why."""
    failed = {(arm, 1, seed): "failed" for arm in range(2) for seed in range(3)}
    ds = make_study({"divergence": ARMS[:2], "lr": [1, 2]}, samples=1, seeds=3, status=failed)
    why = xr.where(ds["status"] == "failed", "ValueError: 2 < 3", "")
    lead, points = plain(ds.assign(failure=why))
    assert lead.endswith("; 6 trials failed.")
    assert "What went wrong: ValueError: 2 &lt; 3 (6 trials)." in points
    assert "What went wrong" not in plain(ds)[1]


def test_arms_that_all_collapsed_are_told_as_one(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS}, samples=1, seeds=3)
    _, points = plain(flat(ds, dict.fromkeys(ARMS, 0.0), 0.01))
    assert "nearer to the worst value than to that of p: all 4 arms 100% (29% to 100%)." in points


def test_names_that_are_lists_are_in_quotes_in_every_remark(make_study: Make) -> None:
    arms = ["alpha 0.5, trick", "alpha 2, trick"]
    status = {(1, 0, 0): "diverged", (1, 0, 1): "failed"}
    ds = make_study({"divergence": arms, "lr": [1, 2]}, samples=1, seeds=4, status=status)
    _, points = plain(ds)
    for arm in arms:
        assert arm in points
        assert re.search(f"(?<!“){re.escape(arm)}", points) is None


def test_only_classifiers_have_a_distance_from_one_half(make_study: Make) -> None:
    """|D - 1/2| was told of Wasserstein's critic, and not of classifiers of other names."""
    classifiers = ["minimax", "f_gan", "f_jensen_shannon", "f_reverse_kl", "alpha_gan"]
    ds = make_study({"divergence": [*classifiers, "wasserstein"]}, samples=1)
    settings = xr.DataArray(
        [f'{{"name": "{x}"}}' for x in ds["divergence"].values], dims="divergence"
    )
    ds_known = ds.assign(divergence_settings=settings)
    for found in (Findings.of(ds_known).equilibrium, analysis.equilibrium(ds_known)):
        assert np.isfinite(found["critic_gap"].values).tolist() == [*(5 * [True]), False]
    assert np.isfinite(analysis.equilibrium(ds)["critic_gap"].values).all()


def test_shares_of_variance_are_no_more_than_all(make_study: Make) -> None:
    """Of an axis that does nothing ε² is below zero, and what is left is above one."""
    ds = make_study({"divergence": ARMS[:1], "lr": ["slow", "fast"]}, seeds=4, samples=1)
    values = 4.0 + np.array([[0, 1, 0, 1], [1, 0, 1, 0]])[None, ..., None]
    ds["modes_covered"] = ds["modes_covered"].copy(data=0 * ds["modes_covered"].values + values)
    assert float(analysis.factor_effects(ds)["residual"]) > 1.05
    assert "100% is left to trials of the same kind" in plain(ds)[1]
    lead, _ = plain(ds.assign_attrs(answer="effects"))
    assert lead.startswith("No axis explains any of the variance of modes covered: lr 0%")


def explaining(make_study: Make, scores: np.ndarray[Any, Any], **attrs: Any) -> tuple[str, str]:
    """The answer to what explains scores of two arms, two rates and seeds, and its grade."""
    axes = {"divergence": ["a", "b"], "lr": ["slow", "fast"]}
    ds = make_study(axes, seeds=scores.shape[-1], samples=1, status={})
    found = effect(Findings.of(scored(ds, "modes_covered", scores).assign_attrs(attrs)))
    return re.sub(r"<[^>]+>", "", str(found.text)), found.grade


def test_axes_that_explain_equally_much_share_the_place(make_study: Make) -> None:
    """Each adds two modes: "divergence explains more than any other axis: 50%; lr 50%"."""
    added = np.array([[1.0, 3.0], [3.0, 5.0]])[..., None]
    # What is left of equal shares by rounding had one sign in all of these seeds, and leaned.
    for shift in (np.zeros(4), np.random.default_rng(0).normal(size=4) / 10):
        said, grade = explaining(make_study, added + shift)
        assert said == (
            "divergence and lr explain equally much of the variance of modes covered: 50% each."
        )
        assert grade == "open"


def test_an_axis_that_explains_more_is_not_told_apart_by_two_seeds(make_study: Make) -> None:
    """It adds four modes, and the arm two; with one or two seeds that stood without a word."""
    added = np.array([[1.0, 5.0], [3.0, 7.0]])[..., None]
    noise = np.random.default_rng(0).normal(size=(2, 2, 3)) / 10
    ends = {
        1: "; there is one seed, so there is no interval and nothing is compared.",
        2: "; of so few seeds nothing is compared.",
    }
    for seeds, end in ends.items():
        said, grade = explaining(make_study, added + noise[..., :seeds])
        assert said.startswith("lr explains more of the variance of modes covered than any other")
        assert said.endswith(end)
        assert grade == ""
    assert " ahead of divergence." in explaining(make_study, added + noise)[0]
    once = explaining(make_study, added + noise, searches=1)[0]
    assert once.endswith("; arms were searched once, which tells none apart from another.")
    assert "compared" not in explaining(make_study, added + noise, deterministic=1)[0]


def test_one_seed_has_no_interval(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=1, samples=1)
    lead, points = plain(ds)
    assert "there is one seed, so there is no interval and nothing is compared" in lead
    assert "95% interval" not in lead
    assert "not told apart" not in points
    # Without a second seed nothing says what chance explains.
    assert "told from chance" not in points
    assert "The rest is of pairs of axes or of chance, which one seed does not tell" in points
    assert "ties counting half" not in plain(flat(ds, dict.fromkeys(ARMS[:2], 3.0)))[1]
    assert answer(Findings.of(flat(ds, dict.fromkeys(ARMS, 8.0)))).verdict.grade == ""
    one = make_study({"divergence": ARMS[:1]}, seeds=1, samples=1)
    assert "The one trial that ran did not diverge." in plain(one)[1]


def test_one_scored_seed_of_several_tells_nothing_from_chance(make_study: Make) -> None:
    lost = {(arm, lr, seed): "failed" for arm, lr, seed in np.ndindex(4, 2, 5) if seed}
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=5, samples=1, status=lost)
    points = plain(ds)[1]
    assert "told from chance" not in points
    assert "The rest is of pairs of axes or of chance, which one seed does not tell" in points
    with style.figure_style():
        caption = effects.draw(Findings.of(ds)).caption
    assert "Of one seed, what pairs of axes explain has all of chance in it." in caption


def test_without_scores_nothing_is_left_to_explain(make_study: Make) -> None:
    lost = dict.fromkeys(np.ndindex(2, 2, 3), "failed")
    ds = make_study({"divergence": ARMS[:2], "lr": [1, 2]}, seeds=3, samples=1, status=lost)
    lead, points = plain(ds.assign_attrs(answer="effects"))
    assert lead == "No trial has a score, so the question stays open."
    assert not re.search("explain|left to|pairs of axes", points)


@pytest.mark.slow
def test_seeds_that_were_added_have_no_interval_of_a_fixed_number(make_study: Make) -> None:
    """Beside another run, too, where nothing is left of what settles the question."""
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, samples=1)
    added = ds.assign_attrs(seeds_added=1)
    assert "95% interval over 5 seeds" in plain(ds)[0]
    assert "95% interval" not in plain(added)[0]
    for own, said in ((ds, False), (added, True)):
        found = Findings.of(own)
        with style.figure_style():
            captions = [ranking.draw(found).caption, ranking.draw_arms(found).caption]
        tables = [latex.ranking(found), latex.metrics(found)]
        assert ["Bars are those of a fixed number of seeds." in text for text in captions] == [
            said
        ] * 2
        told = [" ".join(text.split()) for text in tables]
        assert ["Intervals are those of a fixed number of seeds." in text for text in told] == [
            said
        ] * 2


def test_captions_of_one_seed_speak_of_no_mean_over_seeds(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=1, samples=1)
    found = Findings.of(ds)
    with style.figure_style():
        curves, shares, first = training.draw_score(found), effects.draw(found), ranking.draw(found)
    assert curves.caption.startswith("Line: the one seed.")
    assert "Band" not in curves.caption
    assert "over seeds" not in curves.alt + first.caption
    for caption in (shares.caption, effects.draw_shares(found).caption):
        assert "that each axis and each pair of axes beyond its two axes explain" in caption
        assert "and the seed" not in caption


def test_the_effects_that_are_drawn_are_said_to_be_the_largest(make_study: Make) -> None:
    """Four axes have ten effects, and the seed is one more; all of them add up."""
    ds = make_study(samples=1, seeds=3, status={})
    found = Findings.of(ds)
    assert found.effects.sizes["effect"] == 11
    caption = effects.draw_shares(found).caption
    assert "The ten largest of 11 are drawn" in caption
    below = found.effects["share"].min() < -0.005
    assert ("some of them below zero" in caption) is bool(below)
    assert "below zero are drawn as zero" not in caption


def test_an_axis_of_very_many_values_alone_is_drawn(make_study: Make) -> None:
    """Without a row for its means the limits of the panel were one number."""
    ds = make_study({"divergence": ["a"], "lr": list(range(25))}, seeds=2, samples=1, steps=5)
    with style.figure_style():
        assert "Without axes of very many values: lr (25)." in effects.draw(Findings.of(ds)).caption


@pytest.mark.slow
def test_seeds_that_were_not_added_are_not_said_to_be(settled: xr.Dataset) -> None:
    """Where the contest was settled at its first look, or that was all it may have."""
    added = evidence(Findings.of(settled))[0].text
    assert added.startswith("Seeds were added to arms that were not told apart")
    first = evidence(Findings.of(settled.isel(seed=slice(0, 4))))[0].text
    assert "Seeds of each arm: minimax 4, non_saturating 4 and reverse_kl 4." in first
    assert "Seeds were added" not in first


def test_averaged_curves_are_over_the_settings_that_are_compared(make_study: Make) -> None:
    """Of scores that the setting alone decides, arms have one curve, whatever one of them lacks."""
    hardest = {(1, 12, seed): "excluded" for seed in range(2)}
    axes = {"divergence": ["a", "b"], "lr": list(range(13))}
    ds = make_study(axes, seeds=2, samples=1, status=hardest)
    values = np.broadcast_to(np.linspace(8, 0, 13)[:, None], (2, 13, 2))
    ds = scored(ds, "modes_covered", np.where(ds["status"] == "excluded", np.nan, values))
    with style.figure_style():
        drawing = training.draw_score(Findings.of(ds))
    panel = drawing.figure.axes[0]
    assert panel.get_title(loc="left") == "averaged over 12 settings"
    first, second = (np.asarray(line.get_ydata(), float) for line in panel.get_lines()[:2])
    np.testing.assert_allclose(first, second)
    assert drawing.alt.endswith("a 4.33; b 4.33.")


@pytest.mark.parametrize("settings", [1, 13])
def test_curves_say_which_infinite_values_they_leave_out(make_study: Make, settings: int) -> None:
    """A mean of one seed in three passed for that of all; of many settings the others are left."""
    axes = {"divergence": ["a & b", "c"], "lr": list(range(settings))}
    ds = make_study(axes, seeds=3, samples=1, score="mode_kl")
    values = xr.full_like(ds["mode_kl"], 0.25)
    values[{"lr": 0}] = 1.0
    values[{"divergence": 0, "lr": 0, "seed": [0, 1]}] = np.inf
    own = Findings.of(ds.assign(mode_kl=values, critic_loss=values))
    with style.figure_style():
        drawing, other = training.draw_score(own), training.draw_others(own, ["critic_loss"])
        plain = training.draw_score(Findings.of(ds))
    whole = (1 + 0.25 * (settings - 1)) / settings
    means = 1.0 if settings == 1 else (0.25 + 0.25 + whole) / 3, whole
    for line, mean in zip(drawing.figure.axes[0].get_lines()[:2], means, strict=True):
        assert np.asarray(line.get_ydata()) == pytest.approx(mean)
    said = " Infinite values are left out, of 2 trials of a & b."
    told = "a & b {}; c {}.".format(*map(prose.short, means))
    assert drawing.alt.endswith(f"at the last record: {told}{said}")
    assert said in drawing.caption.unescape()
    assert said in other.caption.unescape()
    assert "nfinite" not in plain.caption + plain.alt


@pytest.mark.parametrize(("worst", "scale"), [(1.0, "linear"), (1e4, "log")])
def test_curves_without_a_bound_are_told_apart_beside_a_bad_trial(
    make_study: Make, worst: float, scale: str
) -> None:
    """One that began a thousand times as far away left the others a single line."""
    ds = make_study({"divergence": ARMS[:2], "lr": [1, 2]}, score="mode_kl", samples=1)
    curves = (1 + ds["mode_kl"]).assign_attrs(ds["mode_kl"].attrs)
    curves[{"divergence": 0, "lr": 1, "seed": 0, "step": 0}] *= worst
    with style.figure_style():
        figure = training.draw_score(Findings.of(ds.assign(mode_kl=curves))).figure
    assert {axes.get_yscale() for axes in figure.axes[:2]} == {scale}


def test_what_is_nearly_perfect_is_told_in_its_own_digits(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS[:2]}, score="mode_kl", samples=1)
    assert "scores 0.0012 to 0.0024 in 3 draws" in plain(ds)[1]


def test_what_is_perfect_on_one_target_need_not_be_on_another(make_study: Make) -> None:
    """A line in the middle of both was where no generator is perfect; rounding makes no other."""
    axes = {"divergence": ARMS[:2], "target": ["easy", "hard"]}
    ds = make_study(axes, score="mode_kl", samples=1, steps=2)
    easy = np.array([0.01, 0.02, 0.03])
    for hard, said, drawn in (
        (easy + 5, "scores 0.01 to 5.03 by target, in 3 draws of each", []),
        (easy * (1 + 1e-9), "scores 0.01 to 0.03 in 3 draws", [0.02]),
    ):
        clouds = ("target", "draw"), np.stack([easy, hard]), ds["mode_kl_perfect"].attrs
        findings = Findings.of(ds.assign(mode_kl_perfect=clouds))
        assert said in remarks(findings)["scale"].text
        with style.figure_style():
            drawing = ranking.draw_arms(findings)
        lines = drawing.figure.axes[0].get_lines()
        dotted = [own.get_xdata()[0] for own in lines if own.get_linestyle() == ":"]
        assert dotted == pytest.approx(drawn)
        assert ("a perfect generator" in drawing.caption) == bool(drawn)
        assert Metrics(findings).facts()["by_target"] != bool(drawn)


def test_study_without_axes_has_no_comparison(make_study: Make) -> None:
    lead, points = plain(make_study({}, samples=1))
    assert re.fullmatch(
        r"mode_collapse reaches \d\.\d\d of 8 \(95% interval over 5 seeds, \d\.\d\d to \d\.\d\d\) "
        r"in modes covered and \d\d% of samples of high quality\.",
        lead,
    )
    assert "behind" not in points


def test_everything_diverged(make_study: Make) -> None:
    status = {(arm, seed): "diverged" for arm in range(4) for seed in range(5)}
    lead, points = plain(make_study({"divergence": ARMS}, samples=1, status=status))
    assert lead == "Every trial that ran diverged, so no arm can be named best."
    assert "20 of 20 trials diverged" in points
    assert "each counts with the worst value, 0." in points


def test_nothing_ran(make_study: Make) -> None:
    status = {(arm, seed): "missing" for arm in range(4) for seed in range(5)}
    lead, points = plain(make_study({"divergence": ARMS}, samples=1, status=status))
    assert lead == "No trial has a score, so the question stays open."
    assert "No trial has run." in points
    assert "Of 20 planned trials, 20 are missing (5 in minimax, 5 in non_saturating" in points


@pytest.mark.parametrize("missing", [True, False])
def test_captions_say_what_is_by_least_squares(make_study: Make, missing: bool) -> None:
    status = {(1, 0, 0): "missing"} if missing else {}
    axes = {"divergence": ARMS[:3], "lr": ["slow", "fast"]}
    findings = Findings.of(make_study(axes, seeds=4, samples=1, status=status))
    with style.figure_style():
        drawn = [ranking.draw_arms(findings), effects.draw(findings), training.draw_score(findings)]
    said = [
        "non_saturating has no score where others have one: what is drawn of it is by least",
        "Where trials have no score, means are by least squares",
        "Trials that have no score are left out",
    ]
    for own, text in zip(drawn, said, strict=True):
        assert own is not None
        assert (text in own.caption) is missing


def test_divergences_failures_and_missing_trials_are_counted(make_study: Make) -> None:
    status = {(0, 1): "diverged", (0, 2): "diverged", (1, 0): "failed", (2, 0): "missing"}
    _, points = plain(make_study({"divergence": ARMS}, samples=1, status=status))
    assert "2 of 18 trials diverged (minimax 2 of 5)" in points
    assert "Of 20 planned trials, 1 failed (in non_saturating) and 1 is missing (in rev" in points


def test_unbounded_metric_says_that_divergence_flatters(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS}, score="mode_kl", samples=1, status={(3, 0): "diverged"})
    lead, points = plain(ds)
    assert lead.startswith("reverse_kl wins most often in KL of the mode histogram (lower is bett")
    assert "q = p has 0)" in lead
    assert lead.endswith("since 1 of wasserstein is worse than any number and in no mean.")
    assert "the metric has no worst value" in points
    assert "no finite score" not in points


def scored(ds: xr.Dataset, name: str, scores: Any) -> xr.Dataset:
    """The study with these scores, of the shape of its trials."""
    values = np.broadcast_to(np.asarray(scores, np.float64)[..., None], ds[name].shape)
    return ds.assign({name: ds[name].copy(data=values)})


def test_a_mean_that_lost_some_trials_of_a_setting_is_of_what_survived(make_study: Make) -> None:
    """Its settings do not count alike: a hard one less, the more of its trials are lost."""
    axes = {"divergence": ["a", "b"], "lr": ["slow", "fast"]}
    status = {(1, 1, seed): "diverged" for seed in range(2)}
    ds = make_study(axes, seeds=3, samples=4, steps=5, score="mode_kl", status=status)
    values = np.array([[0.4, 0.6], [0.1, 0.3]])[..., None] * [1.01, 1.02, 1.03]
    for name, words in (("ab", "2 settings: open"), ("ba", "what survived of 2 settings: open")):
        scores = values if name == "ba" else values[::-1]
        assert f" on average over {words}" in plain(scored(ds, "mode_kl", scores))[0], name


def test_an_arm_that_diverged_at_a_setting_is_told_by_what_survived(make_study: Make) -> None:
    """A score was made up there: "0.153 on average over 2 settings", as if it had run there too."""
    axes = {"divergence": ["a", "b"], "lr": ["slow", "fast"]}
    status = {(0, 1, seed): "diverged" for seed in range(3)}
    ds = make_study(axes, seeds=3, samples=4, steps=5, score="mode_kl", status=status)
    values = np.array([[0.1, 9.0], [0.2, 0.3]])[..., None] * [1.01, 1.02, 1.03]
    ds = scored(ds, "mode_kl", values)
    lead, points = plain(ds)
    assert ", with 0.102 and 0.255 on average over 1 and 2 settings; counted trial" in lead
    lost = "3 of a (leaving 1 of 2 settings)"
    assert lead.endswith(f"since {lost} are worse than any number and in no mean.")
    assert "best setting: a 0.102 (" in points
    findings = Findings.of(ds)
    value = eval(answer(findings).call, {"ds": ds, "analysis": analysis})
    assert unexplained(answer(findings).lead, value, {"a", "b"}) == []
    with style.figure_style():
        drawn = ranking.draw(findings)
        explaining = effects.draw(findings)
    assert f"Trials worse than any number are not drawn: {lost}." in drawn.caption
    assert "as if" not in drawn.caption
    assert "Trials worse than any number are in no mean." in explaining.caption
    assert "as if" not in explaining.caption
    paper = latex.ranking(findings) + latex.metrics(findings)
    assert f"In no average, as worse than any number: {lost}." in paper
    assert f"In no mean, as worse than any number: by KL of the mode histogram {lost}." in paper
    # What is left of an arm is not the best of a column.
    cells = [row.split(" & ")[-1] for row in latex.metrics(findings).splitlines()]
    assert any(own.startswith("0.102") for own in cells)
    assert any(own.startswith(r"\textbf{0.255}") for own in cells)


def test_what_the_only_arm_has_lost_is_told_beside_its_mean(make_study: Make) -> None:
    """Two seeds of three were said to be all."""
    axes, status = {"divergence": ["a"]}, {(0, 1): "diverged"}
    ds = make_study(axes, seeds=3, samples=1, score="mode_kl", status=status)
    lead, _ = plain(ds)
    assert lead.endswith("; 1 of a is worse than any number and in no mean.")
    value = eval(answer(Findings.of(ds)).call, {"ds": ds, "analysis": analysis})
    assert unexplained(answer(Findings.of(ds)).lead, value, {"a"}) == []


def test_gaps_are_told_beside_what_is_worse_than_any_number(make_study: Make) -> None:
    """That the mean of an arm is fitted was not said where arms are counted by wins."""
    status = {(0, 0): "diverged", (1, 1): "failed"}
    axes = {"divergence": ["a", "b", "c"]}
    ds = make_study(axes, seeds=4, samples=1, score="mode_kl", status=status)
    lead, _ = plain(ds)
    said = "since 1 of a is worse than any number and in no mean; means are those of least squares,"
    assert lead.endswith(f"{said} as 1 trial of b has no score.")
    value = eval(answer(Findings.of(ds)).call, {"ds": ds, "analysis": analysis})
    assert unexplained(answer(Findings.of(ds)).lead, value, {"a", "b", "c"}) == []


def test_where_trials_count_by_wins_nobody_is_behind_by_less_than_nothing(make_study: Make) -> None:
    """Of what both have the second is better; in eight seeds of ten it is beyond number."""
    status = {(1, seed): "diverged" for seed in range(8)}
    ds = make_study({"divergence": ["a", "b"]}, seeds=10, samples=1, score="mode_kl", status=status)
    ds = scored(ds, "mode_kl", [[1.0] * 10, [0.5] * 10])
    points = plain(ds)[1]
    assert "Paired within seeds, a is better than b in 80% of seeds: leaning." in points
    assert "by \N{MINUS SIGN}" not in points
    one = make_study({"divergence": ["a", "b"]}, seeds=1, samples=1, score="mode_kl", status={})
    assert "is better than" not in plain(scored(one, "mode_kl", [[1.0], [np.inf]]))[1]


def test_arms_that_win_as_often_share_the_first_place(make_study: Make) -> None:
    """The one that is listed first was named, though it wins half of the seeds."""
    axes, status = {"divergence": ["a", "b", "c"]}, {(0, 3): "diverged", (2, 1): "diverged"}
    ds = make_study(axes, seeds=4, samples=1, score="mode_kl", status=status)
    ds = scored(ds, "mode_kl", [[1.0, 1, 3, 0], [2.0, 2, 2, 2], [1.5, 9, 9, 9]])
    lead, _ = plain(ds)
    assert lead.startswith("a and b win most often, equally, in KL of the mode histogram (lower")
    # Of the first, the three seeds that have a number: a half win of four would be no score.
    assert ", with 1.67 and 2.00: open against c; counted" in lead
    assert answer(Findings.of(ds)).verdict.grade == "open"
    assert analysis.rank_arms(ds)["equals_best"].values.tolist() == [True, True, False]
    lead, points = plain(ds.isel(divergence=[0, 1]))
    assert lead.startswith("a and b win equally often in KL")
    assert "a is better than b in 50% of seeds: open." in points


def test_arms_of_one_mean_are_not_equal_where_one_has_diverged(make_study: Make) -> None:
    status = {(1, seed): "diverged" for seed in range(3)}
    ds = make_study({"divergence": ["a", "b"]}, seeds=4, samples=1, score="mode_kl", status=status)
    lead, points = plain(scored(ds, "mode_kl", np.ones((2, 4))))
    assert lead.startswith("a wins most often in ")
    assert "a is better than b in 88% of seeds" in points


def test_an_arm_that_is_ahead_on_what_both_have_is_told_as_ahead(make_study: Make) -> None:
    """Least squares, over all pairs of three arms, put it behind."""
    values = [[0.0, 0, 6, 0], [0, 0, 3, 7], [7, 8, 1, 0]]
    gone = dict.fromkeys([(0, 0), (0, 1), (1, 1), (2, 3)], "failed")
    ds = make_study({"divergence": ["a", "b", "c"]}, seeds=4, samples=1, status=gone)
    lead, points = plain(scored(ds, "modes_covered", values))
    assert lead.startswith("c ranks first")
    assert "Paired within seeds, behind c: b by 2.50" in points
    assert "; ahead of c: a by 5.00" in points
    assert "by \N{MINUS SIGN}" not in points


def test_trials_without_a_finite_score_are_counted(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS}, score="mode_kl", samples=1)
    ds["mode_kl"][0, 0] = np.nan
    assert "1 has no finite score; it is left out" in plain(ds)[1]
    ds["mode_kl"][0, 0] = np.inf
    assert "left out" not in plain(ds)[1], "it decides the order, by wins"


def test_a_failed_trial_is_one_however_many_diverged(make_study: Make) -> None:
    ended = {(0, 0): "failed", (1, 1): "diverged"}
    ds = make_study({"divergence": ARMS}, score="mode_kl", samples=1, status=ended)
    assert "1 failed (in minimax); it is left out." in plain(ds)[1]


def test_arms_that_share_settings_two_by_two_are_like_for_like(make_study: Make) -> None:
    """No setting is of all arms, and no mean is over different ones: gaps are filled."""
    status = {(arm, arm, seed): "excluded" for arm in range(3) for seed in range(4)}
    axes = {"divergence": ARMS[:3], "lr": [1, 2, 3]}
    ds = make_study(axes, seeds=4, samples=1, status=status)
    values = np.array([1.0, 4.0, 7.0])[:, None, None] + 0 * ds["modes_covered"].values
    ds["modes_covered"] = ds["modes_covered"].copy(data=values)
    findings = Findings.of(ds)
    np.testing.assert_allclose(findings.ranked["mean"], 4.0)
    assert "means are those of least squares, by the settings that pairs" in plain(ds)[1]


def test_excluded_points_narrow_the_comparison(make_study: Make) -> None:
    status = {(3, 0, seed): "excluded" for seed in range(5)}
    ds = make_study({"divergence": ARMS, "critic_steps": [1, 2, 5]}, samples=1, status=status)
    lead, points = plain(ds)
    assert "on average over 2 settings" in lead
    assert "(wasserstein 1 setting); averages compare the arms on the 2 settings" in points
    assert "All 55 planned trials are recorded." in points


def test_arms_without_a_shared_setting_are_not_like_for_like(make_study: Make) -> None:
    status = {(0, 0, s): "excluded" for s in range(5)} | {(1, 1, s): "excluded" for s in range(5)}
    ds = make_study({"divergence": ARMS[:2], "lr": [1, 2]}, samples=1, status=status)
    lead, points = plain(ds)
    assert (
        "; no other arm has scores of two seeds where it has them, so nothing is compared" in lead
    )
    assert "not like for like" in points
    # Each arm has one of the two settings: its mean is over no more.
    assert "on average over" not in lead


def test_arms_that_could_not_be_compared_are_not_claimed(make_study: Make) -> None:
    status = {(0, seed): "failed" for seed in range(5)}
    ds = make_study({"divergence": ARMS}, samples=1, status=status)
    level = {"minimax": 1.0, "non_saturating": 2, "reverse_kl": 7, "wasserstein": 4}
    lead, _ = plain(flat(ds, level, 0.1))
    assert "leaning ahead of wasserstein and non_saturating; minimax could not be compared" in lead
    assert lead.endswith("; 5 trials of minimax have no score.")


def test_numeric_arms_carry_the_name_of_their_axis(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS, "lr": [0.1, 0.001]}, compare="lr", samples=1)
    assert Findings.of(ds).arms == ["lr 0.1", "lr 0.001"]
    assert re.match(r"lr 0\.(1|001) ranks first", plain(ds)[0])


def test_long_lists_point_to_the_table(make_study: Make) -> None:
    _, points = plain(make_study({"divergence": [f"d{k}" for k in range(10)]}, samples=1))
    assert "3 more in the table below" in points


def test_names_are_escaped(make_study: Make) -> None:
    ds = make_study({"divergence": ["<b>", "a&b"]}, samples=1)
    told = answer(Findings.of(ds))
    text = told.lead + Markup().join(said for said, _ in told.sentences)
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert "a&amp;b" in text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-1.0, 2, "\N{MINUS SIGN}1.00"),
        (-0.001, 2, "\N{MINUS SIGN}0.001"),
        (0.0416, 1, "0.042"),
        *[(0.05, 1, "0.05"), (0.04999999, 1, "0.05"), (0.0999, 1, "0.1"), (0.1, 1, "0.1")],
        (-1e-13, 2, "0.00"),
        (0.0, 1, "0.0"),
        (7.416, 2, "7.42"),
        (24.3, 1, "24.3"),
        (1.25e20, 2, "1.25e+20"),
    ],
)
def test_numbers(value: float, decimals: int, text: str) -> None:
    assert prose.number(value, decimals) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *[(0.384, "38%"), (0.003, "0.3%"), (0.005, "0.5%"), (1e-5, "<0.1%"), (1e-14, "0%")],
        *[(0.0, "0%"), (0.995, "99.5%"), (0.997, "99.7%"), (0.9999, ">99.9%"), (1.0, "100%")],
    ],
)
def test_shares_that_are_not_quite_none_or_all(share: float, text: str) -> None:
    assert prose.percent(share) == text


def test_zero_has_no_sign() -> None:
    assert [prose.number(-0.0), prose.short(-0.0), prose.scientific(-0.0)] == ["0.00", "0", "0"]


@pytest.mark.parametrize(
    ("scale", "decimals"),
    [(8.0, 2), (1.0, 2), (25.0, 1), (0.02, 4), (1000.0, 0), (float("inf"), 2)],
)
def test_decimals_give_three_digits(scale: float, decimals: int) -> None:
    assert prose.decimals_for(scale) == decimals


def test_listing() -> None:
    assert prose.listing([]) == ""
    assert prose.listing(["a", "b", "c"]) == "a, b and c"
    assert prose.listing(["a", "<b>"], last="or") == "a or &lt;b&gt;"
