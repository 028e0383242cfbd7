"""Seeds until a question is settled: who gets them, from records alone, and what can be changed."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from recomputed import sentences, unexplained
from searched import made_up
from tiny import write_study
from unrendered import undrawn, unrendered

from ganstudy import analysis, open_run
from ganstudy.cli import main
from ganstudy.report import accounted, build
from ganstudy.report.findings import Findings
from ganstudy.report.sections import ranking, settings
from ganstudy.report.sections.curves import training
from ganstudy.report.sections.settled import draw as draw_evidence
from ganstudy.report.sections.settled import sentences as pairs_told
from ganstudy.report.style import figure_style
from ganstudy.search import search_of
from ganstudy.search.settled import Settled, words
from ganstudy.store import RunDirectory, RunError, gather
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial

TEXT = """\
question: Is one of them better?
trial:
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 20
  batch: 8
  record: {every: 10, samples: 10, metrics: [sliced_wasserstein, modes_covered]}
search:
  grid:
    divergence: [minimax, non_saturating, reverse_kl]
    critic.steps: [1, 2]
seeds: {until: settled, start: 4, max: 20}
"""

Score = Callable[[Trial[Any]], float]
FIRST = 0
"""The first seed of a study."""


def ahead(trial: Trial[Any]) -> float:
    """Of a metric that is better lower: reverse_kl far behind, the other two alike."""
    key = [trial.seed, trial.configuration.critic.steps, len(trial.configuration.divergence.name)]
    noise = np.random.default_rng(key).normal()
    return 8.0 + noise + 6.0 * (trial.configuration.divergence.name == "reverse_kl")


def settled_search(folder: Path, *overrides: str, text: str = TEXT) -> Settled:
    own = search_of(load(write_study(folder, text), overrides))
    assert isinstance(own, Settled)
    return own


def finish(own: Settled, score: Score = ahead, status: Callable[[Trial[Any]], str] | None = None):  # type: ignore[no-untyped-def]
    """Ask and tell, a pack at a time, until there are no more questions."""
    told: list[Record] = []
    while parts := own.ask(2):
        for pack in parts:
            records = [made_up(t, score(t), status(t) if status else "complete") for t in pack]
            own.tell(records)
            told += records
    return told


def test_seeds_are_added_for_arms_that_are_not_told_apart(tmp_path: Path) -> None:
    """All settings of an arm, both open arms to the end, the third for as long as it took."""
    own = settled_search(tmp_path)
    assert own.counts() == {"missing": 3 * 2 * 4}
    records = finish(own)
    seeds = own.played.seeds.tolist()
    assert seeds[:2] == [20, 20]
    assert 4 < seeds[2] < 20
    assert own.counts() == {"complete": 2 * sum(seeds)}
    assert len({record.id for record in records}) == len(records) == 2 * sum(seeds)
    said = own.sentences()
    assert said[0].startswith("open after 20 seeds of at most 20; leader: ")
    assert any("told apart" in line and "reverse_kl" in line for line in said)
    assert any("evidence" in line and "of 20 after 20 seeds" in line for line in said)


def test_packs_hold_seeds_of_several_arms(tmp_path: Path) -> None:
    own = settled_search(tmp_path)
    parts = own.ask(2)
    assert sum(map(len, parts)) == 24
    # Two numbers of D-steps are two shapes.
    assert len(parts) <= 4
    assert all(len({t.configuration.divergence.name for t in pack}) == 3 for pack in parts)
    assert own.ask(2) == []


def test_records_alone_decide(tmp_path: Path) -> None:
    """Killed anywhere, told in any order, or with more recorded than was asked: the same."""
    whole = settled_search(tmp_path)
    records = finish(whole)
    rng = np.random.default_rng(0)
    for told in (0, 10, 60, len(records)):
        again = settled_search(tmp_path)
        again.tell([records[i] for i in rng.permutation(told)])
        rest = finish(again)
        assert len(rest) == len(records) - told
        assert again.played.seeds.tolist() == whole.played.seeds.tolist()
    grid = search_of(load(write_study(tmp_path, TEXT), ["seeds=20"]))
    every = [made_up(t, ahead(t)) for t in grid.trials.values()]
    more = settled_search(tmp_path)
    more.tell(every)
    assert more.ask(2) == []
    assert more.played.seeds.tolist() == whole.played.seeds.tolist()


def test_a_larger_number_goes_on(tmp_path: Path) -> None:
    few = settled_search(tmp_path, "seeds.max=8")
    records = finish(few)
    assert few.played.seeds.max() == 8
    more = settled_search(tmp_path)
    more.tell(records)
    added = finish(more)
    whole = settled_search(tmp_path)
    assert {r.id for r in [*records, *added]} == {r.id for r in finish(whole)}
    assert not {r.id for r in records} & {r.id for r in added}


def test_equal_arms_end_it(tmp_path: Path) -> None:
    own = settled_search(tmp_path, "seeds.equal_within=3.0")
    finish(own)
    assert own.played.standing is not None
    assert own.played.standing.settled
    assert own.played.seeds.max() < 20
    assert any("equal to within 3" in line for line in own.sentences())


def turning(trial: Trial[Any]) -> float:
    """Of three arms two alike; the third is behind them on ten seeds, and ahead on the next ten."""
    name, place = trial.configuration.divergence.name, trial.seed - FIRST
    if name != "reverse_kl":
        return 8.0 + 0.01 * (name == "non_saturating")
    return 8.0 + (2.5 if place % 2 == 0 else -2.5) + (0.6 if place < 10 else -1.5)


def test_an_arm_that_is_ahead_of_the_leader_is_not_told_as_behind(tmp_path: Path) -> None:
    """The leader is that over the seeds of all; an arm that goes on may come to be ahead of it."""
    own = settled_search(tmp_path, "seeds.equal_within=1.0")
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own, turning))
    ds = gather(directory, own)
    found = analysis.settlement(ds)
    assert found.attrs["leader"] == "minimax"
    assert found["seeds"].values[1] < found["seeds"].values[2] == 20
    assert float(found["difference"].isel(divergence=0, other=2)) == pytest.approx(0.45)
    _, behind, ahead_of = (re.sub("<.*?>", "", s.text) for s in pairs_told(Findings.of(ds)))
    assert "reverse_kl by" not in behind
    assert ahead_of.startswith("Ahead of minimax, paired within seeds: reverse_kl by 0.45, open")


def test_failed_and_diverged_trials(tmp_path: Path) -> None:
    """A failed trial leaves its pair out; one that diverged counts as worse than any number."""

    def status(trial: Trial[Any]) -> str:
        name, odd = trial.configuration.divergence.name, trial.seed % 3 == 0
        if name == "minimax" and odd and trial.configuration.critic.steps == 1:
            return "diverged"
        return "failed" if name == "non_saturating" and trial.seed == 2 else "complete"

    own = settled_search(tmp_path)
    finish(own, status=status)
    differences = own.contest.differences[0]
    assert (differences[::3] == -math.inf).all()
    # Of the failed trials' seed nothing is left: both settings lack the arm.
    assert math.isnan(differences[2])
    assert np.isfinite(differences[1])
    standing = own.played.standing
    assert standing is not None
    assert standing.leader == 1
    assert own.counts()["failed"] == 2


def test_scores_are_those_of_the_analysis(tmp_path: Path) -> None:
    from ganstudy.analysis import trial_scores

    def status(trial: Trial[Any]) -> str:
        return ("complete", "diverged", "failed")[(trial.seed // 2) % 3]

    for metric, worst in (("sliced_wasserstein", -math.inf), ("modes_covered", 0.0)):
        own = settled_search(tmp_path, f"score={metric}", "seeds.max=6", "seeds.start=6")
        directory = RunDirectory(tmp_path / metric)
        directory.records.mkdir(parents=True)
        records = finish(own, status=status)
        directory.write(records)
        ds = gather(directory, own)
        scores = trial_scores(ds)
        sign = -1.0 if metric == "sliced_wasserstein" else 1.0
        for place, trial in own.trials.items():
            here = {dim: place[i] for i, dim in enumerate(ds["status"].dims)}
            told = own.board.scores[trial.id]
            assert math.isnan(told) == (status(trial) == "failed")
            if status(trial) == "diverged":
                assert told == worst
                assert bool(scores["unbounded"].isel(here)) == math.isinf(worst)
            elif status(trial) == "complete":
                assert told == sign * scores["score"].isel(here).item()


@pytest.mark.slow
def test_trials_are_charged_by_their_own_target_in_the_run_and_on_the_page(tmp_path: Path) -> None:
    """Every third diverges: the worst `mode_kl` is log 4 on one target, and log 8 on the other."""

    def status(trial: Trial[Any]) -> str:
        minimax = trial.configuration.divergence.name == "minimax"
        return "diverged" if minimax and trial.seed % 3 == 0 else "complete"

    def score(trial: Trial[Any]) -> float:
        key = [trial.seed, len(trial.configuration.divergence.name)]
        return float(np.random.default_rng(key).uniform(1, 1.5))

    text = TEXT.replace("critic.steps: [1, 2]", "target.modes: [4, 8]")
    text = text.replace("[sliced_wasserstein, modes_covered]", "[mode_kl, modes_covered]")
    own = settled_search(tmp_path, text=text)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own, score, status))
    directory.study.write_text(text)
    gather(directory, own)
    ds = open_run(directory.path)
    scores = analysis.trial_scores(ds)["score"]
    for place, trial in own.trials.items():
        here = {dim: place[i] for i, dim in enumerate(ds["status"].dims)}
        assert own.board.scores[trial.id] == -float(scores.isel(here))
    found, standing = analysis.settlement(ds), own.played.standing
    assert standing is not None
    assert (found["better"].values[np.triu_indices(3, 1)] == standing.better).all()
    difference = -own.contest.differences[0, : int(own.played.seeds.min())].mean()
    assert float(found["difference"][0, 1]) == pytest.approx(difference)
    four = analysis.trial_scores(ds.isel(target_modes=0))
    assert float(four["score"].where(four["charged"]).max()) == pytest.approx(math.log(4))
    curves = analysis.charged_curves(ds.assign(diverged_at=ds["diverged_at"].fillna(10)))
    assert curves.isel(divergence=0, seed=0, step=-1).values.tolist() == pytest.approx(
        [math.log(4), math.log(8)]
    )
    collapsed = analysis.stability(ds)["trial_collapsed"].where(scores.notnull(), 0)
    assert (collapsed == (scores > np.log([4, 8])[:, None] / 2)).all()
    told = accounted.diverged(Findings.of(ds))
    assert told.endswith("each counts with the worst value, 1.39 to 2.08 by target.")
    mixed = ds.assign(mode_kl_worst=ds["mode_kl_worst"].where(ds["target_modes"] == 4))
    mixed["mode_kl"].attrs = ds["mode_kl"].attrs | {"bounds": (0, math.inf)}
    findings = Findings.of(mixed)
    assert accounted.diverged(findings).endswith(
        "the worst value, 1.39, on 1 of 2 targets; on others they are in no average, and last in "
        "the order."
    )
    with figure_style():
        curves = training.draw_score(findings).caption
        cells = settings.draw(findings).caption
    assert "from its divergence on, or leaves the mean at its divergence where its" in curves
    assert "which score the worst value, where their target has one." in cells
    with undrawn():
        said = build(mixed, {}, tmp_path / "page").read_text(encoding="utf-8")
    assert "scores the worst value, 1.39, on 1 of 2 targets" in said
    assert "has no finite worst value on other targets, so that" in said


def test_the_dataset_has_what_was_needed(tmp_path: Path) -> None:
    own = settled_search(tmp_path)
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.write(finish(own))
    directory.study.write_text(TEXT)
    gather(directory, own)
    ds = open_run(directory.path)
    assert dict(ds.sizes)["seed"] == 20
    status = ds["status"].sel(divergence="reverse_kl")
    had = int(own.played.seeds[2])
    assert (status.isel(seed=slice(0, had)) == "complete").all()
    assert (status.isel(seed=slice(had, None)) == "excluded").all()
    rules = json.loads(ds.attrs["settled_by"])
    assert rules == {
        "start": 4,
        "most": 20,
        "step": 1,
        "equal_within": None,
        "method": "e_process",
    }


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("{until: settled, max: 3}", 12, "fewer than the 5 seeds to start with"),
        ("{until: settle}", 12, "unknown name 'settle'; did you mean 'settled'?"),
        ("{until: settled, strat: 4}", 12, "no such key; did you mean 'start'?"),
        ("{until: settled, method: group_sequentail}", 12, "did you mean 'group_sequential'?"),
        ("{until: settled, method: group_sequential, step: 2}", 12, "looks of its own"),
        ("{until: settled, equal_within: -1}", 12, "equal_within"),
        ("{start: 4}", 12, "this key is required"),
        ("many", 12, "a number of seeds"),
    ],
)
def test_mistakes_have_a_line(tmp_path: Path, written: str, line: int, said: str) -> None:
    text = TEXT.replace("{until: settled, start: 4, max: 20}", written)
    with pytest.raises(StudyError) as caught:
        load(write_study(tmp_path, text))
    assert said in str(caught.value)
    assert f":{line}:" in str(caught.value)


def test_there_must_be_something_to_settle(tmp_path: Path) -> None:
    grid = TEXT[TEXT.index("  grid:") : TEXT.index("seeds:")]
    alone = TEXT.replace(grid, "  grid: {divergence: [minimax]}\n")
    with pytest.raises(StudyError, match="one arm"):
        load(write_study(tmp_path, alone))
    first, second = (
        "{divergence: minimax, critic.steps: 1}",
        "{divergence: reverse_kl, critic.steps: 2}",
    )
    apart = f"search.exclude=[{first}, {second}]"
    with pytest.raises(StudyError, match="no setting is left that all arms have"):
        load(write_study(tmp_path, TEXT), [apart])


def test_rules_that_scores_have_been_seen_under_stay(tmp_path: Path) -> None:
    """Refused in words: another method, another margin, a larger number where it is spent."""
    group = TEXT.replace("max: 20", "max: 20, method: group_sequential")
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.study.write_text(group)
    first = settled_search(tmp_path, text=group)
    records = finish(first)
    recorded = {record.id for record in records}
    for override, said in (
        ("seeds.max=40", "spent by a largest number that is fixed for good"),
        ("seeds.start=6", "at looks that are fixed for good"),
        ("seeds.method=e_process", "chosen by its outcome"),
        ("seeds.equal_within=1.0", "chosen by the scores"),
    ):
        other = settled_search(tmp_path, override, text=group)
        directory.asked.check_rules(other, ())
        other.tell(records)
        with pytest.raises(RunError, match=said):
            directory.asked.check_rules(other, recorded)
    directory.study.write_text(TEXT)
    more = settled_search(tmp_path, "seeds.max=40", "seeds.step=2")
    more.tell(records)
    directory.asked.check_rules(more, recorded)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("question: Is", "score: modes_covered\nquestion: Is", "score was sliced_wasserstein"),
        ("question: Is", "compare: critic.steps\nquestion: Is", "compare was divergence"),
        ("seeds: {", "seeds: {equal_within: 1.0, ", "seeds.equal_within was None"),
        ("[minimax, non_saturating, reverse_kl]", "[minimax, reverse_kl]", "gone: non_saturating"),
        ("[1, 2]", "[2]", "gone: critic.steps 1"),
        ("[1, 2]", "[1, 2, 3]", "new: critic.steps 3"),
    ],
)
def test_what_is_tested_stays_whoever_edits_the_study(
    tmp_path: Path, before: str, now: str, said: str
) -> None:
    """The score could be chosen by the scores, and the rules in the run's own study.yaml, which was
    compared with itself.
    """
    run, own = RunDirectory(tmp_path / "run"), settled_search(tmp_path)
    with run.locked():
        run.write_study(own)
        run.write(finish(own))
    assert TEXT.count(before) == 1
    run.study.write_text(TEXT.replace(before, now))
    kept = run.resolved.read_bytes()
    for verb in (["run", run.study, "--out", run.path], ["report", run.path]):
        result = CliRunner().invoke(main, [*map(str, verb)])
        assert (result.exit_code, said in result.stderr) == (2, True), result.output
        assert " no error rate. Keep it, or start anew with --fresh" in result.stderr
    assert run.resolved.read_bytes() == kept


def test_arms_may_be_added_and_told_in_another_order(tmp_path: Path) -> None:
    """Their pairs are judged by more evidence then, and no score has decided which they are."""
    run, own = RunDirectory(tmp_path / "run"), settled_search(tmp_path)
    with run.locked():
        run.write_study(own)
        run.write(records := finish(own))
    for arms in (
        "[hinge, minimax, non_saturating, reverse_kl]",
        "[reverse_kl, minimax, non_saturating]",
    ):
        more = settled_search(tmp_path, f"search.grid.divergence={arms}", "compare=divergence")
        more.tell(records)
        run.asked.check_rules(more, run.recorded())


def test_an_added_arm_may_be_taken_back_until_a_score_of_it_is_seen(tmp_path: Path) -> None:
    """Ctrl-C before its first record, and the study without it was refused for good."""
    run, own = RunDirectory(tmp_path / "run"), settled_search(tmp_path)
    with run.locked():
        run.write_study(own)
        run.write(records := finish(own))
    arms = "[hinge, minimax, non_saturating, reverse_kl]"

    def asked(*overrides: str) -> Settled:
        """As a session begins: what is asked, and written before anything is trained."""
        other = settled_search(tmp_path, *overrides)
        other.tell(run.read("curves"))
        run.asked.check_rules(other, run.recorded())
        with run.locked():
            run.write_study(other)
        return other

    added = asked(f"search.grid.divergence={arms}")
    asked(f"search.grid.divergence={arms}", "seeds.max=24")
    for fewer in ("[minimax, reverse_kl]", "[hinge, minimax, reverse_kl]"):
        with pytest.raises(RunError, match=r"gone: (hinge, )?non_saturating"):
            asked(f"search.grid.divergence={fewer}")
    asked("seeds.max=24")
    asked(f"search.grid.divergence={arms}")
    added.tell(records)
    (first, *_) = (t for t in added.missing if t.configuration.divergence.name == "hinge")
    with run.locked():
        run.write([made_up(first, ahead(first))])
    with pytest.raises(RunError, match="gone: hinge"):
        asked()
    asked(f"search.grid.divergence={arms}")
    with pytest.raises(RunError, match="gone: hinge"):
        asked()


def test_rules_are_not_forgotten_by_a_number_of_seeds(tmp_path: Path) -> None:
    """Its study took the place of the other, after which any rules could be chosen."""
    directory = RunDirectory(tmp_path / "run")
    directory.records.mkdir(parents=True)
    directory.study.write_text(TEXT)
    plain = search_of(load(write_study(tmp_path, TEXT), ["seeds=6"]))
    directory.asked.check_rules(plain, ())
    plain.tell(records := finish(settled_search(tmp_path)))
    recorded = {record.id for record in records}
    with pytest.raises(RunError, match=r"until its question is settled.*seeds\.max raises"):
        directory.asked.check_rules(plain, recorded)
    directory.study.write_text(
        TEXT.replace("seeds: {until: settled, start: 4, max: 20}", "seeds: 4")
    )
    directory.asked.check_rules(plain, recorded)


@pytest.mark.slow
def test_the_walk_of_a_settled_study(tmp_path: Path) -> None:
    """Plan, run, status, cut short, continue, raise: by the command line, with training."""
    text = TEXT.replace("start: 4, max: 20", "start: 3, max: 4").replace(
        "    critic.steps: [1, 2]\n", ""
    )
    study, out = write_study(tmp_path, text), tmp_path / "run"
    runner = CliRunner()
    plan = runner.invoke(main, ["plan", str(study), "--out", str(out), "--workers", "1"])
    assert "3 of each arm, then more for those" in plan.output
    assert "at most" in plan.output
    command = ["run", str(study), "--out", str(out), "--workers", "1", "--json"]
    with unrendered():
        first = runner.invoke(main, command)
        assert first.exit_code == 0, first.output
        done = json.loads(first.stdout)
        assert done["status"] == {"complete": 12}
        path = sorted((out / "records").glob("*.nc"))[-1]
        path.unlink()
        with trained_inline():
            again = json.loads(runner.invoke(main, command).stdout)
            assert again["status"] == {"complete": 12}
            assert 0 < again["trained"] < 12
            more = json.loads(runner.invoke(main, [*command, "seeds.max=5"]).stdout)
    assert (more["trained"], more["status"]) == (3, {"complete": 15})
    status = runner.invoke(main, ["status", str(out)])
    assert "open after 5 seeds of at most 5; leader: " in status.output


@pytest.mark.slow
def test_the_report_opens_with_what_is_settled(settled: xr.Dataset, tmp_path: Path) -> None:
    """Every number is in what its call returns; no p-value of a fixed number of seeds is shown."""
    with undrawn():
        page = build(settled, {}, tmp_path / "report").read_text(encoding="utf-8")
    with figure_style():
        caption = ranking.draw_arms(Findings.of(settled)).caption
    assert "Bars are those of a fixed number of seeds" in caption
    found = list(sentences(page))
    scope = {"ds": settled, "analysis": analysis}
    names = [*settled["divergence"].values.tolist(), *map(str, settled.coords)]
    for text, call in found:
        assert unexplained(text, eval(call, scope), names) == [], f"{text}: {call}"
    had = analysis.settlement(settled)
    state = "Settled" if had.attrs["settled"] else "Open"
    lead = f"<strong>{state}</strong> after {had.attrs['looked']} seeds of at most 20: "
    assert lead in found[0][0]
    assert (tmp_path / "report" / "evidence.svg").is_file()
    pairs = analysis.compare_arms(settled)
    assert pairs["p"].isnull().all()
    assert np.isfinite(pairs["difference"]).all()


def test_long_names_leave_the_evidence_its_width(settled: xr.Dataset) -> None:
    """Two of 117 characters stood beside each line; the leader is named once, below."""
    long = [f"{letter} objective {'of a long name ' * 7}" for letter in "abc"]
    findings = Findings.of(settled.assign_coords(divergence=long))
    with figure_style():
        drawing = draw_evidence(findings)
        drawing.figure.draw_without_rendering()
    (axes,) = drawing.figure.axes
    assert axes.get_position().width > 0.8
    whole = drawing.figure.bbox
    beside = [own for own in axes.texts if "objective" in own.get_text()]
    assert len(beside) == 2
    assert all(own.get_window_extent().x1 <= whole.x1 for own in beside)
    leader = analysis.settlement(findings.ds).attrs["leader"]
    assert f"pairs of the leader, {leader}, each with" in html.unescape(drawing.caption)
    assert not any(own.get_text().startswith(leader[:11]) for own in beside)


def test_the_analysis_plays_the_contest_of_the_search(tmp_path: Path) -> None:
    for method in ("e_process", "group_sequential"):
        own = settled_search(tmp_path, f"seeds.method={method}")
        directory = RunDirectory(tmp_path / method)
        directory.records.mkdir(parents=True)
        directory.write(finish(own))
        found = analysis.settlement(gather(directory, own))
        standing = own.played.standing
        assert standing is not None
        labels = own.study.axes[0].labels
        assert found.attrs["leader"] == labels[standing.leader]
        assert found["seeds"].values.tolist() == standing.seeds.tolist()
        for pair, (i, j) in enumerate(own.contest.pairs):
            assert found["better"].values[i, j] == standing.better[pair]
            both = int(min(standing.seeds[i], standing.seeds[j]))
            path = own.contest.strength[pair, :both]
            path = np.exp(path) if method == "e_process" else path
            np.testing.assert_allclose(found["evidence"].values[j, i, :both], path)
            assert np.isnan(found["evidence"].values[j, i, both:]).all()


def test_a_study_with_fixed_seeds_settles_nothing(search: xr.Dataset) -> None:
    assert not analysis.is_settled_by_seeds(search)
    with pytest.raises(ValueError, match="fixed"):
        analysis.settlement(search)


def test_rules_of_a_search_by_results_are_none_of_its_own() -> None:
    """A run keeps its sampler, which says nothing of a contest that takes the run up."""
    kept = {"search.bayes.sampler": "tpe", "seeds.equal_within": 0.1}
    assert words.changed_rule({"seeds.equal_within": 0.1}, kept) == ""
    assert words.changed_rule({"seeds.equal_within": 0.2}, kept).startswith("seeds.equal_within")
