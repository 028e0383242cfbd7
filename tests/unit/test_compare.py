"""Several runs as one dataset, and what cannot be compared."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import joined_studies
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from read_keys import chunks_of, counted
from recomputed import sentences, unexplained
from searched import bayes, peak
from searched import made_up as made_up_point
from stored import made_up
from tiny import MODULE, PICTURES, STUDY, write_study
from unrendered import undrawn, unrendered

from ganstudy import analysis, existing, open_run, open_runs, plugins
from ganstudy.cli import main
from ganstudy.report import build
from ganstudy.report.findings import Findings
from ganstudy.report.tables import ranking_table
from ganstudy.report.verdicts import ranking
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, RunError, gather, stated
from ganstudy.study import load
from ganstudy.targets import target_of
from ganstudy.trial import SCHEMA, Record, Trial

ROOT = Path(__file__).parents[2]
AXES = """\
  grid:
    divergence: [minimax, wasserstein]
    critic.steps: [1, 2]
"""


def made_run(folder: Path, name: str, text: str = STUDY, *overrides: str, torch: str = "1") -> Path:
    """A run of which every trial has a made-up record."""
    study = load(write_study(folder, text, f"{name}.yaml"), overrides)
    plan = Grid(study)
    directory = RunDirectory(folder / "runs" / name)
    directory.records.mkdir(parents=True)
    directory.write_study(plan)
    directory.write([made_up(trial) for trial in plan.trials.values()])
    session = {"started": "2026-11-22T08:00:00", "packages": {"torch": torch, "numpy": "2"}}
    environment = {"study": name, "schema": SCHEMA, "sessions": [session]}
    directory.environment.write_text(json.dumps(environment))
    plan.tell(directory.read())
    gather(directory, plan)
    return directory.path


def grid(axes: str) -> str:
    """The tiny study with other axes."""
    return STUDY.replace(AXES, f"  grid: {axes}\n")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two divergences by two D-steps with two seeds."""
    return made_run(tmp_path_factory.mktemp("first"), "first")


def test_the_page_of_many_runs_has_a_name_that_a_disk_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twelve names "File name too long" was all that was said."""
    monkeypatch.chdir(tmp_path)
    names = [f"how_many_modes_does_it_keep_{number:03}" for number in range(12)]
    runs = [tmp_path / name for name in names]
    dataset = xr.Dataset(coords={"run": names})

    def refuse(place: Path, name: str) -> None:
        raise RunError(str(place))

    monkeypatch.setattr("ganstudy.analysis.open_runs", lambda *_, **__: dataset)
    monkeypatch.setattr("ganstudy.existing.check_new", refuse)
    whole = "-".join(["compare", *names])
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    with pytest.raises(RunError, match=f"^runs/compare-{names[0]}-and-11-more-{digest}$"):
        existing.compare(runs, None, "")
    dataset = dataset.isel(run=slice(2))
    with pytest.raises(RunError, match=f"^runs/compare-{names[0]}-{names[1]}$"):
        existing.compare(runs[:2], None, "")
    for name in ("\N{CJK UNIFIED IDEOGRAPH-6A21}" * 80, "a" * 230):
        dataset = xr.Dataset(coords={"run": [name]})
        with pytest.raises(RunError) as refused:
            existing.compare([tmp_path / name], None, "")
        last = str(refused.value).rpartition("/")[2]
        assert len(last.encode()) < 120
        assert last.startswith(f"compare-{name[:20]}")
        assert "more" not in last


@pytest.mark.slow
def test_arms_of_all_runs_with_the_numbers_of_each(first: Path, tmp_path: Path) -> None:
    second = made_run(tmp_path, "second", STUDY, "trial.batch=8", "seeds=3")
    ds = open_runs(first, second)
    assert ds["arm"].values.tolist() == [
        *("first: minimax", "first: wasserstein", "second: minimax", "second: wasserstein")
    ]
    assert ds["run"].values.tolist() == ["first", "first", "second", "second"]
    assert ds["status"].dims == ("arm", "critic_steps", "seed")
    for name, path in (("first", first), ("second", second)):
        own = open_run(path)
        for divergence in own["divergence"].values:
            here = ds.sel(arm=f"{name}: {divergence}", seed=own["seed"])
            alone = own.sel(divergence=divergence)
            for variable in own.data_vars:
                np.testing.assert_array_equal(
                    here[variable].values, alone[variable].values, str(variable)
                )
            assert here["modes_covered"].attrs == alone["modes_covered"].attrs
    # The third seed is the second run's alone.
    assert (ds["status"].sel(arm="first: minimax", seed=2) == "missing").all()
    assert json.loads(ds.attrs["differences"]) == {
        "seeds": ["0, 1", "0, 1, 2"],
        "batch": ["16", "8"],
    }
    pairs = analysis.compare_arms(ds)["seeds"]
    assert pairs.sel(arm="first: minimax", other="second: minimax") == 2
    assert pairs.sel(arm="second: wasserstein", other="second: minimax") == 3


def test_values_that_differ_stand_by_their_size(first: Path, tmp_path: Path) -> None:
    """Of twelve seeds the eleventh stood before the third."""
    second = made_run(tmp_path, "second", grid("{critic.steps: [10, 1, 2]}"), "seeds=[2, 10, 0]")
    differences = json.loads(open_runs(first, second).attrs["differences"])
    assert differences["seeds"] == ["0, 1", "0, 2, 10"]
    assert differences["critic.steps"][1] == "1, 2, 10"


def test_samples_stay_on_disk(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Joining reads numbers and no samples; they are read where a run has what is asked for."""
    second = made_run(tmp_path, "second", grid("{}"), "trial.critic.steps=2", "seeds=3")
    alone = open_run(first).sel(divergence="wasserstein", critic_steps=1, seed=1)["samples"].values
    read = counted(monkeypatch)
    ds = open_runs(first, second)
    assert chunks_of("modes_covered", read)
    assert not chunks_of("samples", read)
    own = ds["samples"].sel(arm="first: wasserstein", critic_steps=1)
    assert np.isnan(own.sel(seed=2).values).all()
    assert not chunks_of("samples", read)
    np.testing.assert_array_equal(own.sel(seed=1).values, alone)
    assert chunks_of("samples", read)


def test_runs_of_one_arm_are_the_arms(tmp_path: Path) -> None:
    """An axis that is a setting in one run, or of which no run has several arms, is a setting."""
    runs = [
        made_run(tmp_path, "plain", grid("{}"), "trial.critic.steps=2"),
        made_run(tmp_path, "clipped", grid("{}"), "trial.constraint=clip"),
    ]
    ds = open_runs(*runs)
    assert ds["status"].dims == ("run", "seed")
    assert ds["run"].values.tolist() == ["plain", "clipped"]
    assert analysis.arm_dim(ds) == "run"


@pytest.mark.slow
def test_arms_are_called_as_on_the_page_of_their_run(first: Path, tmp_path: Path) -> None:
    """Truth values and numbers after the name of their axis, which is all that says what they are;
    they were "true" and "false"."""
    for name, axes in (("a", "generator.bias: [true, false]"), ("b", "critic.width: [4, 8]")):
        run = made_run(tmp_path, name, grid(f"{{{axes}}}"))
        alone = Findings.of(open_run(run)).arms
        assert alone[0] in ("generator_bias true", "critic_width 4")
        joined = open_runs(first, run)["arm"].values.tolist()
        assert joined[-2:] == [f"{name}: {label}" for label in alone]


@pytest.mark.slow
def test_a_run_stands_where_its_settings_are(first: Path, tmp_path: Path) -> None:
    """On a plain axis, at the label of a bundle, at a value of its own, or nowhere."""
    plain = made_run(tmp_path, "plain", grid("{}"), "trial.critic.steps=2")
    ds = open_runs(first, plain)
    assert ds["arm"].values.tolist()[-1] == "plain"
    alone = ds["status"].sel(arm="plain")
    assert (alone.sel(critic_steps=1) == "excluded").all()
    assert (alone.sel(critic_steps=2) == "complete").all()
    other = made_run(tmp_path, "five", grid("{}"), "trial.critic.steps=5")
    assert open_runs(first, other)["critic_steps"].values.tolist() == [1, 2, 5]

    sizes = "{divergence: [minimax], size: {small: {generator.width: 4, critic.width: 4}, "
    sizes += "large: {generator.width: 8, critic.width: 8}}}"
    bundles = made_run(tmp_path, "bundles", grid(sizes))
    ds = open_runs(bundles, plain)
    assert ds["size"].values.tolist() == ["small", "large"]
    assert (ds["status"].sel(arm="plain", size="small") == "complete").all()
    wide = made_run(tmp_path, "wide", grid("{}"), "trial.critic.width=9")
    ds = open_runs(bundles, wide)
    assert ds["size"].values.tolist() == ["small", "large", "own"]
    assert (ds["status"].sel(arm="wide", size="own") == "complete").all()
    assert not analysis.planned(ds).all("arm").any()


def assert_charged_by_target(joined: xr.Dataset) -> None:
    """Two modes and four, had all trials diverged."""
    ds = joined.assign(status=joined["status"].where(joined["status"] != "complete", "diverged"))
    charged = analysis.trial_scores(ds, "mode_kl")["score"]
    for modes in (2, 4):
        own = charged.sel(target_modes=modes, seed=0)
        assert own.max("arm") == own.min("arm") == pytest.approx(np.log(modes))


def test_trials_are_charged_by_their_own_target(tmp_path: Path) -> None:
    """A run of one target beside one of two, of which the metric's reading spans both."""
    two = made_run(tmp_path, "two", grid("{divergence: [minimax, hinge], target.modes: [2, 4]}"))
    one = made_run(tmp_path, "one", grid("{}"), "trial.target.modes=2")
    for joined in (open_runs(two, one), open_runs(one, two)):
        assert_charged_by_target(joined)


@pytest.mark.slow
@pytest.mark.parametrize("newest", ["[2, 4]", "[2, 4, 8]"])
def test_a_run_that_was_gathered_before_is_charged_as_one_since(
    tmp_path: Path, newest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its dataset says one worst value for all of its targets."""
    new = made_run(tmp_path, "new", grid(f"{{divergence: [minimax], target.modes: {newest}}}"))
    with monkeypatch.context() as patch:
        patch.setattr(stated, "ends_of_points", lambda axes, plan: ())
        old = made_run(tmp_path, "old", grid("{divergence: [minimax], target.modes: [2, 4]}"))
    assert "mode_kl_worst" not in open_run(old)
    for joined in (open_runs(old, new), open_runs(new, old)):
        assert_charged_by_target(joined)


def test_a_compared_axis_that_is_a_setting_elsewhere(first: Path, tmp_path: Path) -> None:
    other = made_run(tmp_path, "other", grid("{critic.steps: [2, 3]}"))
    ds = open_runs(first, other)
    assert ds["arm"].values.tolist() == ["first: minimax", "first: wasserstein", "other"]
    assert ds["critic_steps"].values.tolist() == [1, 2, 3]
    assert analysis.in_comparison(ds).any("arm").values.tolist() == [False, True, False]


@pytest.mark.slow
def test_other_steps_and_metrics(first: Path, tmp_path: Path) -> None:
    """A metric of one run alone ranks nobody; both runs keep their curves."""
    keys = ("trial.record.metrics=[mode_kl,modes_covered,energy_distance]", "trial.record.every=3")
    other = made_run(tmp_path, "other", STUDY, *keys)
    ds = open_runs(first, other)
    assert set(analysis.metric_names(ds)) == {"mode_kl", "modes_covered"}
    assert ds.attrs["score"] == "modes_covered"
    assert open_runs(other, first).attrs["score"] == "mode_kl"
    assert ds["energy_distance"].attrs["role"] == "curve"
    assert ds["energy_distance"].sel(arm="first: minimax").isnull().all()
    assert ds["energy_distance"].sel(arm="other: minimax").notnull().all()


@pytest.mark.slow
def test_a_search_stands_at_its_best_points(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its samples, where it has any, stay on disk, too."""
    own = bayes(tmp_path, "seeds=2", "search.bayes.trials=6")
    directory = RunDirectory(tmp_path / "search")
    directory.records.mkdir(parents=True)
    while parts := own.ask(1):
        for pack in parts:
            records = [_with_samples(made_up_point(t, peak(t)), t) for t in pack]
            directory.write(records)
            own.tell(records)
    directory.write_study(own)
    gather(directory, own)
    samples = own.study.points[(0,)].record.samples
    target = json.loads(str(open_run(directory.path)["target_settings"].item()))
    settings = ", ".join(f"{key}: {value}" for key, value in target.items())
    same = made_run(
        tmp_path, "same", STUDY, f"trial.record.samples={samples}", f"trial.target={{{settings}}}"
    )
    read = counted(monkeypatch)
    ds = open_runs(directory.path, same)
    assert not chunks_of("samples", read)
    chosen = open_run(directory.path)["samples"]
    drawn = ds["samples"].isel(arm=0, seed=0).sel(critic_steps="own").values
    assert any((drawn == one).all() for one in chosen.isel(divergence=0, seed=0).values)
    found = analysis.best_by_budget(open_run(directory.path))["mean"].isel(trial=-1)
    mine = analysis.arm_scores(ds, settings="own")["mean"]
    divergences = found["divergence"].values.tolist()
    np.testing.assert_allclose(mine[: len(divergences)], found.values)
    assert ds["critic_steps"].values.tolist() == ["own", "1", "2"]
    assert json.loads(ds.attrs["differences"])["critic.steps"][0] == "searched"
    # Its seeds chose the points: in a comparison they have no more of an interval than on its page.
    page = Findings.of(ds)
    assert not page.drawn
    assert "interval" not in ranking(page).text
    assert "; arms were searched once, which tells none apart from another" in ranking(page).text
    assert "95% interval" not in ranking_table(page).headings


def _with_samples(record: Record, own: Trial[Any]) -> Record:
    """A made-up point with those of a made-up trial."""
    values = record.values | {"samples": made_up(own).values["samples"]}
    variables = {variable.name: variable for variable in own.configuration.variables()}
    return replace(record, values=values, variables=record.variables | variables)


REFUSED: dict[str, tuple[list[str], str]] = {
    "target": (["trial.target.modes=5"], r"target differs in modes \(4 and 5\)"),
    "samples": (["trial.record.samples=16"], "record.samples is 32 and 16"),
    "metric": (
        ["trial.record.metrics=[{name: modes_covered, radius: 2.0}]"],
        "metric modes_covered is measured with radius 3.0.* and radius 2.0",
    ),
    "score": (["trial.record.metrics=[energy_distance]"], "no run is ranked by a metric that all"),
    "kind": (["trial={kind: tabular}", "search.grid={}"], "kind is adversarial and tabular"),
}


@pytest.mark.parametrize("difference", REFUSED)
def test_what_cannot_be_compared_is_refused(first: Path, tmp_path: Path, difference: str) -> None:
    """Exit code 2, both runs and the difference named, no traceback, nothing written."""
    overrides, message = REFUSED[difference]
    other = made_run(tmp_path, "other", STUDY, *overrides)
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["compare", str(first), str(other), "--out", str(out)])
    assert result.exit_code == 2
    assert re.search(message, result.output)
    assert str(first) in result.output
    assert str(other) in result.output
    assert "Traceback" not in result.output
    assert not out.exists()


def test_a_label_with_two_meanings_is_refused(tmp_path: Path) -> None:
    sizes = "{divergence: [minimax, hinge], size: {small: {batch: 4}, large: {batch: 8}}}"
    one = made_run(tmp_path, "one", grid(sizes))
    two = made_run(tmp_path, "two", grid(sizes.replace("8", "9")))
    with pytest.raises(RunError, match="at size large batch is 8 and 9"):
        open_runs(one, two)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "name at least two runs"),
        (["first"], "name at least two runs"),
        (["first", "first"], "named twice"),
        (["first", "nowhere"], "nowhere: not a run directory (there is no such folder)"),
        (["nowhere"], "nowhere: not a run directory (there is no such folder)"),
    ],
)
def test_bad_use_exits_with_two(first: Path, given: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["compare", *(str(first.parent / name) for name in given)])
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_a_list_of_runs_is_told_from_runs() -> None:
    with pytest.raises(TypeError, match=r"each path by itself, .*, not \['a', 'b'\]"):
        open_runs(["a", "b"])  # type: ignore[arg-type]


@pytest.mark.slow
def test_targets_as_arms_are_compared_like_for_like(tmp_path: Path) -> None:
    """Runs whose arms are targets may be compared if they have the same ones."""
    targets = "{target: [{name: ring, modes: 3}, {name: ring, modes: 4}]}"
    one = made_run(tmp_path, "one", grid(targets))
    two = made_run(tmp_path, "two", grid(targets), "trial.batch=8")
    assert open_runs(one, two)["target_settings"].dims == ("arm",)
    three = made_run(tmp_path, "three", grid(targets.replace("modes: 4", "modes: 6")))
    with pytest.raises(RunError, match=r"target differs in modes \(4 and 6\)"):
        open_runs(one, three)


def test_names_are_made_unique(tmp_path: Path) -> None:
    """By the study, or else by the directory, or else by the path."""
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    one, two = (made_run(tmp_path / name, "own", grid("{}")) for name in ("x", "y"))
    paths = [one.as_posix(), two.as_posix()]
    assert list(dict.fromkeys(open_runs(one, two)["run"].values.tolist())) == paths
    moved = two.rename(two.with_name("moved"))
    assert set(open_runs(one, moved)["run"].values.tolist()) == {"own", "moved"}


SECTION = '''\
"""A section of the user's own."""

from ganstudy.report.data_tables import DataTable
from ganstudy.report.sections import Section


class Counted(Section):
    """How many trials there are."""

    place = 145
    label = "Counted"
    heading = "All trials, counted"

    def tables(self):
        return {"counted": (DataTable(["trials"], [0], [[self.findings.ds["status"].size]]), "")}
'''


@pytest.mark.slow
def test_sections_of_plug_ins_are_on_the_page_where_they_are_trusted(tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(SECTION, encoding="utf-8")
    for name in ("first", "second"):
        made_run(tmp_path, name, STUDY + "plugins: [counted.py]\n")
    runs, shown = [str(tmp_path / "runs" / name) for name in ("first", "second")], []
    out = tmp_path / "both"
    for asked in ([], ["--plugins"]):
        plugins.forget()
        with unrendered():
            result = CliRunner().invoke(main, ["compare", *runs, "--out", str(out), *asked])
        assert result.exit_code == 0, result.output
        page = out / "report" / "index.html"
        shown.append("All trials, counted" in page.read_text(encoding="utf-8"))
    plugins.forget()
    assert shown == [False, True]


@pytest.mark.slow
def test_a_target_of_ones_own_is_compared_where_it_is_trusted(tmp_path: Path) -> None:
    """Sections failed by its name alone, and so did whoever asked for the target."""
    plugin = shutil.copy(ROOT / "docs" / "plugins" / "laplace.py", tmp_path)
    text = "plugins: [laplace.py]\n" + STUDY.replace("{name: ring, modes: 4}", "laplace").replace(
        "samples: 32", "samples: 32, metrics: [sliced_wasserstein]"
    )
    runs = [str(made_run(tmp_path, name, text)) for name in ("mine", "yours")]
    plugins.forget()
    ds = open_run(runs[0])
    with pytest.raises(ValueError, match=r"plugins\.load\(\"RUN/laplace\.py\"\).* by --plugins"):
        target_of(str(ds["target_settings"].item()))
    refused = CliRunner().invoke(main, ["compare", *runs, "--out", str(tmp_path / "both")])
    assert (refused.exit_code, "no target 'laplace' is known" in refused.stderr) == (2, True)
    assert "add --plugins" in refused.stderr
    assert not (tmp_path / "both").exists()
    with undrawn():
        asked = ["compare", *runs, "--out", str(tmp_path / "both"), "--plugins"]
        assert CliRunner().invoke(main, asked).exit_code == 0
    plugins.forget()
    plugins.load(plugin)
    assert target_of(str(ds["target_settings"].item())).dimension == 2
    plugins.forget()


@pytest.mark.slow
def test_the_report_of_a_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the runs, what differs, versions, the command, and calls that run."""
    first = made_run(tmp_path, "first")
    made_run(tmp_path, "second", STUDY, "trial.batch=8", torch="2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ganstudy", "compare", "runs/first", "runs/second"])
    result = CliRunner().invoke(main, sys.argv[1:])
    assert result.exit_code == 0, result.output
    page = Path("runs/compare-first-second/report/index.html")
    assert str(page) in result.output
    html = page.read_text()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "They differ in batch: what sets the arms of two runs apart may be any of" in text
    assert "What made them differs in torch." in text
    assert "ganstudy compare runs/first runs/second" in text
    assert "Which divergence keeps all" in html
    (call,) = re.findall(r"ds = (ganstudy\.open_runs\([^<]*\))</code>", html)
    import ganstudy

    ds: Any = eval(call, {"ganstudy": ganstudy})
    best = analysis.rank_arms(ds).isel(arm=0)
    assert f"<strong>{best['arm'].item()}</strong> ranks first" in html
    names = [*ds["arm"].values.tolist(), *ds["run"].values.tolist(), "critic_steps"]
    for said, found in sentences(html):
        scope = {"ds": ds, "analysis": analysis}
        assert unexplained(said, eval(found, scope), names) == [], found
    # A run's own report is not written over.
    refused = CliRunner().invoke(
        main, ["compare", "runs/first", "runs/second", "--out", str(first)]
    )
    assert refused.exit_code == 2
    assert "is a run" in refused.output


@pytest.mark.slow
def test_what_one_run_does_not_test_no_comparison_does(tmp_path: Path) -> None:
    """Seeds were added to its arms as results came in: grades beside fixed seeds were shown."""
    text = STUDY.replace("seeds: 2", "seeds: {until: settled, start: 6, max: 6}")
    settled = joined_studies.made_run(tmp_path, "settled", text, made_up)
    fixed = joined_studies.made_run(tmp_path, "fixed", STUDY.replace("2\n", "6\n"), made_up)
    ds = open_runs(settled, fixed)
    assert not analysis.is_settled_by_seeds(ds)
    ranked = analysis.rank_arms(ds)
    assert not ranked["grade"].astype(bool).any()
    assert ranked["p"].isnull().all()
    assert analysis.factor_effects(ds)["low"].isnull().all()
    with unrendered():
        page = build(ds, {}, tmp_path / "page").read_text(encoding="utf-8")
    assert "Of some arms seeds were added as results came in: nothing is tested here" in page
    assert not re.search("searched once|clearly|leaning ahead", page)
    # Neither has a session: they were said to be made by the same versions.
    assert "No run has recorded the versions that made it." in page
    assert "same versions" not in page
    other = joined_studies.made_run(
        tmp_path, "other", text.replace("modes: 4", "modes: 6"), made_up
    )
    along = open_runs(settled, other, along="study")
    with unrendered():
        page = build(along, {}, tmp_path / "along").read_text(encoding="utf-8")
    assert "nothing is tested. What is settled is on the page of each study." in page


@pytest.mark.slow
def test_two_real_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that both runs have are equal in the comparison to the last bit."""
    write_study(tmp_path, STUDY + "engine: {program: eager}\n", "one.yaml")
    text = STUDY.replace("[minimax, wasserstein]", "[wasserstein, hinge]")
    write_study(tmp_path, text + "engine: {program: eager}\n", "two.yaml")
    monkeypatch.chdir(tmp_path)
    for verb in (
        ["run", "one.yaml", "--workers", "1"],
        ["run", "two.yaml", "--workers", "1"],
        ["compare", "runs/one", "runs/two", "--out", "both"],
    ):
        with trained_inline(), unrendered():
            done = CliRunner().invoke(main, verb)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "both" / "report" / "index.html").is_file()
    ds = open_runs(tmp_path / "runs/one", tmp_path / "runs/two")
    one, two = (ds.sel(arm=f"{name}: wasserstein", drop=True) for name in ("one", "two"))
    xr.testing.assert_identical(one.drop_vars("seconds"), two.drop_vars("seconds"))
    assert (ds["status"] == "complete").all()


def in_features(folder: Path, name: str, *metrics: str, images: Path = PICTURES) -> Path:
    """A run of images, of which these are measured; every trial has a made-up record."""
    text = f"""\
question: Which?
trial:
  target: {{name: images, path: {images}}}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 6
  batch: 8
  record: {{every: 2, samples: 150, metrics: [{", ".join(metrics)}]}}
seeds: 2
"""
    return made_run(folder, name, text)


def network(folder: Path, version: str) -> Path:
    """A module that a metric may look through, the same in all but its content."""
    path = Path(shutil.copy(MODULE, folder / f"{version}.pt"))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(zipfile.ZipInfo("halved/extra/version"), version)
    return path


RECALL = "{name: recall, neighbours: 3, features: random_convolutions}"


def test_metrics_in_other_features_are_refused(tmp_path: Path) -> None:
    """They have one name, `recall_in_random_convolutions`, which is that of no metric."""
    one = in_features(tmp_path, "one", RECALL)
    other = in_features(tmp_path, "other", RECALL.replace("3", "5"))
    seen = "metric recall_in_random_convolutions is measured with .*neighbours 3 and .*neighbours 5"
    with pytest.raises(RunError, match=seen):
        open_runs(one, other)
    networks = [network(tmp_path, "old"), network(tmp_path, "new")]
    runs = [
        in_features(tmp_path, name, f"{{name: recall, features: {{name: module, path: {path}}}}}")
        for name, path in zip("ab", networks, strict=True)
    ]
    with pytest.raises(RunError, match=r"recall_in_module is measured with .*sha256"):
        open_runs(*runs)


def test_files_that_have_moved_are_the_same(tmp_path: Path) -> None:
    """Their digests say which they are: networks of metrics, and data of targets."""
    metric = "{{name: recall, features: {{name: module, path: {}}}}}"
    runs = []
    for name in ("a", "b"):
        (folder := tmp_path / name).mkdir()
        images = Path(shutil.copy(PICTURES, folder))
        through = network(folder, "old")
        runs.append(in_features(tmp_path, name, metric.format(through), images=images))
    assert analysis.metric_names(open_runs(*runs)) == ["recall_in_module"]


@pytest.mark.slow
def test_a_metric_and_the_same_in_features_are_two(tmp_path: Path) -> None:
    """Runs were refused of which one alone looks at features."""
    metric = "sliced_wasserstein"
    featured = f"{{name: {metric}, features: random_convolutions}}"
    both = in_features(tmp_path, "both", metric, featured)
    plain = in_features(tmp_path, "plain", metric)
    ds = open_runs(both, plain)
    assert analysis.metric_names(ds) == [metric]
    assert ds[f"{metric}_in_random_convolutions"].attrs["role"] == "curve"
    named = json.loads(ds.attrs["differences"])["record.metrics"]
    assert named == [f"{metric}, {metric}_in_random_convolutions", metric]


@pytest.mark.slow
def test_what_runs_have_alone_is_not_taken_for_one_setting(tmp_path: Path) -> None:
    """Two that differ were paired at `own`; two that have the same still are."""
    sizes = "{divergence: [minimax, hinge], size: {small: {critic.width: 4}, large: "
    sizes += "{critic.width: 8}}}"
    asked = made_run(tmp_path, "asked", grid(sizes))
    arms = "{divergence: [minimax, hinge]}"
    nine, ten, again = (
        made_run(tmp_path, name, grid(arms), f"trial.critic.width={width}", f"trial.batch={batch}")
        for name, width, batch in (("nine", 9, 16), ("ten", 10, 16), ("again", 9, 8))
    )
    ds = open_runs(asked, nine, ten)
    assert ds["size"].values.tolist() == ["small", "large", "own of nine", "own of ten"]
    assert (ds["status"].sel(size="own of ten", arm="ten: hinge") == "complete").all()
    assert (ds["status"].sel(size="own of ten", arm="nine: hinge") == "excluded").all()
    assert open_runs(asked, nine, again)["size"].values.tolist()[2:] == ["own"]
    mixed = open_runs(asked, nine, ten, again)["size"].values.tolist()
    assert mixed[2:] == ["own of nine and again", "own of ten"]
