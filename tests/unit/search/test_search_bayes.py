"""The search suite: determinism, bounds, resuming, growth, penalties, conditions, pruning."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import optuna
import pytest
from optuna.samplers._tpe.sampler import _split_trials
from searched import TEXT, bayes, made_up, peak, points, search
from tiny import write_study

from ganstudy.score import trial_score, worst
from ganstudy.search import search_of
from ganstudy.search.bayes import Bayes, halving
from ganstudy.search.bayes.keys import BayesKeys
from ganstudy.search.bayes.making import PointMaker
from ganstudy.search.bayes.objective import PrunerFile
from ganstudy.search.bayes.rungs import rungs_up_to
from ganstudy.search.bayes.samplers import (
    SAMPLERS,
    Known,
    Question,
    propose,
    quasi_random,
    to_study,
)
from ganstudy.study import load
from ganstudy.study.space import Choice, Range, at_random, values_at
from ganstudy.trial import Record, Trial

QUICK = [name for name in SAMPLERS if name != "gp"]
"""Samplers that need no second for a study."""


@pytest.mark.slow
@pytest.mark.parametrize("sampler", QUICK)
def test_a_search_is_determined_by_its_study(tmp_path: Path, sampler: str) -> None:
    """The same study, the same points; another seed, or another arm, and others."""
    option = f"search.bayes.sampler={sampler}"
    first, again = (bayes(tmp_path, option) for _ in range(2))
    for own in (first, again):
        list(search(own))
    assert points(first) == points(again)
    other = bayes(tmp_path, option, "search.bayes.seed=1")
    list(search(other))
    assert points(first) != points(other)
    assert points(first)[0] != points(first)[1]
    alone = bayes(tmp_path, option, "search.grid.divergence=[reverse_kl]")
    list(search(alone))
    assert points(alone)[0][:4] == points(first)[1][:4]


@pytest.mark.parametrize("sampler", QUICK)
def test_bounds_conditions_and_budget(tmp_path: Path, sampler: str) -> None:
    """Values lie in their ranges, conditional ones exist where they should; no point twice."""
    own = bayes(tmp_path, f"search.bayes.sampler={sampler}")
    told = list(search(own))
    assert own.counts() == {"complete": 2 * 12 * 2}
    assert len({record.id for record in told}) == len(told) == 48
    for values in (v for arm in points(own) for v in arm):
        for parameter in own.study.space:
            taking_part = parameter.name != "constraint.bound" or values["constraint"] == "clip"
            assert (parameter.name in values) == taking_part
            if taking_part:
                assert parameter.holds(values[parameter.name])
    for record_point in own.points((0,)):
        configuration = record_point.trials[0][0].configuration
        assert configuration.batch == {"small": 8, "large": 32}[record_point.values["size"]]
        assert str(configuration.constraint) == record_point.values["constraint"]


def test_a_search_is_rebuilt_from_records(tmp_path: Path) -> None:
    """Told the records in any order, a new search knows the points and asks the same next."""
    whole = bayes(tmp_path)
    records = list(search(whole))
    for told in (0, 10, 30, 48):
        left, right = bayes(tmp_path), bayes(tmp_path)
        left.tell(records[:told])
        right.tell(reversed(records[:told]))
        assert points(left) == points(right)
        asked = [[[t.id for t in pack] for pack in own.ask(1)] for own in (left, right)]
        assert asked[0] == asked[1]
        assert bool(asked[0]) == (told < 48)
        known = {record.id for record in records[:told]}
        assert known.isdisjoint(i for pack in asked[0] for i in pack)


def test_an_interrupted_point_is_finished_first(tmp_path: Path) -> None:
    """A seed that was lost is asked for again; seeds that are recorded are not."""
    whole = bayes(tmp_path)
    records = list(search(whole))
    own = bayes(tmp_path)
    own.tell(records[:3])
    asked = {trial.id for pack in own.ask(1) for trial in pack}
    lone = {r.id for r in records if r.settings == records[2].settings} - {records[2].id}
    assert lone <= asked
    assert asked.isdisjoint(r.id for r in records[:3])
    left = list(search(own))
    assert {r.id for r in left}.isdisjoint(r.id for r in records[:3])


def test_a_point_whose_records_are_lost_is_in_the_outlook(tmp_path: Path) -> None:
    """Whichever it is: a run with an empty outlook is taken for finished."""
    options = ("search.bayes.trials=3", "search.grid.divergence=[minimax]")
    records = list(search(bayes(tmp_path, *options)))
    for lost in {record.settings for record in records}:
        own = bayes(tmp_path, *options)
        own.tell([record for record in records if record.settings != lost])
        known = {record.id for record in records if record.settings != lost}
        left = [trial.id for pack in own.outlook(1) for trial in pack]
        assert len(left) == 2
        assert known.isdisjoint(left)


def test_the_budget_grows(tmp_path: Path) -> None:
    """From 6 points to 12, the first six are kept and the sampler has learned from them."""
    small = bayes(tmp_path, "search.bayes.trials=6")
    records = list(search(small))
    large = bayes(tmp_path)
    large.tell(records)
    more = list(search(large))
    assert len(more) == len(records) == 24
    assert [arm[:6] for arm in points(large)] == points(small)


def test_the_space_grows(tmp_path: Path) -> None:
    """A wider range and a new parameter: earlier points that lie in the new space stay in it."""
    old = bayes(tmp_path, "search.bayes.space.critic.steps={low: 2, high: 4}")
    records = list(search(old))
    new = bayes(tmp_path, "search.bayes.space.generator.depth=[1, 2]", "search.bayes.trials=16")
    new.tell(records)
    more = list(search(new))
    assert len(more) == 2 * 4 * 2
    for before, after in zip(points(old), points(new), strict=True):
        assert [{**values, "generator.depth": 1} for values in before] == after[:12]
    shrunk = bayes(tmp_path, "search.bayes.space.critic.steps={low: 3, high: 4}")
    shrunk.tell(records)
    kept = [[v for v in arm if v["critic.steps"] >= 3] for arm in points(old)]
    assert points(shrunk) == kept
    assert sum(map(len, kept)) < 24


def test_records_of_another_study_are_ignored(tmp_path: Path) -> None:
    """Other shared settings: nothing that was trained with them says anything here."""
    records = list(search(bayes(tmp_path, "trial.steps=100")))
    own = bayes(tmp_path)
    own.tell(records)
    assert own.counts() == {"missing": 48}


def without_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As though every metric were bounded by nothing."""

    def unbounded(reading: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**reading, "bounds": (-math.inf, math.inf)}

    place = "ganstudy.search.bayes.outcomes"
    monkeypatch.setattr(f"{place}.worst", lambda reading: worst(unbounded(reading)))
    monkeypatch.setattr(
        f"{place}.trial_score", lambda *own: trial_score(*own[:2], unbounded(own[2]))
    )


@pytest.mark.parametrize("status", ["diverged", "failed"])
@pytest.mark.parametrize("bounded", [True, False])
def test_a_bad_end_teaches_and_never_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, bounded: bool
) -> None:
    """The worst bound, or the worst value known where that is infinite; the search avoids it."""
    objective = "search.bayes.objective={minimize: mode_kl}"
    if not bounded:
        without_bounds(monkeypatch)
    penalty = math.log(8) if bounded else 1.5
    trials = f"search.bayes.trials={30 if bounded else 12}"
    own = bayes(tmp_path, objective, trials, "search.grid.divergence=[minimax]")

    def fate(trial: Trial[Any]) -> str:
        return status if trial.configuration.generator.lr > 1e-3 else "complete"

    list(search(own, lambda trial: 1.0 + trial.seed, fate))
    known = [known for _, known in own.outcomes.known(own.points((0,)))]
    bad = [k.point["generator.lr"] > 1e-3 for k in known]
    assert {k.values for k, b in zip(known, bad, strict=True) if not b} == {(1.5,)}
    assert {k.values for k, b in zip(known, bad, strict=True) if b} == {(penalty,)}
    assert own.counts()[status] == 2 * sum(bad)
    if bounded:
        assert sum(bad[15:]) < 0.35 * len(bad[15:])  # half of the space is bad


def test_all_points_bad_is_no_end(tmp_path: Path) -> None:
    """A search of which every trial diverges spends its budget and ends."""
    own = bayes(tmp_path, "search.bayes.objective={minimize: mode_kl}")
    list(search(own, status=lambda trial: "diverged"))
    assert own.counts() == {"diverged": 48}
    assert own.outcomes.front(own.points((0,)))


def test_a_point_that_could_not_be_measured_is_never_best(tmp_path: Path) -> None:
    """It is told as the worst, as one that failed, until it is measured: also of all points."""
    own = bayes(tmp_path, "search.bayes.objective={minimize: mode_kl}", "seeds=1")
    records = list(search(own, lambda trial: math.nan))
    arm = (0,)
    assert own.spent(arm)
    assert own.chosen(arm) is None
    assert own.outcomes.front(own.points(arm)) == []
    assert {known.values for known in own.known(arm)} == {(math.log(8),)}
    third = own.points(arm)[2]
    [trial] = third.trials[0]
    [old] = [record for record in records if record.id == trial.id]
    own.tell([replace(made_up(trial, 2.0), finished=old.finished)])
    assert own.chosen(arm) == (2, third)
    assert own.known(arm)[2].values == (2.0,)


def test_a_score_is_clamped_as_the_page_has_it(tmp_path: Path) -> None:
    """Rounding puts a metric a hair beyond its bound; no point is worse than the worst."""
    own = bayes(tmp_path)
    (pack, *_) = own.ask(1)
    own.tell([made_up(trial, -1e-6) for trial in pack])
    standings = [own.outcomes.standing(p, 0) for arm in own.study.points for p in own.points(arm)]
    assert (0.0, 0.0) in standings
    assert set(standings) <= {None, (0.0, 0.0)}


@pytest.mark.parametrize(("statistic", "expected"), [("mean", 2.0), ("min", 1.0), ("max", 4.0)])
def test_a_point_is_its_seeds(tmp_path: Path, statistic: str, expected: float) -> None:
    """The search is told the statistic of the seeds; every seed is kept."""
    own = bayes(tmp_path, f"search.bayes.statistic={statistic}", "seeds=3")
    list(search(own, lambda trial: (1.0, 1.0, 4.0)[trial.seed]))
    assert {known.values for _, known in own.outcomes.known(own.points((0,)))} == {(expected,)}
    assert len(own.trials) == 2 * 12 * 3


def test_points_asked_together_differ_and_fill_packs(tmp_path: Path) -> None:
    """A first question gives whole points for all arms, a full house gives none."""
    own = bayes(tmp_path, "search.bayes.together=5")
    parts = own.ask(2)
    trials = [trial for pack in parts for trial in pack]
    assert len({t.id for t in trials}) == len(trials) == 2 * 5 * 2
    for pack in parts:
        assert len({t.configuration.pack_key() for t in pack}) == 1
        seeds: dict[str, set[int]] = {}
        for trial in pack:
            seeds.setdefault(trial.settings, set()).add(trial.seed)
        assert all(found == {0, 1} for found in seeds.values())
    assert own.ask(1) == []
    own.tell([made_up(trial, 1.0) for trial in parts[0]])
    assert len({t.settings for pack in own.ask(1) for t in pack}) == len(
        {t.settings for t in parts[0]}
    )


def test_no_barrier(tmp_path: Path) -> None:
    """One pack that never ends does not keep the search from spending all the rest."""
    own = bayes(tmp_path, "search.grid.divergence=[minimax]")
    stuck = {trial.id for trial in own.ask(2)[0]}
    assert stuck
    while parts := own.ask(1):
        own.tell([made_up(t, peak(t)) for pack in parts for t in pack if t.id not in stuck])
    waiting = [p for p in own.points((0,)) if any(t.id in stuck for t in p.trials[0])]
    assert 0 < len(waiting) < own.file.together
    first = {t.id for p in own.points((0,)) for t in p.trials[0]}
    assert own.counts()["missing"] >= len(stuck)
    assert len(first) >= len(stuck)


def small(space: str, trials: int, sampler: str = "tpe") -> str:
    """A study of one arm and seed."""
    return TEXT[: TEXT.index("    space:")] + (
        f"    space: {space}\n    trials: {trials}\n    startup: 2\n    sampler: {sampler}\n"
        "    objective: {maximize: modes_covered}\nseeds: 1\n"
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_small_space_is_used_up(
    tmp_path: Path, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every point of a finite space is found once, whatever the sampler prefers, without luck."""
    for drawn in ("ATTEMPTS", "ALONG", "RANDOM_ATTEMPTS"):
        monkeypatch.setattr(f"ganstudy.search.bayes.proposals.{drawn}", 1)
    space = "{critic.steps: {low: 1, high: 5}, critic.width: [4, 8], batch: [8, 16]}"
    own = bayes(tmp_path, text=small(space, 20, sampler))
    list(search(own))
    assert len({tuple(values.values()) for values in points(own)[0]}) == 20
    assert own.counts() == {"complete": 20}
    assert own.outlook(1) == []


def test_points_of_one_meaning_are_one(tmp_path: Path) -> None:
    """A budget that counts two labels of the same settings ends, and is known to have ended."""
    space = "{size: {a: {batch: 8}, b: {batch: 8}, c: {batch: 16}}}"
    own, again = (bayes(tmp_path, text=small(space, 3)) for _ in range(2))
    again.tell(list(search(own)))
    for ended in (own, again):
        assert ended.counts() == {"complete": 2}
        assert ended.planned[:, 0].tolist() == [True, True, False]
        assert ended.outlook(1) == []
        assert ended.spent(())
        assert ended.ask(1) == []


@pytest.mark.parametrize("sampler", QUICK)
def test_a_combination_that_is_refused_is_passed_over(tmp_path: Path, sampler: str) -> None:
    """It ended the run for good; of twelve batches three are multiples of four, four of three."""
    space = "{critic.pac: [1, 4, 3], batch: {low: 12, high: 23}}"
    path = write_study(tmp_path, small(space, 20, sampler))
    study = load(path, kept=True)  # a rare one is not met as the study is read
    own, again, whole = Bayes(study), Bayes(study), Bayes(study)
    left = whole.outlook(1)
    assert sum(map(len, left)) <= 19
    told = list(search(own))
    found = points(own)[0]
    # All of one, and three and four of the multiples.
    assert {(v["critic.pac"], v["batch"]) for v in found} == {
        (pac, batch) for pac in (1, 4, 3) for batch in range(12, 24) if batch % pac == 0
    }
    assert len(found) == 12 + 3 + 4
    again.tell(told)
    assert points(again) == points(own)
    assert (again.ask(1), again.outlook(1)) == ([], [])


def test_a_sequence_is_followed_past_points_that_are_known(tmp_path: Path) -> None:
    """Every other place of the sequence is the one point without momentum."""
    space = (
        "{rule: {adam: {generator.optimizer: adam, critic.optimizer: adam},"
        " sgd: {generator.optimizer: sgd, critic.optimizer: sgd}},"
        " critic.optimizer.beta1: {low: 0.0, high: 0.9, when: {rule: adam}}}"
    )
    own = bayes(tmp_path, text=small(space, 40, "qmc"))
    stream = PointMaker(own.study, own.file, 0).stream(())
    sequence = quasi_random(Question(own.study.space, {}, ("maximize",), (), 0, (0,), stream))
    list(search(own))
    expected: list[dict[str, Any]] = []
    while len(expected) < 40:
        if (values := next(sequence)) not in expected:
            expected.append(values)
    assert points(own)[0] == expected


# --- samplers on functions whose optimum is known ------------------------------------------------

SPACE = (
    Range("x", (), low=-5.0, high=5.0),
    Range("y", (), low=1e-4, high=1.0, log=True),
    Range("n", (), low=1, high=9),
)
FIRST = Question(SPACE, {}, ("minimize",), (), 0, (0,), (0,))


def test_what_a_study_may_name_is_in_its_table() -> None:
    """One that was added to the words alone was taken for another: no word stands for the rest."""
    for key, table in (
        (BayesKeys.model_fields["sampler"], SAMPLERS),
        (PrunerFile.model_fields["name"], halving.SKIPPED),
    ):
        assert set(get_args(key.annotation)) == set(table)
    for name in SAMPLERS:
        assert propose(name, FIRST).keys() == {own.name for own in SPACE}
    with pytest.raises(KeyError, match="another"):
        propose("another", FIRST)


def _best_of(sampler: str, budget: int, seed: int) -> float:
    """Distance from the optimum (1, 1e-2, 4) of a cheap function after some proposals."""
    known: list[Known] = []
    for number in range(budget):
        asked = Question(SPACE, {}, ("minimize",), tuple(known), number, (seed, number), (seed,))
        own = "random" if sampler == "tpe" and number < 10 else sampler
        point = propose(own, asked)
        loss = (point["x"] - 1) ** 2 + (math.log10(point["y"]) + 2) ** 2 + (point["n"] - 4) ** 2 / 4
        known.append(Known(point, (loss,)))
    return min(k.values[0] for k in known)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_model_beats_chance(sampler: str) -> None:
    """On a smooth function with fixed seeds, by more than twice, in the mean logarithm."""
    own, chance = (
        np.mean([math.log(_best_of(name, 60, seed)) for seed in range(4)])
        for name in (sampler, "random")
    )
    assert own < chance - math.log(2)


@pytest.mark.slow
def test_a_gaussian_process_beats_chance() -> None:
    """With fewer points, since it thinks longer about each."""
    own, chance = (
        np.mean([math.log(_best_of(name, 15, seed)) for seed in range(2)])
        for name in ("gp", "random")
    )
    assert own < chance - math.log(2)


def test_quasi_random_points_are_spread_evenly() -> None:
    """64 points of a scrambled Sobol sequence: 8 in each eighth of a range, exactly."""
    places = [
        propose("qmc", Question(SPACE, {}, ("minimize",), (), k, (0, k), (7,))) for k in range(64)
    ]
    eighths = np.bincount([int((p["x"] + 5) / 10 * 8) for p in places], minlength=8)
    assert eighths.tolist() == [8] * 8


@pytest.mark.parametrize(
    "parameter",
    [
        Range("a", (), low=1, high=8),
        Range("a", (), low=2, high=64, log=True),
        Range("a", (), low=0.0, high=1.0, step=0.25),
        Range("a", (), low=1e-5, high=1e-1, log=True),
        Range("a", (), low=-3.0, high=2.0),
        Choice("a", (), labels=("p", "q", "r")),
    ],
    ids=str,
)
def test_shares_and_values(parameter: Range | Choice) -> None:
    """Equal shares are equally likely, ends are reached, and `share` undoes `at`."""
    found = [parameter.at(u) for u in np.linspace(0, 1, 2001)]
    assert all(parameter.holds(value) for value in found)
    assert (found[0], found[-1]) == (parameter.extremes[0], parameter.extremes[-1])
    if isinstance(parameter, Range):
        assert all(math.isclose(parameter.at(parameter.share(v)), v, rel_tol=1e-9) for v in found)
        if parameter.whole and not parameter.log:
            counts = np.bincount(found)[parameter.low :]  # type: ignore[misc]
            assert np.ptp(counts) <= 2


def test_conditions_on_an_arm() -> None:
    """A parameter that belongs to one arm takes part there only."""
    space = (Range("a", (), when={"arm": ("left",)}), Range("b", ()))
    assert set(values_at(space, [0.5, 0.5], {"arm": "left"})) == {"a", "b"}
    assert set(at_random(space, np.random.default_rng(0), {"arm": "right"})) == {"b"}


# --- several objectives ---------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_pareto_front(tmp_path: Path, sampler: str) -> None:
    """By brute force: a point is on the front if no other is as good in all and better in one."""
    objective = "search.bayes.objective={maximize: high_quality, minimize: mode_kl}"
    own = bayes(tmp_path, objective, f"search.bayes.sampler={sampler}")

    def both(trial: Trial[Any]) -> Record:
        record = made_up(trial, 0.0)
        rate = math.log10(trial.configuration.generator.lr)
        record.values["high_quality"][:] = (rate + 5) / 4
        record.values["mode_kl"][:] = abs(rate + 4) + 0.1 * trial.configuration.critic.steps
        return record

    while parts := own.ask(1):
        own.tell([both(trial) for pack in parts for trial in pack])
    for arm in own.study.points:
        values = {id(p): k.values for p, k in own.outcomes.known(own.points(arm))}
        front = {id(p) for p in own.outcomes.front(own.points(arm))}
        for key, (quality, kl) in values.items():
            bettered = any(
                q >= quality and k <= kl and (q, k) != (quality, kl) for q, k in values.values()
            )
            assert (key in front) != bettered
        assert 0 < len(front) < 12


# --- constraints ----------------------------------------------------------------------------------

CONSTRAINED = (
    "search.bayes.objective={maximize: high_quality, minimize: mode_kl}",
    "search.bayes.constraints={modes_covered: {minimum: 3, maximum: 6}}",
)


def covering(trial: Trial[Any]) -> Record:
    """Quality and Kullback-Leibler divergence both grow with the rate; modes fall with it."""
    rate = math.log10(trial.configuration.generator.lr)
    record = made_up(trial, 0.0)
    for name, value in (("high_quality", (rate + 5) / 4), ("mode_kl", (rate + 5) / 2)):
        record.values[name][:] = value
    record.values["modes_covered"][:] = -2 * rate - 1 + 0.5 * trial.seed
    return record


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_points_that_break_a_constraint_are_never_best(tmp_path: Path, sampler: str) -> None:
    """Violations by hand, and a front of all points that keep both bounds and of no other."""
    own = bayes(tmp_path, *CONSTRAINED, f"search.bayes.sampler={sampler}")
    while parts := own.ask(1):
        own.tell([covering(trial) for pack in parts for trial in pack])
    broken = 0
    for arm in own.study.points:
        found = own.points(arm)
        front = {id(p) for p in own.outcomes.front(found)}
        for point in found:
            covered = -2 * math.log10(point.values["generator.lr"]) - 1 + 0.25
            expected = max(3 - covered, 0) + max(covered - 6, 0)
            assert own.outcomes.violation(point) == pytest.approx(expected, abs=1e-5)
            # Whoever is better in one objective is worse in the other.
            assert (id(point) in front) == (expected == 0)
            broken += expected > 0
    assert broken


@pytest.mark.parametrize(
    ("sampler", "count"), [("tpe", 40), pytest.param("gp", 30, marks=pytest.mark.slow)]
)
def test_a_sampler_keeps_to_constraints(sampler: str, count: int) -> None:
    """The best x is 5, the best that is allowed 1. Told of violations, most are not far above.

    A Gaussian process is there after a few points, and thinks longer about each.
    """

    def share_far_above(told: bool) -> float:
        known: list[Known] = []
        for number in range(count):
            asked = Question(SPACE, {}, ("maximize",), tuple(known), number, (number,), (0,))
            point = propose("random" if number < 10 else sampler, asked)
            violations = (point["x"] - 1.0,) if told else ()
            known.append(Known(point, (point["x"],), violations))
        return float(np.mean([k.point["x"] > 1.5 for k in known[count // 2 :]]))

    assert share_far_above(True) < 0.5
    assert share_far_above(False) > 0.9


def test_a_score_that_is_not_finite_breaks_every_constraint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is the only thing known: what the sampler is told is never above board."""
    without_bounds(monkeypatch)
    own = bayes(tmp_path, "search.bayes.constraints={mode_kl: {maximum: 1.0}}")
    list(search(own, status=lambda trial: "diverged"))
    for point, known in own.outcomes.known(own.points((0,))):
        assert own.outcomes.violation(point) == math.inf
        assert known.violations[0] > 0
    assert own.outcomes.front(own.points((0,))) == []


def test_points_that_keep_constraints_stand_first(tmp_path: Path) -> None:
    """At a rung: those that keep six modes by their quality, then the others by what they lack."""
    own = bayes(
        tmp_path,
        "search.bayes.objective={maximize: high_quality}",
        "search.bayes.constraints={modes_covered: {minimum: 6}}",
        "search.bayes.pruner={name: successive_halving, factor: 3, first: 10}",
        "search.bayes.sampler=random",
    )
    while parts := own.ask(1):
        own.tell([covering(trial) for pack in parts for trial in pack])
    found = own.points((0,))
    rates = [math.log10(point.values["generator.lr"]) for point in found]
    lacking = [max(6 - (-2 * rate - 1 + 0.25), 0.0) for rate in rates]
    assert 0 < sum(x == 0 for x in lacking) < len(found)
    by_hand = sorted(range(len(found)), key=lambda i: (-lacking[i], rates[i]))

    def standing(place: int) -> tuple[float, float]:
        known = own.outcomes.standing(found[place], 0)
        assert known is not None
        return known

    assert sorted(range(len(found)), key=standing) == by_hand


# --- pruning --------------------------------------------------------------------------------------


def test_rungs_and_promotions() -> None:
    """Powers of the factor up to the end; the best third goes on, once."""
    assert rungs_up_to(100, 3, 2000) == (100, 300, 900, 2000)
    assert rungs_up_to(500, 2, 1000) == (500, 1000)
    scores = {"a": 1.0, "b": 5.0, "c": 3.0, "d": 4.0, "e": 2.0, "f": 0.0}
    assert halving.best_of_rung(scores, [], 3) == ["b", "d"]
    assert halving.best_of_rung(scores, ["b"], 3) == ["d"]
    assert halving.best_of_rung({"a": 1.0, "b": 2.0}, [], 3) == []


def test_brackets_cost_about_the_same() -> None:
    """Hyperband's weights: of 4,000 keys, shares within five standard errors."""
    found = np.bincount([halving.bracket(str(k), 3, 3) for k in range(4000)], minlength=3)
    weights = np.array([3 / 3 * 9, 3 / 2 * 3, 3 / 1 * 1])
    expected = weights / weights.sum()
    error = np.sqrt(expected * (1 - expected) / 4000)
    assert (abs(found / 4000 - expected) < 5 * error).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pruned", "deviation", "share"),
    [("successive_halving", 0.75, 0.05, 0.55), ("hyperband", 0.57, 0.06, 0.66)],
)
def test_poor_points_are_pruned(
    tmp_path: Path, name: str, pruned: float, deviation: float, share: float
) -> None:
    """Many points stop early, the best go on to the end; told again, the search stands there.

    How many hangs on the points, and they on the last bits of this processor's logarithms: by the
    searches of fourteen seeds, of which this one lies within five standard deviations.
    """
    pruner = f"search.bayes.pruner={{name: {name}, factor: 3, first: 10}}"
    own = bayes(tmp_path, pruner, "search.bayes.trials=27")
    records = list(search(own))
    counts = own.counts()
    assert counts["missing"] == 0
    assert counts["complete"] > 0
    assert abs(counts["pruned"] / (2 * 27 * 2) - pruned) < 5 * deviation
    spent = sum(int(record.values["step"][-1]) for record in records)
    assert abs(spent / (2 * 27 * 2 * 90) - share) < 5 * deviation
    for arm in own.study.points:
        values = [known.values[0] for _, known in own.outcomes.known(own.points(arm))]
        finished = [k.values[0] for p, k in own.outcomes.known(own.points(arm)) if p.last]
        assert max(finished) == pytest.approx(max(values))
    again = bayes(tmp_path, pruner, "search.bayes.trials=27")
    again.tell(records)
    assert again.counts() == counts
    assert again.ask(1) == []
    assert points(again) == points(own)


def test_with_few_points_the_best_is_trained_to_the_end(tmp_path: Path) -> None:
    """Two points with a factor of three: none is in the best third, yet one is finished."""
    pruner = "search.bayes.pruner={name: successive_halving, first: 10}"
    own = bayes(tmp_path, pruner, "search.bayes.trials=2")
    list(search(own))
    assert own.counts() == {"pruned": 2 * 2, "complete": 2 * 2}


def pruned(name: str, trials: int, *overrides: str) -> tuple[str, ...]:
    """Overrides for a pruned search of one arm by random points, from 10 M-steps on."""
    pruner = f"search.bayes.pruner={{name: {name}, factor: 3, first: 10}}"
    arm, own = "search.grid.divergence=[minimax]", f"search.bayes.trials={trials}"
    return pruner, arm, own, "search.bayes.sampler=random", *overrides


@pytest.mark.parametrize("name", halving.SKIPPED)
def test_a_search_does_not_end_with_a_point_that_diverged_at_the_end(
    tmp_path: Path, name: str
) -> None:
    """What is best early diverges later; it was chosen, and no other was trained to the end."""

    def fate(trial: Trial[Any]) -> str:
        late = trial.configuration.steps == 90
        return "diverged" if late and trial.configuration.generator.lr > 1e-4 else "complete"

    own = bayes(tmp_path, *pruned(name, 8))
    list(search(own, lambda trial: 8 + math.log10(trial.configuration.generator.lr), fate))
    assert own.counts()["diverged"] >= 2
    assert own.spent((0,))
    chosen = own.chosen((0,))
    assert chosen is not None
    assert own.outcomes.alive(chosen[1], chosen[1].level)
    # The others of its kind need not be trained so far.
    if name == "successive_halving":
        assert own.counts()["complete"] == 2


@pytest.mark.parametrize("name", halving.SKIPPED)
def test_a_pruned_search_of_which_all_diverge_at_the_end_ends(tmp_path: Path, name: str) -> None:
    own = bayes(tmp_path, *pruned(name, 8))
    list(search(own, status=lambda t: "diverged" if t.configuration.steps == 90 else "complete"))
    assert own.counts() == {"diverged": 16}
    assert own.chosen((0,)) is not None


@pytest.mark.parametrize("name", halving.SKIPPED)
def test_a_pruned_search_takes_no_point_that_diverged_for_good(tmp_path: Path, name: str) -> None:
    """TPE takes what was trained longest for best, whatever came of it."""

    def fate(trial: Trial[Any]) -> str:
        return "diverged" if trial.configuration.steps > 10 and trial.seed < 2 else "complete"

    own = bayes(tmp_path, *pruned(name, 20))
    list(search(own, peak, fate))
    found = own.outcomes.known(own.points((0,)))
    dead = {n for n, (p, _) in enumerate(found) if not own.outcomes.alive(p, p.level)}
    assert {found[n][1].rung for n in dead} == {10}
    study = to_study(own.study.space, ["maximize"], [told for _, told in found])
    good = _split_trials(study, study.trials, len(found) - len(dead))[0]
    assert dead
    assert dead.isdisjoint(trial.number for trial in good)


@pytest.mark.parametrize("trials", [3, 27])
@pytest.mark.parametrize("name", halving.SKIPPED)
def test_an_outlook_has_the_rungs_to_come(tmp_path: Path, name: str, trials: int) -> None:
    """A plan had the first of them alone, and a run took seven times as long."""

    def steps(records: list[Record]) -> int:
        return sum(int(record.values["step"][-1]) for record in records)

    options = pruned(name, trials, "trial.steps=810")
    own = bayes(tmp_path, *options)
    records = list(search(own))
    for told in (0, len(records) // 4, len(records) // 2, len(records)):
        again = bayes(tmp_path, *options)
        again.tell(records[:told])
        planned = sum(t.configuration.steps for pack in again.outlook(1) for t in pack)
        left = steps(records[told:])
        assert left / 1.5 <= planned <= left * 1.5


@pytest.mark.slow
def test_more_seeds_promote_no_losers(tmp_path: Path) -> None:
    """A point that went on has its new seed where it is now: at earlier rungs it stays as it was.

    All points are better by the same with the new seed, so that their order is as before.
    """
    pruner = "search.bayes.pruner={name: successive_halving, factor: 3, first: 10}"
    options = (pruner, "search.bayes.trials=27", "search.bayes.sampler=random")
    few = bayes(tmp_path, *options)

    def without_luck(trial: Trial[Any]) -> float:
        return peak(replace(trial, seed=0))

    told = [replace(r, finished=float(n)) for n, r in enumerate(search(few, without_luck))]
    few.tell(told)
    more = bayes(tmp_path, *options, "seeds=3")
    more.tell(told)
    arms = few.study.points
    ahead = [[p.values for p in few.points(arm) if p.level] for arm in arms]
    assert [[p.values for p in more.points(arm) if p.level] for arm in arms] == ahead
    list(search(more, without_luck))
    for arm in arms:
        reached = [{str(p.values): p.level for p in own.points(arm)} for own in (few, more)]
        assert reached[0] == reached[1]
        assert set(reached[0].values()) == {0, 1, 2}
    assert more.counts() == {own: count // 2 * 3 for own, count in few.counts().items()}


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["", "{name: successive_halving, factor: 3, first: 10}"])
def test_seeds_that_come_later_leave_points_in_their_places(tmp_path: Path, pruner: str) -> None:
    """Trial 3 was another point when the new seeds had landed, and while they did."""
    options = ("search.bayes.sampler=random", "seeds=2")
    options += (f"search.bayes.pruner={pruner}",) if pruner else ()
    few = bayes(tmp_path, *options)
    told = [replace(r, finished=float(n)) for n, r in enumerate(search(few))]
    few.tell(told)
    more = bayes(tmp_path, *options, "seeds=4")
    rng = np.random.default_rng(0)
    more.tell([told[place] for place in rng.permutation(len(told))])
    assert points(more) == points(few)
    later = [trial for pack in more.ask(1) for trial in pack]
    assert later
    for number, place in enumerate(rng.permutation(len(later))):
        trial = later[place]
        more.tell([replace(made_up(trial, peak(trial)), finished=float(len(told) + number))])
        assert points(more) == points(few)


@pytest.mark.parametrize("name", halving.SKIPPED)
def test_a_pruned_search_takes_no_point_in_training_for_good(tmp_path: Path, name: str) -> None:
    """Of what TPE is told: those in training are behind all others, and a promoted one is known."""
    pruner = f"search.bayes.pruner={{name: {name}, factor: 3, first: 10}}"
    own = bayes(tmp_path, pruner, "search.grid.divergence=[minimax]", "search.bayes.trials=40")
    while len(own.points((0,))) < 20:
        own.tell([made_up(t, peak(t)) for pack in own.ask(1) for t in pack])
    own.ask(6)
    found = own.points((0,))
    beside = [point for point in found if not own.outcomes.recorded(point)]
    known = own.outcomes.known([p for p in found if p not in beside], lies=beside)
    study = to_study(own.study.space, ["maximize"], [told for _, told in known])
    new = {number for number, (_, told) in enumerate(known) if told.lie}
    assert len(new) >= 3
    good = _split_trials(study, study.trials, len(known) - len(new))[0]
    assert new.isdisjoint(trial.number for trial in good)
    promoted = [(p, told) for p, told in known if p in beside and p.level]
    assert promoted
    for point, told in promoted:
        standing = own.outcomes.standing(point, point.level - 1)
        assert standing is not None
        assert (told.rung, told.values[0]) == (point.rungs[point.level - 1], standing[1])


# --- the cache ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_storage_has_the_study_that_the_documentation_opens(tmp_path: Path) -> None:
    """Of a shipped search; nothing need be recorded for its name."""
    root = Path(__file__).parents[3]
    page = (root / "docs" / "search.md").read_text(encoding="utf-8")
    named = re.search(r'optuna\.load_study\(study_name="([^"]+)"', page)
    assert named
    name = named[1].partition(",")[0]
    search_of(load(root / "studies" / f"{name}.yaml")).write_files(tmp_path)
    assert named[1] in optuna.get_all_study_names(f"sqlite:///{tmp_path / 'search.db'}")


@pytest.mark.slow
def test_the_storage_is_a_cache(tmp_path: Path) -> None:
    """One Optuna study for each arm with all points; deleted, it is written again, equal."""
    own = bayes(tmp_path)
    list(search(own))
    found = []
    for _ in range(2):
        path = tmp_path / "search.db"
        path.unlink(missing_ok=True)
        own.write_files(tmp_path)
        url = f"sqlite:///{path}"
        names = optuna.get_all_study_names(url)
        assert names == ["tiny, divergence minimax", "tiny, divergence reverse_kl"]
        study = optuna.load_study(study_name=names[0], storage=url)
        assert study.metric_names == ["modes_covered"]
        found.append([(t.params, t.value) for t in study.trials])
        assert study.best_value == pytest.approx(
            max(k.values[0] for _, k in own.outcomes.known(own.points((0,))))
        )
    assert found[0] == found[1]
    assert [params for params, _ in found[0]] == points(own)[0]
