"""The dataset of a search, what the analysis says of it, and its report."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from matplotlib.colors import to_hex
from recomputed import sentences, unexplained
from searched import TEXT, bayes, made_up, peak, search
from tiny import write_study
from unrendered import unrendered

from ganstudy import analysis, open_run, plot
from ganstudy.analysis.remembered import remembering
from ganstudy.cli import main
from ganstudy.generators import sample
from ganstudy.report import build
from ganstudy.report.answer import answer
from ganstudy.report.colours import arm_colours
from ganstudy.report.findings import Findings
from ganstudy.report.searched import Searched
from ganstudy.report.sections.search import importances as importances_report
from ganstudy.report.sections.search import parallel
from ganstudy.report.sections.search import section as search_report
from ganstudy.report.sections.search.figures import draw_budget, draw_curve, draw_pareto
from ganstudy.report.sections.search.tables import best_table, front_table, point_table
from ganstudy.report.style import figure_style
from ganstudy.search.bayes import Bayes
from ganstudy.store import RunDirectory, RunError, gather
from ganstudy.study.space import Choice
from ganstudy.trial import Trial


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bayes, xr.Dataset]:
    """A pruned search of made-up records, gathered and read back."""
    folder = tmp_path_factory.mktemp("search")
    pruner = "search.bayes.pruner={name: successive_halving, factor: 2, first: 30}"
    own = bayes(folder, pruner, "seeds=3", "search.bayes.trials=20")
    directory = RunDirectory(folder / "run")
    directory.records.mkdir(parents=True)

    def status(trial: Trial[Any]) -> str:
        return "diverged" if trial.configuration.generator.lr > 0.05 else "complete"

    records = list(search(own, peak, status))
    for steps in {len(record.values["step"]) for record in records}:
        directory.write([record for record in records if len(record.values["step"]) == steps])
    (directory.study).write_text("question: made up\n")
    gather(directory, own)
    return own, open_run(directory.path).compute()


@pytest.mark.slow
def test_a_point_is_a_trial_with_its_seeds(gathered: tuple[Bayes, xr.Dataset]) -> None:
    """Dimensions, parameters as coordinates, empty where one took no part, ids and statuses."""
    own, ds = gathered
    assert ds["status"].dims == ("divergence", "trial", "seed")
    assert dict(ds.sizes)["trial"] == 20
    for arm in own.study.points:
        for number, point in enumerate(own.points(arm)):
            here = ds.isel(divergence=arm[0], trial=number)
            assert here["generator_lr"].item() == point.values["generator.lr"]
            assert here["critic_steps"].item() == point.values["critic.steps"]
            assert here["size"].item() == point.values["size"]
            bound = point.values.get("constraint.bound", math.nan)
            np.testing.assert_equal(here["constraint_bound"].item(), bound)
            ids = [trial.id for trial in point.trials[point.level]]
            assert here["trial_id"].to_numpy().tolist() == ids
            stopped = (here["status"] == "pruned").any().item()
            assert stopped <= (not point.last)
            seen = np.isfinite(here["modes_covered"].isel(seed=0).to_numpy())
            if (here["status"] == "pruned").all():
                assert ds["step"].to_numpy()[seen].max() == point.rungs[point.level]
    assert {"complete", "pruned"} <= set(ds["status"].to_numpy().ravel().tolist())
    assert ds["pareto"].sum("trial").min() >= 1
    json.dumps({k: v for k, v in ds.attrs.items() if k != "axes"}, default=list)


def test_best_by_budget(gathered: tuple[Bayes, xr.Dataset]) -> None:
    """Against a search by hand: the incumbent and the score held out. Seeds that chose it give it
    no interval: of the best of 40 equal points Student's held the mean in half of all cases."""
    _, ds = gathered
    found = analysis.best_by_budget(ds)
    score = analysis.trial_scores(ds)["score"].transpose("divergence", "trial", "seed").values
    told = analysis.point_scores(ds).transpose("divergence", "trial").values
    np.testing.assert_array_equal(told, score.mean(axis=-1))
    for arm, budget in np.ndindex(*told.shape):
        seen = told[arm, : budget + 1]
        here = found.isel(divergence=arm, trial=budget)
        if not np.isfinite(seen).any():
            assert here["incumbent"].item() == -1
            assert math.isnan(here["mean"].item())
            continue
        best = int(np.nanargmax(seen))
        assert here["incumbent"].item() == best
        assert here["mean"].item() == pytest.approx(score[arm, best].mean())
        held = []
        for seed in range(3):
            others = np.delete(score[arm, : budget + 1], seed, axis=1).mean(axis=1)
            others[~np.isfinite(seen)] = np.nan
            held.append(score[arm, int(np.nanargmax(others)), seed])
        assert here["held_out"].item() == pytest.approx(float(np.mean(held)))
    assert not {"low", "high"} & set(found)
    means = found["mean"].values
    assert all(np.all(np.diff(row[np.isfinite(row)]) >= 0) for row in means)


def test_tuned_arms_are_a_grid_study(gathered: tuple[Bayes, xr.Dataset]) -> None:
    """Every arm at its best point; the analyses of grids take it from there."""
    _, ds = gathered
    at_best = analysis.tuned(ds)
    assert at_best["status"].dims == ("divergence", "seed")
    ranked = analysis.rank_arms(at_best)
    last = analysis.best_by_budget(ds).isel(trial=-1)
    for arm in ds["divergence"].values:
        mean = ranked["mean"].sel(divergence=arm).item()
        assert mean == pytest.approx(last["mean"].sel(divergence=arm).item())
    assert "generator_lr" in at_best.coords


@pytest.mark.slow
def test_a_best_point_keeps_the_constraints(tmp_path: Path) -> None:
    """Best scores without the points that break one; an arm with no other stands at the least bad.

    Modes covered grow with the critic's rate; minimax may cover six at most, reverse_kl covers more
    everywhere.
    """
    bound = "search.bayes.constraints={mode_kl: {maximum: 0.5}}"
    own = bayes(tmp_path, bound, "search.bayes.sampler=random", "search.bayes.trials=20")
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)

    def rate(trial: Trial[Any]) -> float:
        return math.log10(trial.configuration.critic.lr)

    while parts := own.ask(1):
        trials = [trial for pack in parts for trial in pack]
        records = [made_up(trial, rate(trial) + 6) for trial in trials]
        for trial, record in zip(trials, records, strict=True):
            high = trial.configuration.divergence.name == "reverse_kl"
            record.values["mode_kl"][:] = 0.1 * (rate(trial) + 6) + (1 if high else 0.1)
        directory.write(records)
        own.tell(records)
    directory.study.write_text("question: made up\n")
    gather(directory, own)
    ds = open_run(directory.path).compute()
    assert ds.attrs["constraints"] == ["mode_kl ≤ 0.5"]
    told = analysis.point_scores(ds)
    allowed = ds["violation"] == 0
    assert allowed.sel(divergence="minimax").any()
    assert not allowed.sel(divergence="minimax").all()
    assert not allowed.sel(divergence="reverse_kl").any()
    found = analysis.best_by_budget(ds).isel(trial=-1)
    best = told.where(allowed).sel(divergence="minimax").max().item()
    assert best < told.sel(divergence="minimax").max().item()
    assert found["mean"].sel(divergence="minimax").item() == pytest.approx(best)
    assert found["incumbent"].sel(divergence="reverse_kl").item() == -1
    shown = analysis.trial_scores(analysis.tuned(ds))["score"].mean("seed")
    assert shown.sel(divergence="minimax").item() == pytest.approx(best)
    least = told.sel(divergence="reverse_kl").min().item()
    assert shown.sel(divergence="reverse_kl").item() == pytest.approx(least)
    searched = Searched.of(ds)
    kept = f"of points with mode_kl ≤ 0.5, which {int(allowed.sum())} of 40 do; "
    none = "no point of reverse_kl does, and it is shown at the one that fails least"
    said, scope = search_report.sentence(searched), {"searched": ds, "analysis": analysis}
    assert kept + none in said
    assert unexplained(said, eval(search_report.call(searched), scope), ["mode_kl ≤ 0.5"]) == []
    minimax, reverse_kl = (row.cells for row in best_table(searched).rows)
    assert "constraint" not in minimax[0]
    broken = int(np.argmin(told.sel(divergence="reverse_kl").values))
    assert reverse_kl[0] == f"trial {broken}, among 20, breaks a constraint"
    assert float(reverse_kl[1]) == pytest.approx(least, abs=0.01)
    assert all(reverse_kl[3:6])
    assert " to " not in "".join([*minimax, *reverse_kl])
    with unrendered():
        page = build(ds, {}, tmp_path / "report").read_text(encoding="utf-8")
    assert "among those with mode_kl ≤ 0.5; where there are none, that which comes nearest." in page
    none_keeps = Findings.of(ds.assign(violation=ds["violation"] + 1))
    with figure_style():
        budget = draw_budget(Findings.of(ds))
        assert "since no point keeps the constraints" in draw_budget(none_keeps).caption
    assert "crosses are those without mode_kl ≤ 0.5" in budget.caption
    points = budget.figure.axes[1].get_lines()
    crosses = sum(len(line.get_xdata()) for line in points if line.get_marker() == "x")
    assert crosses == int((~allowed).sum())
    lines = json.loads(str(parallel.embedded(searched)))["lines"]
    own = allowed.transpose("divergence", "trial").values
    assert [line["keeps"] for line in lines] == own.ravel().tolist()
    good = [line for line in lines if line["good"]]
    assert all(line["keeps"] for line in good)
    assert len(good) == math.ceil(own[0].sum() / 4)
    with figure_style():
        assert (
            "quarter of each search among its points that keep" in parallel.draw(searched).caption
        )


# So few points as are made up here leave a conditional parameter almost none of its own.
@pytest.mark.filterwarnings("ignore:Some regimes for parameter:UserWarning")
def test_points_on_the_front_are_listed(gathered: tuple[Bayes, xr.Dataset]) -> None:
    """All of them and no other, the best by the first objective on top, with their parameters."""
    _, ds = gathered
    searched = Searched.of(ds.assign_attrs(objectives=["modes_covered", "high_quality"]))
    table = front_table(searched)
    assert table is not None
    assert table.headings[:3] == ["trial", "modes covered", "share of high-quality samples"]
    told = analysis.point_scores(ds)
    for arm in ds["divergence"].values.tolist():
        own = [row.cells for row in table.rows if row.arm == arm]
        places = [int(cells[0].split(",")[0]) for cells in own]
        here = ds["pareto"].sel(divergence=arm).values
        assert sorted(places) == np.flatnonzero(here).tolist()
        scores = told.sel(divergence=arm).values[places]
        assert (np.diff(scores) <= 0).all()
        steps = ds["critic_steps"].sel(divergence=arm).values[places]
        assert [float(cells[5]) for cells in own] == steps.tolist()
    assert front_table(Searched.of(ds)) is None
    every = point_table(searched, "divergence")
    listed = [row for row in every.rows if row[every.headings.index("pareto")]]
    assert len(every.rows) == 40
    arms, places = np.nonzero(ds["pareto"].values)
    names = ds["divergence"].values[arms].tolist()
    expected = list(zip(names, ds["trial"].values[places].tolist(), strict=True))
    assert [(row[0], row[1]) for row in listed] == expected
    rates = [row[every.headings.index("generator.lr")] for row in every.rows]
    assert rates == ds["generator_lr"].values.ravel().tolist()


# So few points as are made up here leave a conditional parameter almost none of its own.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Some regimes for parameter:UserWarning")
def test_every_number_of_a_search_is_in_what_its_call_returns(
    gathered: tuple[Bayes, xr.Dataset], tmp_path: Path
) -> None:
    """No sentence is lost or given another's call, that on the search among them."""
    _, ds = gathered
    best = analysis.tuned(ds)
    with unrendered():
        page = build(ds, {}, tmp_path / "report").read_text(encoding="utf-8")
    found = list(sentences(page))
    assert len(found) == 3 + len(answer(Findings.of(best)).sentences)
    scope = {"searched": ds, "ds": best, "analysis": analysis}
    names = [*ds["divergence"].values.tolist(), *map(str, ds.coords)]
    for text, call in found:
        assert unexplained(text, eval(call, scope), names) == [], f"{text}: {call}"
    # Of one seed there is no score that another seed has chosen.
    with unrendered():
        alone = build(ds.isel(seed=[0]), {}, tmp_path / "alone").read_text(encoding="utf-8")
    assert "The held-out scores are not." in page
    assert "held-out scores are not" not in alone


@pytest.mark.slow
def test_a_space_that_is_used_up_leaves_nothing_missing(tmp_path: Path) -> None:
    """Two labels of one meaning: four points where six were asked for, and no place for more."""
    space = "{size: {a: {batch: 8}, b: {batch: 8}, c: {batch: 16}}, critic.width: [4, 8]}"
    text = (
        TEXT[: TEXT.index("    space:")]
        + f"    space: {space}\n"
        + TEXT[TEXT.index("    trials:") :]
    )
    ds = scored_by(tmp_path, peak, "search.bayes.trials=6", text=text)
    assert set(ds["status"].values[:, :4].flat) == {"complete"}
    assert set(ds["status"].values[:, 4:].flat) == {"excluded"}
    curve = analysis.budget_curve(ds)["best"].transpose("divergence", "trial")
    best = analysis.point_scores(ds).transpose("divergence", "trial").values[:, :4].max(axis=1)
    np.testing.assert_allclose(curve.values[:, 3], best)
    assert np.isnan(curve.values[:, 4:]).all()
    with unrendered():
        page = build(ds, {}, tmp_path / "report").read_text(encoding="utf-8")
    assert "not finished" not in page
    assert "best of its 4 points, as random search found it; all arms had this budget" in page
    assert {row.cells[0].split()[-1] for row in best_table(Searched.of(ds)).rows} == {"4"}
    ds["status"][{"divergence": 0, "trial": 3}] = "excluded"
    fewer = Searched.of(ds)
    said, scope = search_report.sentence(fewer), {"searched": ds, "analysis": analysis}
    assert "its 3 to 4 points, as random search found it; the budget is 6 for all arms" in said
    assert unexplained(said, eval(search_report.call(fewer), scope), []) == []
    assert len(point_table(fewer, "divergence").rows) == 7
    with figure_style():
        alt = draw_curve(Findings.of(ds)).alt
    assert "best of 3 to 4 points" in alt
    assert "–" not in alt
    ds["status"][{"divergence": 0}] = "excluded"
    said = search_report.sentence(Searched.of(ds))
    assert "best of its 4 points, as random search found it; all arms had this budget" in said


def test_a_sampler_of_another_version_is_told_by_its_name(
    gathered: tuple[Bayes, xr.Dataset],
) -> None:
    """It was a `KeyError` in place of the page's first sentence."""
    ds = gathered[1].assign_attrs(sampler="nsga", startup=0)
    assert "points, as nsga found it" in search_report.sentence(Searched.of(ds))


def test_a_budget_that_was_spent_at_one_value_is_told(
    gathered: tuple[Bayes, xr.Dataset],
) -> None:
    """As where a parameter has come with a new arm: old points have what was fixed before."""
    ds = gathered[1].copy(deep=True)
    for name, fixed in {"generator_lr": 1e-3, "size": "small", "constraint_bound": 0.1}.items():
        ds[name][{"divergence": 1}] = fixed
    ds["constraint_bound"][{"divergence": 1, "trial": 3}] = math.nan  # it takes no part there
    ds["critic_lr"][:] = 1e-3
    said = search_report.sentence(Searched.of(ds))
    told = "; reverse_kl tried one value only of generator.lr and size, others several"
    assert f"all arms had this budget{told}" in said
    assert said.count("one value") == 1


def test_points_of_the_same_scores_tie(tmp_path: Path) -> None:
    """In whatever order their seeds have them: the first is best, on the page as in the search."""
    ds = scored_by(tmp_path, peak, "seeds=3", "search.grid.divergence=[minimax]")
    scores = np.full((1, 12, 3, ds.sizes["step"]), 0.05)
    scores[0, 4, :] = np.array([0.3, 0.2, 0.1])[:, None]
    scores[0, 7, :] = np.array([0.1, 0.2, 0.3])[:, None]
    ds["modes_covered"] = ds["modes_covered"].astype(float).copy(data=scores)
    told = analysis.point_scores(ds).values.ravel()
    assert told[4] == told[7] == told.max()
    assert analysis.best_by_budget(ds)["incumbent"].values[0, -1] == 4


@pytest.mark.slow
def test_a_point_that_could_not_be_measured_is_not_shown_as_best(tmp_path: Path) -> None:
    """In whatever is sought, as the search has it, which does not choose such a point."""
    two = "search.bayes.objective={maximize: [modes_covered, high_quality]}"
    ds = scored_by(tmp_path, peak, two)
    order = np.argsort(-analysis.point_scores(ds).values[0], kind="stable")
    assert analysis.best_by_budget(ds)["incumbent"].values[0, -1] == order[0]
    ds["high_quality"][{"divergence": 0, "trial": order[0], "seed": 1}] = np.nan
    assert analysis.best_by_budget(ds)["incumbent"].values[0, -1] == order[1]
    best = analysis.point_scores(ds).values[0, order[1]]
    assert analysis.budget_curve(ds)["best"].values[0, -1] == pytest.approx(best)
    # Nor where none keeps the constraints, and those that break them as much are told apart.
    ds["violation"] = xr.ones_like(analysis.point_scores(ds))
    shown = analysis.trial_scores(analysis.tuned(ds))["score"].values[0]
    np.testing.assert_array_equal(shown, analysis.trial_scores(ds)["score"].values[0, order[1]])


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_front_says_what_its_points_are(tmp_path: Path, statistic: str) -> None:
    two = "search.bayes.objective={maximize: [modes_covered, high_quality]}"
    ds = scored_by(tmp_path, peak, two, f"search.bayes.statistic={statistic}")
    with figure_style():
        assert f"the {statistic} over seeds" in draw_pareto(Searched.of(ds)).caption


@pytest.mark.slow
@pytest.mark.parametrize(("startup", "who"), [(12, "random search"), (11, "a tree-structured")])
def test_points_that_no_sampler_chose_are_told_as_random(
    tmp_path: Path, startup: int, who: str
) -> None:
    """All of them at random: any order is as likely, and there is a curve of a single search."""
    options = ("search.bayes.sampler=tpe", f"search.bayes.startup={startup}")
    ds = scored_by(tmp_path, peak, *options)
    said, by_chance = search_report.sentence(Searched.of(ds)), who == "random search"
    assert f"as {who}" in said
    assert ("found it, which draws the first at random" in said) != by_chance
    assert analysis.budget_curve(ds).attrs["by_chance"] == by_chance
    assert np.isfinite(analysis.budget_curve(ds)["best"]).all().item() == by_chance
    write_study(tmp_path, TEXT)
    found = CliRunner().invoke(main, ["check", str(tmp_path / "tiny.yaml"), *options])
    assert ("tpe learns nothing: all 12 points are drawn at random" in found.output) == by_chance


def test_a_pruned_search_is_one_draw_whatever_drew_its_points(
    gathered: tuple[Bayes, xr.Dataset],
) -> None:
    """Which of them are trained to the end, the others decide: an average over every choice of k of
    the best quarter promised of one point what a search of one does not find."""
    ds = gathered[1].assign_attrs(sampler="random")
    curve = analysis.budget_curve(ds)
    assert curve["best"].isnull().all()
    assert not curve.attrs["by_chance"]
    told = analysis.point_scores(ds).transpose("divergence", "trial").values
    best = np.maximum.accumulate(np.where(np.isfinite(told), told, -np.inf), axis=1)
    found = analysis.values_by_budget(ds)["told"].isel(repeat=0).transpose("divergence", "trial")
    np.testing.assert_array_equal(found, np.where(best > -np.inf, best, np.nan))
    with figure_style():
        caption = draw_budget(Findings.of(ds)).caption
    assert "against the budget: beside a pruner, one search is one draw" in caption


def test_a_pruned_point_keeps_no_constraint(gathered: tuple[Bayes, xr.Dataset]) -> None:
    """It would be counted by what it had when it was stopped, and is never shown."""
    ds, bound = gathered[1], "high_quality ≥ 0.8"
    pruned = (ds["status"] == "pruned").any("seed")
    violation = xr.where(pruned, 0.0, 0.3)
    ds = ds.assign(violation=violation).assign_attrs(constraints=[bound], sampler="random")
    searched = Searched.of(ds)
    said, scope = search_report.sentence(searched), {"searched": ds, "analysis": analysis}
    count = int((~pruned).sum())
    assert 0 < count < 40
    assert f"with {bound}, which 0 of {count} trained to the end do; no point of minimax" in said
    assert unexplained(said, eval(search_report.call(searched), scope), [bound]) == []
    with figure_style():
        caption = draw_budget(Findings.of(ds)).caption
    assert "since no point trained to the end keeps the constraints" in caption


def test_a_sample_is_of_a_point_that_may_be_chosen(tmp_path: Path) -> None:
    """Modes grow with the rate, beyond which quality is lost."""
    options = ("sampler=random", "constraints={high_quality: {minimum: 0.8}}")
    named = [f"search.bayes.{own}" for own in options]
    own = bayes(tmp_path, *named, "search.grid.divergence=[minimax]")

    def rate(trial: Trial[Any]) -> float:
        return math.log10(trial.configuration.generator.lr)

    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    kept = {}
    while parts := own.ask(1):
        for trial in (trial for pack in parts for trial in pack):
            score = rate(trial) + 6 + 0.01 * trial.seed
            record = made_up(trial, score)
            record.values["high_quality"][:] = 0.9 if rate(trial) < -3 else 0.5
            if rate(trial) < -3:
                kept[trial.id] = score
            directory.write([record])
            own.tell([record])
    assert 0 < len(kept) < 24
    directory.write_study(own)
    gather(directory, own)
    best = max(kept, key=lambda trial: kept[trial])
    with pytest.raises(RunError, match=f"trial {best} keeps no generator"):
        sample(directory.path)


@pytest.mark.slow
def test_points_that_could_not_be_measured_are_not_among_the_best(tmp_path: Path) -> None:
    """As to importances and lines; and where there is no other, the page says so."""
    two = "search.bayes.objective={maximize: [modes_covered, high_quality]}"
    options = (two, "search.grid.divergence=[minimax]", "search.bayes.trials=20")
    ds = scored_by(tmp_path, peak, *options)
    order = np.argsort(-analysis.point_scores(ds).values[0], kind="stable")
    ds["high_quality"][{"divergence": 0, "trial": order[:5]}] = np.nan
    modes = ds["modes_covered"].where(~ds["trial"].isin(order[:5])).assign_attrs
    without = ds.assign(modes_covered=modes(ds["modes_covered"].attrs))
    shares = (analysis.importances(own)["share"] for own in (ds, without))
    np.testing.assert_array_equal(*shares)
    lines = json.loads(str(parallel.embedded(Searched.of(ds))))["lines"]
    assert {line["trial"] for line in lines if line["good"]} == {*order[5:9].tolist()}
    assert {line["trial"] for line in lines if not line["keeps"]} == {*order[:5].tolist()}
    ds["high_quality"][:] = np.nan
    searched = Searched.of(ds)
    none = "no point of minimax could be measured in all that is sought, and it is shown at its"
    assert f"{none} first. " in search_report.sentence(searched)
    assert [row.cells for row in best_table(searched).rows] == [[]]
    with figure_style():
        caption = draw_budget(Findings.of(ds)).caption
        assert parallel.draw(searched).alt.count("Over the best quarter of the points: none.") == 1
    assert "since no arm has a point that may be chosen" in caption


def test_a_point_that_diverged_is_beaten_by_any_other(tmp_path: Path) -> None:
    """Where its value is no number, samplers are told the worst known, which it then tied with."""
    two = "search.bayes.objective={minimize: [sliced_wasserstein, mode_kl]}"
    metrics = "trial.record.metrics=[sliced_wasserstein, mode_kl]"
    one = (metrics, "search.grid.divergence=[minimax]", "search.bayes.sampler=random", "seeds=1")
    own = bayes(tmp_path, two, *one)
    order: dict[str, int] = {}

    def status(trial: Trial[Any]) -> str:
        return "complete" if order.setdefault(trial.id, len(order)) == 3 else "diverged"

    list(search(own, peak, status))
    points = own.points((0,))
    assert len(points) == 12
    assert own.outcomes.front(points) == [points[3]]


def scored_by(
    tmp_path: Path, score: Callable[[Trial[Any]], float], *overrides: str, text: str = TEXT
) -> xr.Dataset:
    """The dataset of a search by random points, with these scores."""
    own = bayes(tmp_path, "search.bayes.sampler=random", *overrides, text=text)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(list(search(own, score)))
    return gather(directory, own)


@pytest.mark.slow
def test_importances_find_what_matters(tmp_path: Path) -> None:
    """One learning rate decides the score, the rest nothing: it has most of the importance."""

    def rate(trial: Trial[Any]) -> float:
        return 8 - 2 * abs(math.log10(trial.configuration.critic.lr) + 3)

    searched = Searched.of(scored_by(tmp_path, rate, "search.bayes.trials=60"))
    found = searched.importances
    assert found["share"].sum("parameter").values == pytest.approx(1.0)
    assert (found["share"].sel(parameter="critic_lr") > 0.6).all()
    assert (found["p"].sel(parameter="critic_lr") == pytest.approx(1 / 60)).all()
    said = str(importances_report.sentence(searched))
    assert said.count("critic.lr") == 2
    assert "generator.lr" not in said
    with figure_style():
        assert "or ties" not in importances_report.draw(searched).caption
    own = searched.ds["modes_covered"]
    tied = own.where(own["divergence"] != "reverse_kl", 4.0).assign_attrs(own.attrs)
    with figure_style():
        one = importances_report.draw(Searched.of(searched.ds.assign(modes_covered=tied)))
    assert " reverse_kl: too few points, or ties." in one.caption


@pytest.mark.slow
def test_settings_of_one_arm_are_told_apart(tmp_path: Path) -> None:
    """By markers, strokes and hatches, of which each figure has a legend; arms by their colours."""

    def rate(trial: Trial[Any]) -> float:
        return 8 - 2 * abs(math.log10(trial.configuration.critic.lr) + 3)

    axes = "search.grid={divergence: [minimax, reverse_kl], generator.width: [4, 8]}"
    ds = scored_by(tmp_path, rate, axes, "search.bayes.trials=40")
    ds = ds.assign_attrs(objectives=["modes_covered", "high_quality"])
    with figure_style():
        drawings = search_report.SearchSection(Findings.of(ds)).drawings()
    drawn = {own.name: own.figure for own in drawings}

    def lines(name: str) -> list[Any]:
        own = drawn[name].axes[0].get_lines()
        return [(x.get_color(), x.get_marker()) for x in own if x.get_linestyle() == "-"]

    strokes = drawn["parallel_coordinates"].axes[0].collections[::2]
    bars = [own[0] for own in drawn["importances"].axes[0].containers]
    looks = {
        "budget": lines("budget"),
        "importances": [(to_hex(own.get_facecolor()), own.get_hatch()) for own in bars],
        "parallel_coordinates": [
            (to_hex(own.get_color()[0]), str(own.get_linestyle())) for own in strokes
        ],
        "pareto": lines("pareto"),
    }
    named = ["minimax", "reverse_kl", "generator_width 4", "generator_width 8"]
    for name, own in looks.items():
        assert [colour for colour, _ in own] == [c for c in arm_colours(2) for _ in range(2)]
        assert (len(set(own)), len({apart for _, apart in own})) == (4, 2), name
        ax = getattr(plot, name)(ds, ax=plt.figure().subplots())
        for legend in (drawn[name].legends[0], ax.get_legend()):
            assert [text.get_text() for text in legend.get_texts()] == named
    plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, 9])
def test_captions_say_where_looks_of_settings_repeat(tmp_path: Path, count: int) -> None:
    widths = [*range(4, 4 + count)]
    axes = f"search.grid={{divergence: [minimax, reverse_kl], generator.width: {widths}}}"
    ds = scored_by(tmp_path, peak, axes, "search.bayes.trials=4", "seeds=1")
    ds = ds.assign_attrs(objectives=["modes_covered", "high_quality"])
    found = Searched.of(ds)
    for own in (found.markers, found.hatches, [str(x["linestyle"]) for x in found.lines]):
        assert (len(own), len(set(own))) == (2 * count, 8)
    with figure_style():
        drawings = search_report.SearchSection(Findings.of(ds)).drawings()
        drawings = [*drawings, draw_curve(Findings.of(ds))]
    said = "Of 9 settings those look alike that are 8 apart in the legend."
    assert len(drawings) > 3
    assert [said in own.caption for own in drawings] == [count == 9] * len(drawings)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 2])
def test_a_caption_says_what_each_dotted_line_is(tmp_path: Path, seeds: int) -> None:
    """Of one seed no other chooses a point, and the one that is dotted is the perfect score."""
    findings = Findings.of(scored_by(tmp_path, peak, f"seeds={seeds}"))
    with figure_style():
        captions = [own(findings).caption for own in (draw_budget, draw_curve)]
    for said in captions:
        assert said.endswith(
            ". Dotted line and grey band: a perfect generator, measured like these."
        )
        assert ("Coloured, dotted: each seed" in said) == (seeds == 2)


NUMBERS = (
    TEXT[: TEXT.index("      generator.lr")]
    + """\
      critic.lr: [0.25, 1, 2]
      generator.lr: {low: 0.1, high: 0.2}
      critic.steps: [2]
      constraint: [none, clip]
      constraint.bound: {values: [0.5, 1.0], when: {constraint: clip}}
    trials: 40
    sampler: random
    objective: {maximize: modes_covered}
seeds: 1
"""
)


# So few points leave a conditional parameter almost none of its own.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Some regimes for parameter:UserWarning")
def test_lists_of_numbers_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Stored as floats, whole ones among them, NaN where one took no part; and a list of one."""

    def middle(trial: Trial[Any]) -> float:
        own = trial.configuration
        return (own.critic.lr == 1) * 4 + math.sin(trial.seed * 1e6 * own.generator.lr) ** 2

    own = bayes(tmp_path, text=NUMBERS)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(list(search(own, middle)))
    (directory.study).write_text("question: made up\n")
    gather(directory, own)
    # Which makes arrays of lists of numbers, and of a list of one none.
    open_run(directory.path).to_netcdf(tmp_path / "run.nc")
    ds = xr.load_dataset(tmp_path / "run.nc")
    labels = {p.dimension: p.labels for p in analysis.parameters_of(ds) if isinstance(p, Choice)}
    assert labels["critic_lr"] == (0.25, 1, 2)
    assert labels["critic_steps"] == (2,)
    assert ds["constraint_bound"].isnull().any()
    share = analysis.importances(ds)["share"].isel(study=0)
    assert share.sel(parameter="critic_lr").item() > 0.8
    told = json.loads(str(parallel.embedded(Searched.of(ds))))
    assert [label for _, label in told["axes"][0]["ticks"]] == ["0.25", "1", "2"]
    texts = [line["texts"] for line in told["lines"]]
    assert {own[4] for own in texts if own[3] == "none"} == {"–"}
    assert {own[4] for own in texts if own[3] == "clip"} == {"0.5", "1"}


@pytest.mark.slow
def test_importances_of_noise_are_not_shown(tmp_path: Path) -> None:
    """Pure noise has a large importance somewhere, and no figure or finding."""

    def noise(trial: Trial[Any]) -> float:
        return float(np.random.default_rng([trial.seed, int(trial.id, 16)]).uniform(0, 8))

    searched = Searched.of(scored_by(tmp_path, noise, "search.bayes.trials=40"))
    scope = {"searched": searched.ds, "analysis": analysis}
    with remembering():
        assert searched.importances["share"].max() > 0.35
        assert not importances_report.exceeds(searched)
        said = importances_report.sentence(searched)
        assert said is not None
        assert "No parameter decides more than chance explains" in said
        assert unexplained(said, eval(importances_report.CALL, scope), []) == []


@pytest.mark.slow
def test_the_walk_of_a_search(tmp_path: Path) -> None:
    """Run, cut short, continued and grown, by the command line; page, plan, status and storage."""
    text = TEXT.replace("trials: 12", "trials: 3").replace("steps: 90", "steps: 4")
    text = text.replace("every: 10", "every: 2").replace("samples: 16", "samples: 32")
    study, out = write_study(tmp_path, text), tmp_path / "run"
    runner = CliRunner()
    command = ["run", str(study), "--out", str(out), "--workers", "1", "--json"]
    with unrendered():
        first = runner.invoke(main, command)
        assert first.exit_code == 0, first.output
        assert json.loads(first.stdout)["status"] == {"complete": 12}
        for path in sorted((out / "records").glob("*.nc"))[:1]:
            path.unlink()
        status = json.loads(runner.invoke(main, ["status", str(out), "--json"]).stdout)["status"]
        assert 0 < status["missing"] < 12
        with trained_inline():
            again = json.loads(runner.invoke(main, command).stdout)
            assert (again["trained"], again["status"]) == (status["missing"], {"complete": 12})
            grown = json.loads(runner.invoke(main, [*command, "search.bayes.trials=4"]).stdout)
            assert (grown["trained"], grown["status"]) == (4, {"complete": 16})
    ds = open_run(out)
    assert dict(ds.sizes)["trial"] == 4
    assert (out / "search.db").is_file()
    page = (out / "report" / "index.html").read_text(encoding="utf-8")
    assert "What the search found" in page
    assert "Where is the optimum?" in page
    plan = runner.invoke(main, ["plan", str(study), "--out", str(out), "--workers", "1", "--json"])
    assert json.loads(plan.stdout)["recorded"] == 12


@pytest.mark.slow
@pytest.mark.parametrize("repeated", [(), ("search.bayes.repeats=2", "search.bayes.fresh=2")])
@pytest.mark.parametrize("pruner", ["successive_halving", "hyperband"])
def test_a_pruned_search_knows_its_own_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, pruner: str, repeated: tuple[str, ...]
) -> None:
    """Those of a point at earlier rungs were called records of trials that it does not plan."""
    rungs = f"search.bayes.pruner={{name: {pruner}, factor: 3, first: 10}}"
    own = bayes(tmp_path, rungs, "search.bayes.trials=9", *repeated)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    records = list(search(own))
    for steps in {len(record.values["step"]) for record in records}:
        directory.write([record for record in records if len(record.values["step"]) == steps])
    directory.write_study(own)
    assert len(records) > len(own.trials)
    for verb in (["status", str(directory.path)], ["plan", str(directory.study)]):
        result = CliRunner().invoke(main, verb)
        assert result.exit_code == 0, result.output
    assert "does not plan" not in caplog.text
