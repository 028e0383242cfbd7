"""Repeated searches: what they share and what not, fresh seeds, growth, and what is tested."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from recomputed import sentences, unexplained
from searched import TEXT, made_up, peak, study_of
from tiny import write_study
from unrendered import unrendered

from ganstudy import analysis, open_run, plot
from ganstudy.analysis.bounded import gaffke_interval
from ganstudy.analysis.remembered import remembering
from ganstudy.report import build
from ganstudy.report.findings import Findings
from ganstudy.report.searched import Searched
from ganstudy.report.sections import effects, settings
from ganstudy.report.sections.search import section as search_report
from ganstudy.report.sections.search.figures import draw_budget
from ganstudy.report.sections.search.parallel import embedded
from ganstudy.report.sections.search.tables import best_table
from ganstudy.report.style import figure_style
from ganstudy.search import search_of
from ganstudy.search.bayes import Bayes
from ganstudy.search.bayes.repeated import Repeated
from ganstudy.store import RunDirectory, gather
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record

SMALL = ("search.bayes.trials=5", "search.bayes.sampler=random")
TWO_AXES = TEXT.replace("reverse_kl]", "reverse_kl], generator.width: [4, 8]")
THREE = ("search.bayes.repeats=3", "search.bayes.fresh=2")


def repeated(folder: Path, *overrides: str, text: str = TEXT) -> Repeated:
    own = search_of(study_of(folder, *SMALL, *overrides, text=text))
    assert isinstance(own, Repeated)
    return own


def finish(own: Bayes | Repeated, failing: bool = False) -> list[Record]:
    """Ask and tell until there are no more questions."""
    told: list[Record] = []
    while parts := own.ask(2):
        for pack in parts:
            bad = [failing and trial.configuration.generator.lr > 0.01 for trial in pack]
            records = [
                made_up(t, peak(t), "failed" if b else "complete")
                for t, b in zip(pack, bad, strict=True)
            ]
            own.tell(records)
            told += records
    return told


def test_searches_share_nothing_and_the_first_is_that_without_repeats(tmp_path: Path) -> None:
    own = repeated(tmp_path, "search.bayes.repeats=3", "search.bayes.fresh=2")
    records = finish(own)
    alone = search_of(study_of(tmp_path, *SMALL))
    assert isinstance(alone, Bayes)
    before = finish(alone)
    assert {r.id for r in before} <= {r.id for r in records}
    for arm in own.study.points:
        values = [{str(p.values) for p in search.points(arm)} for search in own.searches]
        assert values[0] == {str(point.values) for point in alone.points(arm)}
        assert not any(a & b for a, b in itertools.combinations(values, 2))
    # Two arms, three searches, five points, two seeds; two arms, three searches, two fresh seeds.
    assert own.counts() == {"complete": 2 * 3 * 5 * 2 + 2 * 3 * 2}
    assert len({r.id for r in records}) == len(records) == own.counts().total()
    seeds = {r.seed for r in records}
    blocks = [0, 1, 500_000, 500_001]
    assert seeds == {block + 1_000_000 * repeat for block in blocks for repeat in range(3)}


def test_fresh_seeds_are_those_of_the_best_point(tmp_path: Path) -> None:
    own = repeated(tmp_path, "search.bayes.repeats=2", "search.bayes.fresh=3")
    records = {record.id: record for record in finish(own)}
    for place, trial in own.trials.items():
        *arm, repeat, number, seed = place
        if seed < 2:
            continue
        search = own.searches[repeat]
        scores = [
            np.mean([records[t.id].values["modes_covered"][-1] for t in point.current])
            for point in search.points(tuple(arm))
        ]
        assert number == int(np.argmax(scores))
        assert trial.settings == search.points(tuple(arm))[number].trials[-1][0].settings
        assert trial.seed == 1_000_000 * repeat + 500_000 + seed - 2


def test_fresh_seeds_wait_for_the_point_that_goes_on(tmp_path: Path) -> None:
    """Killed when all points stand at their first rung, a search has all its trials to come."""
    pruner = "search.bayes.pruner={name: successive_halving, first: 10}"
    options = ("search.bayes.trials=2", "search.bayes.fresh=2", pruner)
    whole = repeated(tmp_path, *options)
    records = finish(whole)
    for number in range(len(records)):
        again = repeated(tmp_path, *options)
        again.tell(records[:number])
        assert again.counts().total() == whole.counts().total()


def test_records_alone_decide_and_searches_grow(tmp_path: Path) -> None:
    """Told the records up to any time, in any order, a search asks for the rest and no other."""
    few = repeated(tmp_path, "search.bayes.repeats=2", "search.bayes.fresh=2")
    records = finish(few)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        told = [records[i] for i in rng.permutation(20 * seed)]
        again = repeated(tmp_path, "search.bayes.repeats=2", "search.bayes.fresh=2")
        again.tell(told)
        rest = finish(again)
        assert len(rest) == again.counts().total() - len(told)
    more = repeated(tmp_path, "search.bayes.repeats=3", "search.bayes.fresh=4")
    more.tell(records)
    added = finish(more)
    assert not {r.id for r in records} & {r.id for r in added}
    assert len(added) == 2 * 5 * 2 + 2 * 3 * 4 - 2 * 2 * 2
    # Fewer again: what is not asked is ignored, and nothing is trained.
    fewer = repeated(tmp_path, "search.bayes.repeats=2", "search.bayes.fresh=2")
    fewer.tell([*added, *records])
    assert fewer.ask(1) == []
    single = Bayes(study_of(tmp_path, *SMALL))
    single.tell(r for r in [*added, *records] if r.seed < 500_000)
    assert single.ask(1) == []


@pytest.mark.parametrize(("slots", "each"), [(1, 4), (20, 4), (120, 6)])
def test_searches_share_the_slots(tmp_path: Path, slots: int, each: int) -> None:
    """Ten searches of two arms: none asks for its whole budget because there are many workers."""
    own = repeated(tmp_path, "search.bayes.repeats=10", "search.bayes.trials=12")
    asked = [trial for part in own.ask(slots) for trial in part]
    assert len(asked) == 10 * 2 * each * 2
    for search in own.searches:
        assert [len(search.points(arm)) for arm in own.study.points] == [each, each]


def test_an_arm_all_of_whose_points_fail_has_no_fresh_trials(tmp_path: Path) -> None:
    space = "search.bayes.space={generator.lr: {low: 0.02, high: 0.1}}"
    own = repeated(tmp_path, "search.bayes.repeats=2", space)
    finish(own, failing=True)
    assert own.counts() == {"failed": 2 * 2 * 5 * 2}


def test_mistakes_have_a_line(tmp_path: Path) -> None:
    for override, said in (
        ("search.bayes.fresh=0", "repeated searches are compared on fresh seeds"),
        ("seeds=[3, 500000]", "lie below 500,000"),
    ):
        with pytest.raises(StudyError, match=said):
            repeated(tmp_path, "search.bayes.repeats=2", override)
    text = TEXT.replace("trials: 12", "trials: 12\n    repeats: 0")
    with pytest.raises(StudyError, match="repeats"):
        load(write_study(tmp_path, text))


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Four searches an arm, three fresh seeds, gathered and read back."""
    folder = tmp_path_factory.mktemp("repeats")
    own = repeated(
        folder, "search.bayes.repeats=4", "search.bayes.fresh=3", "search.bayes.trials=8"
    )
    directory = RunDirectory(folder / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own))
    directory.study.write_text("question: made up\n")
    gather(directory, own)
    return open_run(directory.path).compute()


def test_the_dataset_has_every_search(gathered: xr.Dataset) -> None:
    assert gathered["status"].dims == ("divergence", "repeat", "trial", "seed")
    assert gathered["fresh"].values.tolist() == [False, False, True, True, True]
    on_fresh = (gathered["status"] != "excluded").isel(seed=slice(2, None)).all("seed")
    assert (on_fresh.sum("trial") == 1).all()
    assert (gathered["status"].isel(seed=slice(0, 2)) == "complete").all()
    assert gathered["generator_lr"].dims == ("divergence", "repeat", "trial")
    best = analysis.best_by_budget(gathered)["incumbent"].isel(trial=-1)
    assert (on_fresh.argmax("trial") == best).all()


def test_what_is_compared_are_searches(gathered: xr.Dataset) -> None:
    """The score of a search is the mean of its fresh seeds; the unit of tests is the search."""
    at_best = analysis.tuned(gathered)
    assert dict(at_best.sizes)["seed"] == 4
    assert dict(at_best.sizes)["fresh_seed"] == 3
    place = analysis.best_by_budget(gathered)["incumbent"].isel(trial=-1)
    score = analysis.trial_scores(gathered)["score"].isel(trial=place)
    fresh = score.isel(seed=slice(2, None)).mean("seed")
    ranked = analysis.arm_scores(at_best)
    assert ranked["seeds"].values.tolist() == [4, 4]
    np.testing.assert_allclose(
        ranked["seed_mean"].transpose("divergence", "seed").values,
        fresh.transpose("divergence", "repeat").values,
    )


def test_the_point_of_a_search_has_the_interval_of_its_fresh_seeds(gathered: xr.Dataset) -> None:
    """In the table of best points, too, where it was that of the seeds that chose the point."""
    found = analysis.fresh_scores(gathered)
    at = {"divergence": 1, "repeat": 2}
    place = analysis.chosen_points(gathered).isel(at).item()
    score = analysis.trial_scores(gathered)["score"].isel(at).isel(trial=place)
    own = gaffke_interval(score.values[2:], (0.0, 8.0))
    assert found["mean"].isel(at).item() == pytest.approx(float(own.mean))
    assert found["low"].isel(at).item() == pytest.approx(float(own.low))
    searched = Searched.of(gathered)
    row = best_table(searched).rows[
        searched.rows.index(f"{gathered.divergence.values[1]}, search 3")
    ]
    low, high = (searched.show(float(found[end].isel(at))) for end in ("low", "high"))
    assert row.cells[3] == f"{searched.show(float(own.mean))} ({low} to {high})"
    with pytest.raises(ValueError, match="no fresh seeds"):
        analysis.fresh_scores(gathered.drop_vars("fresh"))


@pytest.mark.slow
def test_captions_are_of_searches(tmp_path: Path) -> None:
    """Where searches are what is drawn anew, nothing is over seeds."""
    own = repeated(tmp_path, *THREE, text=TWO_AXES)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own))
    findings = Findings.of(gather(directory, own))
    drawings = [own.draw(findings) for own in (effects, settings)] + [effects.draw_shares(findings)]
    said = " ".join(f"{own.caption} {own.alt}" for own in drawings)
    assert not re.search("over seeds|[Tt]he seed", said)
    assert "95% intervals over searches" in said
    assert re.search(r"\d% search", said)


@pytest.mark.slow
def test_one_search_an_arm_tells_no_arms_apart(tmp_path: Path) -> None:
    """Its luck is one draw, however many seeds the points have."""
    for more in ("search.bayes.trials=5", "search.bayes.fresh=6"):
        own = search_of(study_of(tmp_path, *SMALL, "seeds=6", more))
        directory = RunDirectory(tmp_path / more.replace("=", "_"))
        directory.records.mkdir(parents=True)
        assert isinstance(own, Bayes | Repeated)
        records = finish(own)
        for record in records:
            far = "minimax" in record.settings
            record.values["modes_covered"][:] = 1.0 * far + record.seed % 7 / 100
        directory.write(records)
        ds = gather(directory, own)
        pairs = analysis.compare_arms(analysis.tuned(ds))
        assert pairs["difference"].isel(divergence=0, other=1) == pytest.approx(1.0)
        for name in ("p", "low", "high"):
            assert pairs[name].isnull().all() or name != "p"
            assert math.isnan(pairs[name].isel(divergence=0, other=1).item())


WITHOUT_AXIS = TEXT.replace("  grid: {divergence: [minimax, reverse_kl]}\n", "")
OF_A_SEARCH = ("answer", "budget", "curves", "heatmap", "parallel_coordinates", "ranking")


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("text", [WITHOUT_AXIS, TEXT], ids=["no axis", "arms"])
def test_a_search_of_one_seed_has_scores_and_figures(
    tmp_path: Path, text: str, repeats: int
) -> None:
    """Without an axis, points that stand for themselves on fresh seeds had no page at all."""
    more = ("seeds=1", f"search.bayes.repeats={repeats}", "search.bayes.fresh=1")
    own = search_of(study_of(tmp_path, *SMALL, *more, text=text))
    assert isinstance(own, Repeated)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own))
    ds = gather(directory, own)
    assert ds["trial"].dims == ("trial",)
    found = analysis.fresh_scores(ds)
    assert set(found["mean"].dims) >= {"repeat"}
    assert found["mean"].notnull().all()
    assert (found["seeds"] == 1).all()
    assert found[["low", "high"]].to_array().isnull().all()
    assert analysis.tuned(ds).sizes["seed"] == repeats
    with remembering():
        for name in OF_A_SEARCH:
            getattr(plot, name)(ds)
            plt.close("all")
    with unrendered():
        page = build(ds, {}, tmp_path / "report").read_text()
    assert "generator.lr" in page
    assert ("Every arm has" in page) is (text == TEXT)
    drawn = re.search(r'id="parallel-data" type="application/json">(.*?)<', page)
    assert drawn is not None
    assert json.loads(drawn[1]) == json.loads(str(embedded(Searched.of(ds))))


@pytest.mark.slow
def test_one_arm_is_not_told_as_one_of_several(tmp_path: Path) -> None:
    """However many searches it has."""
    own = repeated(tmp_path, *THREE, text=WITHOUT_AXIS)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own))
    said = str(search_report.sentence(Searched.of(gather(directory, own))))
    assert said.startswith("The study is shown at the best of its 5 points")
    assert "It was searched 3 times" in said
    assert not re.search("[Ee]ach arm|all arms|Each was", said)


@pytest.mark.slow
def test_a_row_of_the_best_is_of_one_point(tmp_path: Path) -> None:
    """Where the page is by another metric than the first objective, which chose the point."""
    two = "search.bayes.objective={maximize: [modes_covered, high_quality]}"
    own = repeated(tmp_path, "search.bayes.fresh=2", two, "score=high_quality")
    records = []
    while parts := own.ask(2):
        told = [made_up(trial, peak(trial)) for pack in parts for trial in pack]
        for record in told:
            record.values["high_quality"][:] = 1 - record.values["modes_covered"] / 8
        own.tell(told)
        records += told
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(records)
    dataset = gather(directory, own)
    searched = Searched.of(dataset)
    with figure_style():
        caption = draw_budget(Findings.of(dataset)).caption
    assert "each search ends with its best point by modes covered" in caption
    modes = analysis.point_scores(searched.ds, "modes_covered").isel(repeat=0)
    table = best_table(searched)
    assert table.headings[0] == "best point by modes covered"
    assert "held out" not in table.headings
    assert "The best point by modes covered is scored" in search_report.sentence(searched)
    for row, told_by in zip(table.rows, modes.values, strict=True):
        best = int(np.argmax(told_by))
        assert best != int(np.argmin(told_by))
        assert row.cells[0] == f"trial {best}, among 5"
        assert float(row.cells[1]) == pytest.approx(1 - told_by[best] / 8, abs=0.01)
    lines = json.loads(str(embedded(searched)))["lines"]
    good = {(line["group"], line["trial"]) for line in lines if line["good"]}
    assert {(arm, int(np.argmax(own))) for arm, own in enumerate(modes.values)} <= good


def test_a_search_that_tried_one_value_is_named(gathered: xr.Dataset) -> None:
    """Whatever the others of its arm tried; an arm, where all of its searches did."""
    ds = gathered.copy(deep=True)
    ds["critic_lr"][{"divergence": 0, "repeat": 0}] = 1e-3
    said = search_report.sentence(Searched.of(ds))
    one = "“{} search 1” tried one value only of critic.lr, others several"
    first = str(ds["divergence"].values[0])
    assert one.format(f"{first},") in said
    ds["critic_lr"][{"divergence": 0}] = 1e-3
    said = search_report.sentence(Searched.of(ds))
    assert f"; {first} tried one value only of critic.lr, others several" in said


@pytest.mark.slow
def test_every_number_of_repeated_searches_is_in_what_its_call_returns(
    gathered: xr.Dataset, tmp_path: Path
) -> None:
    with unrendered():
        page = build(gathered, {}, tmp_path / "report").read_text(encoding="utf-8")
    scope = {"searched": gathered, "ds": analysis.tuned(gathered), "analysis": analysis}
    names = [*gathered["divergence"].values.tolist(), *map(str, gathered.coords)]
    for text, call in sentences(page):
        assert unexplained(text, eval(call, scope), names) == [], f"{text}: {call}"
    assert "searched 4 times" in page
    assert "over 4 searches" in page
    assert "Paired within searches" in page
    assert "searchs" not in page
    assert "best setting" not in page
    methods = page.partition('<section id="methods">')[2]
    assert "Every arm has 4 searches of its own with 8 points each" in methods
    assert "none of the optimism of that choice" in methods
    assert "therefore optimistic" not in methods


def test_the_expected_best_of_k_points(gathered: xr.Dataset) -> None:
    """Against the mean over every choice of k of the points; and by the first k for learners."""
    told = analysis.point_scores(gathered).transpose("divergence", "repeat", "trial").values
    found = analysis.budget_curve(gathered)["best"].transpose("divergence", "trial").values
    for arm, own in enumerate(told):
        for k in (1, 3, 8):
            every = [[max(c) for c in itertools.combinations(row, k)] for row in own]
            assert found[arm, k - 1] == pytest.approx(float(np.mean(every)))
    learner = gathered.assign_attrs(sampler="tpe")
    curve = analysis.budget_curve(learner)
    running = np.maximum.accumulate(told, axis=-1)
    np.testing.assert_allclose(curve["best"].values, np.median(running, axis=1))
    np.testing.assert_allclose(curve["low"].values, running.min(axis=1))
    alone = analysis.budget_curve(learner.isel(repeat=0, drop=True))
    assert alone["best"].isnull().all()
    # That all searches reach the best value says little of the next one, at 1 of 8 points too.
    perfect = gathered.assign(modes_covered=xr.full_like(gathered["modes_covered"], 8.0))
    curve = analysis.budget_curve(perfect)
    np.testing.assert_allclose(curve["best"], 8.0)
    assert (curve["low"] < 6).all()
    hard = gathered.assign(violation=(analysis.point_scores(gathered) < 3).astype(float))
    behind = analysis.budget_curve(hard)["best"].isel(trial=-1)
    np.testing.assert_allclose(behind.values, found[:, -1])
