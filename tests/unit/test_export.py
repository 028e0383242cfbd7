"""Runs in other tools, read back by these: nothing is lost, and a second export adds nothing."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from filelock import FileLock
from searched import TEXT, made_up, peak, search, study_of
from tiny import STUDY

from ganstudy import open_run
from ganstudy.analysis import trial_scores
from ganstudy.cli import main
from ganstudy.export import ExportedRun, ExportedTrial, Exporter, ExportError, family
from ganstudy.export import export as write_export
from ganstudy.search import Search, search_of
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, gather
from ganstudy.store.resolved import text_of
from ganstudy.trial import Record
from ganstudy.variable import Variable

FILES = ["csv", "parquet"]


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, with two figures in its report."""
    copy = shutil.copytree(tiny_run, tmp_path / "run")
    (copy / "report").mkdir(exist_ok=True)
    import matplotlib.image

    for name in ("answer", "curves"):
        matplotlib.image.imsave(copy / "report" / f"{name}.png", np.eye(8))
    return copy


def export(run: Path, tool: str, *more: str) -> str:
    """What the command says."""
    said = CliRunner().invoke(main, ["export", str(run), tool, *more])
    assert said.exit_code == 0, said.output
    return said.stdout


def each(ds: xr.Dataset) -> list[xr.Dataset]:
    """The trials of a dataset."""
    stacked = ds.stack(all=[*ds.attrs["axes"], "seed"])
    return [stacked.isel(all=number) for number in range(stacked.sizes["all"])]


def read(place: Path, tool: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables as pandas reads them."""
    reader: Callable[..., pd.DataFrame] = getattr(pd, f"read_{tool}")
    return reader(place / f"trials.{tool}"), reader(place / f"curves.{tool}")


@pytest.mark.parametrize("tool", FILES)
def test_tables_hold_what_the_dataset_holds(run: Path, tool: str) -> None:
    """Scores, every value of every curve with all its digits, settings, arms and seeds."""
    export(run, tool)
    trials, curves = read(run / "exports" / tool, tool)
    ds = open_run(run).compute()
    scores = trial_scores(ds)["score"]
    assert len(trials) == ds["trial_id"].size
    by_id = trials.set_index("trial_id")
    for one in each(ds.assign(score=scores)):
        row = by_id.loc[str(one["trial_id"].item())]
        assert row["arm"] == one["divergence"].item()
        assert int(row["seed"]) == int(one["seed"])
        assert row["status"] == "complete"
        assert row["score"] == pytest.approx(float(one["score"]))
        assert row["trial.batch"] == 16
        assert row["trial.target.std"] == 0.4
        own = curves[curves["trial_id"] == one["trial_id"].item()]
        for name in ("modes_covered", "critic_loss"):
            told = own[own["variable"] == name]
            assert told["step"].tolist() == ds["step"].values.tolist()
            np.testing.assert_array_equal(told["value"], one[name].values.astype(np.float64))


def test_a_table_with_types_has_those_of_the_dataset(run: Path, tmp_path: Path) -> None:
    """`trials[trials.seed == 0]` had no row, and a size that one trial lacks was text in all."""
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    export(run, "parquet")
    trials, _ = read(run / "exports" / "parquet", "parquet")
    assert (trials["seed"] == 0).sum() == len(trials) / open_run(run).sizes["seed"]
    sizes = [
        ExportedTrial(name, "a", {"seed": name}, {"size": size}, {}, {}, place={"axis.lr": rate})
        for name, size, rate in (("0", "null", 1), ("1", 100, 0.5))
    ]
    family["parquet"]().write(ExportedRun("a", "Why?", sizes, []), tmp_path / "sizes")
    trials, _ = read(tmp_path / "sizes", "parquet")
    assert trials["trial.size"].tolist() == [pd.NA, 100]
    assert trials["axis.lr"].tolist() == [1.0, 0.5]


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """A question of somebody else's study is text, whatever it begins with."""
    own = ExportedTrial("0", "a", {"question": "=1+1", "seed": "0"}, {}, {"seconds": -1.0}, {})
    family["csv"]().write(ExportedRun("a", "=1+1", [own], []), tmp_path)
    assert "'=1+1" in (tmp_path / "trials.csv").read_text()
    assert ",-1.0" in (tmp_path / "trials.csv").read_text()


def test_an_export_takes_no_file_of_somebody_else(tmp_path: Path) -> None:
    """A user's own `trials.csv`, and another run's, were replaced."""
    one, other = (
        ExportedRun("a", "Why?", [ExportedTrial(name, "a", {"seed": "0"}, {}, {}, {})], [])
        for name in "01"
    )
    (tmp_path / "trials.csv").write_text("mine")
    with pytest.raises(ExportError, match=r"trials\.csv: is there, and is no export"):
        family["csv"]().write(one, tmp_path)
    assert (tmp_path / "trials.csv").read_text() == "mine"
    assert family["csv"]().write(one, tmp_path / "new") == 1
    with pytest.raises(ExportError, match="the export of another run"):
        family["csv"]().write(other, tmp_path / "new")


@pytest.mark.parametrize("name", ["../../x", "/x", "..", ".", "a/b", "a\0b"])
@pytest.mark.parametrize("file", ["environment.json", "resolved.yaml"])
def test_the_name_of_a_study_leads_nowhere(run: Path, file: str, name: str) -> None:
    """Exports make folders of it, and delete in them; the run may be somebody else's."""
    directory = RunDirectory(run)
    (run / "environment.json").unlink()
    if file == "environment.json":
        directory.write_session({}, name)
    else:
        study = replace(directory.read_study(), name=name)
        directory.resolved.write_text(text_of(study, study.document.text))
    assert directory.read_study().name == "run"


def test_an_export_stays_in_its_place(run: Path, tmp_path: Path) -> None:
    """Whatever its study and an arm are called."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    RunDirectory(run).write_session({}, "../../x")
    place = tmp_path / "a" / "b" / "place"
    export(run, "tensorboard", "--to", str(place))
    own = ExportedTrial("0", "..", {"arm": "..", "seed": "0"}, {}, {}, {})
    assert family["tensorboard"]().write(ExportedRun("a", "Why?", [own], []), place) == 1
    assert (place / "a" / "__" / "0").is_dir()
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "b"]
    assert list((tmp_path / "a" / "b").iterdir()) == [place]
    assert (place / "run" / "~report").is_dir()


def test_what_cannot_be_exported_is_refused_in_words(run: Path, tmp_path: Path) -> None:
    """A tool that there is not, a place that is a run, and a run of which no record is whole."""

    def refused(*arguments: str) -> str:
        said = CliRunner().invoke(main, ["export", str(run), *arguments])
        assert said.exit_code == 2
        return said.stderr

    assert refused("mlfow") == "no export 'mlfow'; did you mean 'mlflow'?\n"
    assert "search.db is a storage of Optuna already" in refused("optuna")
    before = sorted(run.iterdir())
    assert refused("csv", "--to", str(run)) == f"{run}: is a run itself; choose another --to\n"
    assert sorted(run.iterdir()) == before
    for record in (run / "records").iterdir():
        record.write_bytes(b"damaged")
    assert refused("csv", "--to", str(tmp_path / "new")).endswith("there is none to export\n")
    assert not (tmp_path / "new").exists()


def test_a_damaged_record_is_told_once(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However often a command asks what is in it: an export said so twice, `status` three times."""
    one = min((run / "records").iterdir())
    one.write_bytes(b"damaged")
    for command in (["export", "csv", "--to", str(tmp_path / "new")], ["status"]):
        caplog.clear()
        assert CliRunner().invoke(main, [command[0], str(run), *command[1:]]).exit_code == 0
        assert caplog.text.count(one.name) == 1


@pytest.mark.parametrize("tool", [*FILES, "tensorboard"])
def test_a_second_export_adds_nothing(run: Path, tool: str) -> None:
    """Not a byte; a file that is gone is written again."""
    if tool == "tensorboard":
        pytest.importorskip("tensorboard", reason="needs tensorboard")
    place = run / "exports" / tool
    assert f"{place}: 8 trials added; " in export(run, tool)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert f"{place}: 0 trials added; " in export(run, tool)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    name = "curves.csv" if tool == "csv" else f"curves.{tool}"
    if tool in FILES:
        (place / name).unlink()
        export(run, tool)
        assert (place / name).read_bytes() == before[place / name]


def test_a_trial_whose_arm_is_called_otherwise_stands_there_once(tmp_path: Path) -> None:
    """TensorBoard showed it below both names."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    for arm in ("small", "tiny"):
        own = ExportedTrial("0", arm, {"arm": arm, "seed": "0"}, {}, {}, {})
        assert family["tensorboard"]().write(ExportedRun("a", "Why?", [own], []), tmp_path) == 1
    assert [path.parent.name for path in tmp_path.glob("a/*/0")] == ["tiny"]


def test_a_trial_of_two_studies_is_one_of_each(tmp_path: Path) -> None:
    """The second took the tables of the first; and each wrote what the other had, for ever."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    one, other = (
        ExportedRun(study, "Why?", [ExportedTrial("0", "a", {"arm": study}, {}, {}, {})], [])
        for study in ("a", "b")
    )
    family["csv"]().write(one, tmp_path / "tables")
    with pytest.raises(ExportError, match="the export of another run"):
        family["csv"]().write(other, tmp_path / "tables")
    board = family["tensorboard"]()
    added = [board.write(run, tmp_path / "board") for run in (one, other, one, other)]
    assert added == [1, 1, 0, 0]


def test_two_runs_of_studies_of_one_name_are_not_mixed(run: Path, tmp_path: Path) -> None:
    """Figures of the second took the place of the first's; its trials stood among them."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    figures = sorted((run / "report").glob("*.png"))
    one, more, other = (
        ExportedRun(
            "study", "Why?", [ExportedTrial(i, "a", {"arm": "a"}, {}, {}, {}) for i in ids], own
        )
        for ids, own in (("1", figures), ("12", figures[:1]), ("3", figures[:1]))
    )
    board = family["tensorboard"]()
    assert [board.write(own, tmp_path) for own in (one, more, one)] == [1, 1, 0]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ExportError, match="holds the export of another run; choose another --to"):
        board.write(other, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_table_is_not_replaced_by_that_of_a_run_with_fewer_of_its_trials(tmp_path: Path) -> None:
    """Of two runs of one name it takes the first, also where they have seeds in common."""
    one, other = (ExportedTrial(i, i, {}, {}, {}, {}) for i in "12")
    write = family["csv"]().write
    assert write(ExportedRun("a", "Why?", [one, other], []), tmp_path) == 2
    before = (tmp_path / "trials.csv").read_bytes()
    with pytest.raises(ExportError, match="holds the export of another run; choose another --to"):
        write(ExportedRun("a", "Why?", [one], []), tmp_path)
    assert (tmp_path / "trials.csv").read_bytes() == before
    # Of this one the second has no place any more, or none yet.
    for had in ({"left": "2"}, {"planned": "2"}):
        assert write(ExportedRun("a", "Why?", [one], [], **had), tmp_path) == 0
        assert (tmp_path / "trials.csv").read_bytes() != before
        assert write(ExportedRun("a", "Why?", [one, other], []), tmp_path) == 1


def test_an_export_that_noted_ids_alone_is_that_of_the_run(tmp_path: Path) -> None:
    """As an earlier version did."""
    run = ExportedRun("a", "Why?", [ExportedTrial("0", "a", {"seed": "0"}, {}, {}, {})], [])
    family["csv"]().write(run, tmp_path)
    (tmp_path / "exported-csv.json").unlink()
    (tmp_path / "exported.json").write_text(json.dumps({"0": "other"}))
    assert family["csv"]().write(run, tmp_path) == 1


def test_tools_that_share_a_place_know_each_what_they_wrote(tmp_path: Path) -> None:
    """A second table found all noted that the first had been told, and stayed as it was."""
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    one, more = (
        ExportedRun("a", "Why?", [ExportedTrial(i, "a", {"arm": "a"}, {}, {}, {}) for i in ids], [])
        for ids in ("0", "01")
    )
    tools = ("csv", "parquet")
    assert [family[tool]().write(run, tmp_path) for run in (one, more) for tool in tools] == [1] * 4
    assert {len(read(tmp_path, tool)[0]) for tool in tools} == {2}


def test_seconds_are_no_result() -> None:
    """Trained again with the same bits a trial was deleted and written anew."""
    one, other, better = (
        ExportedTrial("0", "a", {}, {}, {"seconds": seconds, "score": score}, {})
        for seconds, score in ((1.0, 0.5), (2.0, 0.5), (1.0, 0.6))
    )
    assert one.digest == other.digest != better.digest


def test_what_is_called_otherwise_is_told_anew() -> None:
    """A point kept the number that it had before it stood elsewhere."""
    one, other, elsewhere = (
        ExportedTrial("0", name, {"trial": number}, {}, {}, {})
        for name, number in (("a, trial 1", "1"), ("a, trial 2", "1"), ("a, trial 1", "2"))
    )
    assert len({one.digest, other.digest, elsewhere.digest}) == 3


def kept(own: Search, folder: Path, records: Sequence[Record]) -> RunDirectory:
    """A run with these records of a search, which is told of them."""
    directory = RunDirectory(folder)
    directory.records.mkdir(parents=True, exist_ok=True)
    for steps in {len(record.values["step"]) for record in records}:
        directory.write([record for record in records if len(record.values["step"]) == steps])
    own.tell(records)
    directory.write_study(own)
    return directory


@pytest.mark.slow
@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_table_of_a_search_names_the_points_of_its_page(
    tmp_path: Path, tool: str, repeats: int
) -> None:
    """By the dataset's names, so that both are joined without the ids; of a grid there are none."""
    text = f"search.bayes.repeats={repeats}"
    fresh = () if repeats == 1 else ("search.bayes.fresh=2",)
    study = study_of(tmp_path, text, *fresh, "search.bayes.trials=3")
    directory = kept(search_of(study), tmp_path / "run", list(search(search_of(study))))
    again = search_of(study)
    again.tell(directory.read())
    gather(directory, again)
    ds = open_run(directory.path).compute()
    write_export(family[tool](), directory, again, tmp_path / "tables")
    trials, curves = read(tmp_path / "tables", tool)
    assert set(curves["trial_id"]) == set(trials["trial_id"])
    assert ("repeat" in trials, "fresh" in trials) == ((repeats > 1,) * 2)
    assert trials["trial"].dtype == np.int64
    for _, row in trials.iterrows():
        at = {"divergence": row["arm"], "trial": row["trial"]}
        at |= {"repeat": row["repeat"]} if repeats > 1 else {}
        ids = ds["trial_id"].sel(at)
        if repeats > 1:
            ids = ids[ds["fresh"].values == row["fresh"]]
        assert row["trial_id"] in ids.values


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["csv", "tensorboard"])
def test_a_point_that_went_on_is_there_once_and_one_that_was_stopped_as_pruned(
    tmp_path: Path, tool: str
) -> None:
    """The run of its earlier rung stayed beside it, under its name; all were `complete`."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    pruner = "search.bayes.pruner={name: successive_halving, factor: 3, first: 10}"
    study = study_of(tmp_path, pruner, "search.bayes.trials=9", "seeds=1")
    records = list(search(search_of(study)))
    place = tmp_path / "place"
    for told in (records[:1], records):
        own = search_of(study)
        directory = kept(own, tmp_path / "run", told)
        write_export(family[tool](), directory, own, place)
        expected = {i: own.statuses[at] for at, i in _ids(own).items()}
        noted = json.loads((place / f"exported-{tool}.json").read_text())
        assert set(noted) == {f"{study.name}/{trial}" for trial in expected}
        if tool == "tensorboard":
            assert {path.name for path in place.glob("*/*/*/")} == set(expected)
            continue
        trials, _ = read(place, tool)
        assert trials.set_index("trial_id")["status"].to_dict() == expected
        scored = trials.reindex(columns=["score"]).notna().all(axis=1)
        assert scored.tolist() == (trials["status"] == "complete").tolist()
    assert set(expected.values()) == {"complete", "pruned"}


class Handed(Exporter):
    """Keeps what it is handed."""

    def write(self, run: ExportedRun, place: Path) -> int:
        self.run = run
        return len(run.trials)


SETTLED = (
    TEXT[: TEXT.index("search:")]
    + """\
score: modes_covered
search:
  grid: {divergence: [minimax, reverse_kl]}
seeds: {until: settled, start: 3, max: 6}
"""
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "before", "added"),
    [
        (SETTLED, [], ["search.grid.divergence=[minimax, reverse_kl, hinge]"]),
        (TEXT, ["search.bayes.repeats=3", "search.bayes.fresh=2"], ["search.bayes.trials=14"]),
    ],
    ids=["an arm", "a larger budget"],
)
def test_records_that_wait_for_their_place_are_of_the_study(
    tmp_path: Path, text: str, before: list[str], added: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """All wait for an added arm's first seeds, and fresh ones for the end of a search that grew:
    they were said to be of no study, and an export removed them.
    """
    once = search_of(study_of(tmp_path, *before, text=text))
    directory, exporter = RunDirectory(tmp_path / "run"), Handed()
    recorded = list(search(once, lambda trial: peak(trial) if before else 4.0))
    kept(once, directory.path, recorded)
    own = search_of(study_of(tmp_path, *before, *added, text=text))
    own.tell(recorded)
    assert {r.id for r in recorded} - own.by_id.keys(), "or this test says nothing"
    directory.asked.check_trials(own, directory.recorded())
    write_export(exporter, directory, own, tmp_path / "place")
    assert (caplog.messages, set(exporter.run.left)) == ([], set())
    rest = list(search(own, lambda trial: peak(trial) + 9 if before else 4.0))
    directory.write(rest)
    directory.asked.check_trials(own, directory.recorded())
    write_export(exporter, directory, own, tmp_path / "place")
    outdated = {r.id for r in recorded if r.seed % 1_000_000 >= 500_000 and r.id not in own.by_id}
    assert (caplog.messages, set(exporter.run.left)) == ([], outdated)
    assert bool(outdated) is bool(before), "points that are better now were chosen in their stead"


class Crowded(Grid):
    """Adds a column along two dimensions, and one along none of trials."""

    adds = (Variable("order", "", ()), Variable("tool", "", ("tool",)), Variable("late", "", ()))

    def coordinates(self) -> dict[str, Any]:
        order = (self.dimensions[-2:], np.zeros(self.shape[-2:]), {})
        late = (("seed",), np.arange(self.shape[-1]) > 0, {})
        return {**super().coordinates(), "order": order, "tool": (("tool",), np.arange(2), {})} | {
            "late": late
        }


def test_columns_that_have_no_value_for_a_trial_are_left_out(tmp_path: Path) -> None:
    """Unpacking their dimensions was a traceback."""
    own = Crowded(study_of(tmp_path, text=STUDY))
    exporter, records = Handed(), [made_up(t) for t in own.trials.values()]
    directory = kept(own, tmp_path / "run", records)
    write_export(exporter, directory, own, tmp_path / "place")
    on_axes = ("axis.divergence", "axis.critic.steps", "seed")
    assert {tuple(t.place) for t in exporter.run.trials} == {(*on_axes, "late")}
    assert [t.place["late"] for t in exporter.run.trials] == [r.seed > 0 for r in records]


def test_why_a_trial_failed_or_lacks_a_metric_is_told_as_in_the_dataset(tmp_path: Path) -> None:
    """Under the dataset's name, and as the same line: it was `cause`, with all of a long one."""
    own = Grid(study_of(tmp_path, text=STUDY))
    causes = ["ValueError: no\n\nTraceback", f"metric rke: ValueError: {'x' * 1000}", ""]
    statuses = ["failed", "complete", "diverged"]
    told = zip(own.trials.values(), statuses, causes, strict=False)
    records = [replace(made_up(t, status=status), cause=cause) for t, status, cause in told]
    directory, exporter = kept(own, tmp_path / "run", records), Handed()
    write_export(exporter, directory, own, tmp_path / "place")
    ds = gather(directory, own)
    failure = dict(zip(ds["trial_id"].values.flat, ds["failure"].values.flat, strict=True))
    tags = {one.id: one.tags.get("failure", "") for one in exporter.run.trials}
    assert tags == {record.id: failure[record.id] for record in records}
    assert [bool(tags[record.id]) for record in records] == [True, True, False]
    assert all("cause" not in one.tags for one in exporter.run.trials)


def _ids(own: Search) -> dict[tuple[int, ...], str]:
    """Those of trials that are recorded."""
    statuses = own.statuses
    return {at: trial.id for at, trial in own.trials.items() if statuses[at] != "missing"}


def test_a_column_with_gaps_keeps_its_type(tmp_path: Path) -> None:
    """Whole numbers became fractions, and truths texts."""
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    trials = [
        ExportedTrial("0", "a", {}, {"pac": 2, "shared": True, "lr": 1, "steps": 3}, {}, {}),
        ExportedTrial("1", "b", {}, {"lr": 0.5, "steps": "all"}, {}, {}),
    ]
    for tool in FILES:
        family[tool]().write(ExportedRun("a", "Why?", trials, []), tmp_path / tool)
    table = pd.read_parquet(tmp_path / "parquet" / "trials.parquet")
    assert table.dtypes.astype(str).drop("trial.steps").to_dict() == {
        "trial.pac": "Int64",
        "trial.shared": "boolean",
        "trial.lr": "float64",
    }
    assert table["trial.steps"].tolist() == ["3", "all"]
    text = (tmp_path / "csv" / "trials.csv").read_text()
    assert text == "trial.pac,trial.shared,trial.lr,trial.steps\n2,True,1.0,3\n,,0.5,all\n"


def test_two_exports_at_once_are_one(run: Path, tmp_path: Path) -> None:
    """TensorBoard showed each figure twice."""
    place = tmp_path / "place"
    place.mkdir()
    with FileLock(place / ".lock"):
        refused = CliRunner().invoke(main, ["export", str(run), "csv", "--to", str(place)])
    assert refused.exit_code == 2
    assert "another export is under way here" in refused.stderr
    assert "8 trials added" in export(run, "csv", "--to", str(place))
    assert not (place / ".lock").exists()


def test_a_database_that_cannot_be_used_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, or of one that is damaged, MLflow and Trackio ended in a traceback."""

    def write(*_: object) -> int:
        try:
            raise sqlite3.OperationalError("database or disk is full")
        except sqlite3.Error as error:
            raise RuntimeError("of a library") from error

    monkeypatch.setattr(family["csv"], "write", write)
    said = CliRunner().invoke(main, ["export", str(run), "csv"])
    assert said.exit_code == 2
    assert "csv: its database cannot be used: database or disk is full; free" in said.stderr


def test_a_missing_package_is_named_with_its_extra(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and the command that installs it."""
    for tool in ("mlflow", "tensorboard", "parquet", "trackio"):
        for module in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
            monkeypatch.delitem(sys.modules, module)
        for module in ("mlflow", "tensorboard", "pyarrow", "trackio"):
            monkeypatch.setitem(sys.modules, module, None)
        said = CliRunner().invoke(main, ["export", str(run), tool])
        assert said.exit_code == 2
        assert f"pip install 'ganstudy[{family[tool].extra}]'" in said.output
        assert not (run / "exports" / tool).exists()
    assert CliRunner().invoke(main, ["export", str(run), "excel"]).exit_code == 2


def test_tensorboard_reads_back_what_was_written(run: Path) -> None:
    """By its own reader: curves, scalars, settings with tags, and the figures of the report."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    place = run.parent / "board"
    export(run, "tensorboard", "--to", str(place))
    ds = open_run(run).compute()
    trials = each(ds)
    study = str(ds.attrs["study"])
    for one in (trials[0], trials[-1]):
        folder = place / study / str(one["divergence"].item()) / str(one["trial_id"].item())
        events = EventAccumulator(str(folder)).Reload()
        told = events.Scalars("modes_covered")
        assert [event.step for event in told] == ds["step"].values.tolist()
        # Events are in single precision, as curves are.
        np.testing.assert_array_equal(
            [event.value for event in told], one["modes_covered"].values.astype(np.float32)
        )
        data = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        start = plugin_data_pb2.HParamsPluginData.FromString(data).session_start_info
        assert start.hparams["batch"].number_value == 16
        assert start.hparams["tag.seed"].string_value == str(int(one["seed"]))
    images = EventAccumulator(str(place / study / "~report")).Reload().Tags()["images"]
    assert images == ["answer", "curves"]


MLFLOW = """
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient(tracking_uri="sqlite:///" + sys.argv[1] + "/mlflow.db")
found = {}
for study in sys.argv[2:]:
    found[study] = {}
    for run in client.search_runs([client.get_experiment_by_name(study).experiment_id]):
        own = {"tags": dict(run.data.tags), "params": dict(run.data.params)}
        own["status"] = run.info.status
        own["took"] = run.info.end_time - run.info.start_time
        if "arm" in own["tags"]:
            curve = client.get_metric_history(run.info.run_id, "modes_covered")
            own["curve"] = sorted((point.step, point.value) for point in curve)
            own["metrics"] = dict(run.data.metrics)
        else:
            own["figures"] = [f.path for f in client.list_artifacts(run.info.run_id, "figures")]
        found[study][run.data.tags["ganstudy.trial"]] = own
print(json.dumps(found))
"""


def python_with(package: str, folder: Path) -> Path:
    """A Python that has a package, and all that this one has.

    An environment of its own: MLflow is not content with the newest releases of what others need.
    """
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = next((folder / "lib").glob("python*")) / "site-packages"
    paths = [str(Path(__file__).parents[2]), *(p for p in sys.path if p.endswith("site-packages"))]
    (site / "these.pth").write_text("\n".join(paths) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    install = [*pip, "--no-compile", package]
    made = subprocess.run(install, capture_output=True, text=True, check=False, timeout=300)
    if made.returncode:
        pytest.skip(f"{package} cannot be installed here")
    return python


WRITTEN = """
import sys
from contextlib import suppress
from pathlib import Path
from ganstudy import open_run
from ganstudy.cli import main
from ganstudy.export import ExportedRun, ExportedTrial, ExportError, family
run, tool, place = sys.argv[1:]
report, aside = Path(run, "report"), Path(run, "aside")
for source, target in ((report, aside), (aside, report)):
    source.rename(target)
    with suppress(SystemExit):
        main(["export", run, tool, "--to", place], standalone_mode=False)

def trial(id, name, status="complete"):
    return ExportedTrial(id, name, {"arm": "a", "status": status}, {}, {"seconds": 0.0}, {})

def write(study, trials, left=()):
    return family[tool]().write(ExportedRun(study, "Why?", trials, [], left), Path(place))

try:
    write(open_run(run).attrs["study"], [trial("0", "a")])
except ExportError as error:
    print(error)
before = [trial("1", "a, trial 0"), trial("2", "a, trial 1"), trial("3", "a, trial 2")]
now = [trial("1", "a, trial 1"), trial("4", "a, trial 2"), trial("3", "a, trial 2", "pruned")]
print(write("study", before), "and", write("study", now, ["2"]))
"""


def exported(run: Path, tool: str, python: Path, place: Path) -> None:
    """Eight trials at first, without the report, and its figures then; a study of that name, of
    other trials; and one of whose trials one is called otherwise then, one has no place any more,
    one is new, and one was stopped.
    """
    command = [str(python), "-W", "ignore", "-c", WRITTEN, str(run), tool, str(place)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    assert re.findall(r"\d+ trials added", ran.stdout) == ["8 trials added", "0 trials added"]
    assert "holds the export of another run" in ran.stdout
    assert ran.stdout.endswith("\n3 and 3\n")


def read_back(python: Path, script: str, place: Path, *studies: str) -> list[dict[str, Any]]:
    """What a tool's own interface finds of each study, in another process."""
    command = [str(python), "-W", "ignore", "-c", script, str(place), *studies]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    told = json.loads(ran.stdout)
    return [told[study] for study in studies]


def test_the_command_that_opens_an_export_can_be_pasted(run: Path, tmp_path: Path) -> None:
    """Into a shell, or into Python."""
    place = tmp_path / "a b"
    assert f"tensorboard --logdir '{place}'" in export(run, "tensorboard", "--to", str(place))
    assert f"read_parquet('{place}/trials.parquet')" in export(run, "parquet", "--to", str(place))


def test_tensorboard_tells_once_that_a_disk_is_full(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread prints no traceback; with space, all trials are written."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(RecordWriter, "write", full)
        said = CliRunner().invoke(main, ["export", str(run), "tensorboard"])
    place = run / "exports" / "tensorboard"
    assert (said.exit_code, said.stderr) == (2, f"{place}: No space left on device\n")
    assert "8 trials added" in export(run, "tensorboard")


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["report", "~report"])
def test_an_arm_may_be_called_report(run: Path, tmp_path: Path, arm: str) -> None:
    """Its trials were deleted by the figures of their own export."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    trial = ExportedTrial("1", "a", {"arm": arm, "seed": "0"}, {}, {}, {})
    figures = sorted((run / "report").glob("*.png"))
    own = ExportedRun("study", "Why?", [trial], figures)
    assert family["tensorboard"]().write(own, tmp_path) == 1
    assert list((tmp_path / "study").glob("*/1/events*"))
    assert list((tmp_path / "study" / "~report").glob("events*"))


def test_figures_of_an_earlier_version_are_not_kept_beside_the_new_ones(
    run: Path, tmp_path: Path
) -> None:
    """They were in `STUDY/report`, where the trials of an arm may be; nor does a trial stay that
    another tool had noted anew."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    trial = ExportedTrial("2", "a", {"arm": "arm", "seed": "0"}, {}, {}, {})
    (old := tmp_path / "study" / "arm" / "2").mkdir(parents=True)
    (old / "events.out.tfevents.1.host").touch()
    earlier = tmp_path / "study" / "report"
    (earlier / "1").mkdir(parents=True)
    (earlier / "events.out.tfevents.1.host").touch()
    (earlier / "1" / "events.out.tfevents.1.host").touch()
    noted = {"study/report": "before", "study/2": trial.digest}
    (tmp_path / "exported.json").write_text(json.dumps(noted))
    figures = sorted((run / "report").glob("*.png"))
    family["tensorboard"]().write(ExportedRun("study", "Why?", [trial], figures), tmp_path)
    assert [own.name for own in earlier.iterdir()] == ["1"]
    assert len(list((earlier / "1").iterdir())) == 1
    assert not (old / "events.out.tfevents.1.host").exists()
    noted = json.loads((tmp_path / "exported-tensorboard.json").read_text())
    assert sorted(noted) == ["study/2", "study/~report"]


def test_figures_come_though_their_trials_are_there(run: Path) -> None:
    """An export before the report was made, or that was killed before its figures, had none."""
    figures = {own.name: own.read_bytes() for own in (run / "report").glob("*.png")}
    for name in figures:
        (run / "report" / name).unlink()
    place = run / "exports" / "tensorboard"
    export(run, "tensorboard")
    shown = next(own for own in place.iterdir() if own.is_dir()) / "~report"
    assert not shown.exists()
    for name, content in figures.items():
        (run / "report" / name).write_bytes(content)
    assert "0 trials added" in export(run, "tensorboard")
    (first,) = shown.iterdir()
    (run / "report" / "answer.png").unlink()
    (place / ".exported.json.1.partial").touch()
    export(run, "tensorboard")
    assert first.name not in {own.name for own in shown.iterdir()}
    assert not list(place.glob(".*"))


def test_a_setting_that_mlflow_would_cut_has_its_digest_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 6,000 characters and more nothing told two apart that begin alike."""
    client, kept = MagicMock(), dict[str, str]()
    client.search_runs.return_value.token = None
    client.get_experiment_by_name.return_value = None
    client.log_batch = lambda _, params=(), **others: kept.update(params)
    tuples = dict.fromkeys(("Metric", "Param", "RunTag"), lambda *own: own)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "mlflow.entities", SimpleNamespace(**tuples))
    tracking = SimpleNamespace(MlflowClient=lambda **_: client)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", tracking)
    (tmp_path / "mlflow.db").touch()
    settings = {"short": "a" * 6000, "long": "a" * 6001, "longer": "a" * 6002}
    own = ExportedTrial("0", "a", {"status": "complete"}, settings, {"seconds": 1.0}, {})
    assert family["mlflow"]().write(ExportedRun("a", "Why?", [own], []), tmp_path) == 1
    assert kept["short"] == settings["short"]
    assert {len(text) for text in kept.values()} == {6000}
    for name in ("long", "longer"):
        digest = hashlib.sha256(settings[name].encode()).hexdigest()
        assert kept[name].startswith("aaa")
        assert kept[name].endswith(f"a... sha256 {digest}")


@pytest.mark.slow
def test_mlflow_reads_back_what_was_written(run: Path, tmp_path: Path) -> None:
    """By its own client, from its own database: twice exported, once there."""
    place = run.parent / "mlflow"
    with_mlflow = python_with("mlflow-skinny>=3.1", tmp_path / "venv")
    exported(run, "mlflow", with_mlflow, place)
    ds = open_run(run).compute()
    found, changed = read_back(with_mlflow, MLFLOW, place, str(ds.attrs["study"]), "study")
    assert len(found) == 9
    assert found.pop("report")["figures"] == ["figures/answer.png", "figures/curves.png"]
    scores = trial_scores(ds)["score"]
    for one in each(ds.assign(score=scores)):
        own = found[str(one["trial_id"].item())]
        assert own["status"] == "FINISHED"
        assert own["took"] == pytest.approx(1000 * float(one["seconds"]), abs=1.0)
        assert own["tags"]["arm"] == one["divergence"].item()
        assert own["tags"]["seed"] == str(int(one["seed"]))
        assert own["params"]["batch"] == "16"
        assert own["metrics"]["score"] == pytest.approx(float(one["score"]))
        values = one["modes_covered"].values.astype(np.float64).tolist()
        curve = zip(ds["step"].values.tolist(), values, strict=True)
        assert own["curve"] == [list(point) for point in curve]

    names = {i: (x["tags"]["mlflow.runName"], x["tags"]["status"]) for i, x in changed.items()}
    assert names == NOW
    # A folder that has moved: figures were written where it had been.
    moved = place.rename(run.parent / "moved")
    command = [str(with_mlflow), "-W", "ignore", "-m", "ganstudy", "export", str(run), "mlflow"]
    refused = subprocess.run(
        [*command, "--to", str(moved)], capture_output=True, text=True, check=False, timeout=300
    )
    assert refused.returncode == 2
    assert f"{moved}: was made to keep its figures in {place}" in refused.stderr
    assert not place.exists()


NOW = {
    "1": ("a, trial 1", "complete"),
    "3": ("a, trial 2", "pruned"),
    "4": ("a, trial 2", "complete"),
}


TRACKIO = """
import json, os, sys
os.environ["TRACKIO_DIR"] = sys.argv[1]
import trackio
from trackio.sqlite_storage import SQLiteStorage
found = {}
for study in sys.argv[2:]:
    found[study] = {}
    for run in trackio.Api().runs(study):
        logs = SQLiteStorage.get_logs(study, run.name, run_id=run.id)
        found[study][run.id] = {"name": run.name, "config": run.config, "logs": logs}
print(json.dumps(found))
"""


@pytest.mark.slow
def test_trackio_reads_back_what_was_written(run: Path, tmp_path: Path) -> None:
    """By its own interface: every curve and scalar, settings with tags, and the figures."""
    place = run.parent / "tracked"
    python = (
        Path(sys.executable)
        if importlib.util.find_spec("trackio")
        else python_with("trackio>=0.43", tmp_path / "venv")
    )
    exported(run, "trackio", python, place)
    ds = open_run(run).compute()
    found, changed = read_back(python, TRACKIO, place, str(ds.attrs["study"]), "study")
    names = {i: (own["name"], own["config"]["tag.status"]) for i, own in changed.items()}
    assert names == NOW
    assert len(found) == 9
    (images,) = found.pop("the report")["logs"]
    for name in ("answer", "curves"):
        assert images[name]["_type"] == "trackio.image"
        figure = place / "media" / images[name]["file_path"]
        assert figure.read_bytes() == (run / "report" / f"{name}.png").read_bytes()
    for one in each(ds.assign(score=trial_scores(ds)["score"])):
        own = found[str(one["trial_id"].item())]
        setting = f"{one['divergence'].item()}, critic.steps {int(one['critic_steps'])}"
        assert own["name"] == f"{setting}, seed {int(one['seed'])}"
        assert own["config"]["_Group"] == one["divergence"].item()
        assert own["config"]["tag.seed"] == str(int(one["seed"]))
        assert own["config"]["batch"] == 16
        assert [row["step"] for row in own["logs"]] == ds["step"].values.tolist()
        curve = [row["modes_covered"] for row in own["logs"]]
        assert curve == one["modes_covered"].values.astype(np.float64).tolist()
        assert own["logs"][-1]["final/score"] == pytest.approx(float(one["score"]))
