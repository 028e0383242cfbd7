"""A kind of one's own: its numbers are kept, scored, exported and joined as those of others are."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from tiny import write_study
from unrendered import unrendered

from ganstudy import analysis, open_run, open_runs, pipeline, plugins
from ganstudy.cli import main
from ganstudy.study import load

DOWNHILL = Path(__file__).parents[3] / "docs" / "plugins" / "downhill.py"

KEPT = '''\
"""Numbers of any type."""

import numpy as np
from pydantic import Field

from ganstudy.engine.session import ALONE
from ganstudy.kinds import Kind
from ganstudy.trial import Record
from ganstudy.variable import Reading, Variable


class Kept(Kind):
    steps: int = Field(5, ge=1, description="steps")
    dtype: str = Field("f4", description="of all that is kept")
    x: float | None = Field(None, description="nothing of account")

    def pack_key(self):
        return f"kept {self.steps} {self.dtype}"

    def graph_key(self):
        return "kept"

    def cost(self):
        return 1e-4

    def working_set(self):
        return 8

    def variables(self):
        height = Reading("height", "", "higher", (0.0, 1.0), 1.0)
        return (
            Variable.of_metric("height", height),
            Variable("whole", "", ()),
            Variable("ends", "", ("end",)),
            Variable("places", "", ("place",)),
            Variable("place", "", ("place",)),
        )

    def train(self, trials, session=ALONE):
        if trials[0].configuration.dtype == "U":
            values = {"ends": np.zeros(2), "places": np.ones(2), "place": np.array(["a", "far"])}
        else:
            ones = np.ones(self.steps).astype(self.dtype)
            values = {"step": np.arange(self.steps), "height": ones, "whole": ones[0]}
            values |= {"ends": ones[:3]}
        return [Record.of(own, session, self.variables(), values, 0.1) for own in trials]
'''
KINDS = {np.dtype(letter).str for letter in "?bBhHiIlLqQefdg"} | {">i4", ">f8"}
"""Of numbers and truths, as NumPy has them."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test has loaded is forgotten after it."""
    yield
    plugins.forget()


def trained(folder: Path, name: str, text: str, grid: str, *overrides: str) -> Path:
    """The run of a study of the kind that such a plug-in has."""
    (folder / "own.py").write_text(text, encoding="utf-8")
    lines = ["plugins: [own.py]", "question: Which?", f"search: {{grid: {grid}}}", "seeds: 2"]
    path = write_study(folder, "\n".join([*lines, "trial: {kind: own}", ""]), f"{name}.yaml")
    with trained_inline(), unrendered():
        pipeline.run(load(path, overrides), folder / name, workers=1)
    return folder / name


@pytest.mark.slow
def test_numbers_of_any_type_are_kept(tmp_path: Path) -> None:
    """Whole ones had -1 where there was none, truths had True, and some ended the run."""
    grid = f"{{dtype: {json.dumps(sorted(KINDS))}, steps: [2, 5]}}"
    run = trained(tmp_path, "run", KEPT, grid, "compare=dtype", "seeds=1")
    ds = open_run(run)
    assert (ds["status"] == "complete").all()
    for own in KINDS:
        one = ds.sel(dtype=own)
        np.testing.assert_array_equal(one["height"].sel(steps=5, seed=0), np.ones(5))
        np.testing.assert_array_equal(one["height"].sel(steps=2, seed=0), [1, 1, *[np.nan] * 3])
        np.testing.assert_array_equal(one["ends"].sel(steps=2, seed=0), [1, 1, np.nan])
        assert (one["whole"] == 1).all()
    assert (ds.gan.trial_scores()["score"] == 1).all()
    done = CliRunner().invoke(
        main, ["export", str(run), "csv", "--to", str(tmp_path / "out"), "--plugins"]
    )
    assert done.exit_code == 0, done.output
    for table, column in (("trials", "score"), ("trials", "whole"), ("curves", "value")):
        with (tmp_path / "out" / f"{table}.csv").open() as file:
            assert {float(row[column]) for row in csv.DictReader(file)} == {1.0}


def test_texts_are_kept_where_they_name_places(tmp_path: Path) -> None:
    """They came back as bytes, and a value for a trial ended the run when all was trained."""
    ds = open_run(trained(tmp_path, "run", KEPT, "{dtype: [U, f4]}"))
    assert ds["place"].values.tolist() == ["a", "far"]
    assert (ds["places"].sel(dtype="U", place="far") == 1).all()
    assert ds["places"].sel(dtype="f4").isnull().all()


@pytest.mark.slow
def test_runs_of_the_kind_of_the_how_to_are_joined(tmp_path: Path) -> None:
    """Their ends, which have no labels, were a `KeyError`."""
    text = DOWNHILL.read_text(encoding="utf-8")
    one = trained(tmp_path, "one", text, "{lr: [0.1, 0.2]}")
    other = trained(tmp_path, "other", text, "{lr: [0.2, 0.3]}", "seeds=3")
    joined = open_runs(one, other)
    assert joined["ends"].dims == ("arm", "seed", "end")
    assert "end" not in joined.coords
    for run, arm in ((one, "one: lr 0.2"), (other, "other: lr 0.3")):
        own = open_run(run).sel(lr=float(arm[-3:]))
        here = joined.sel(arm=arm, seed=own["seed"])
        for name in ("height", "ends"):
            np.testing.assert_array_equal(here[name], own[name])
    assert joined["ends"].sel(arm="one: lr 0.1", seed=2).isnull().all()


@pytest.mark.slow
def test_dimensions_of_other_lengths_are_joined(tmp_path: Path) -> None:
    """Along studies xarray refused them, and side by side was a `KeyError`."""
    runs = [
        trained(tmp_path, name, KEPT, "{dtype: [f4, U]}", f"trial.steps={steps}")
        for name, steps in (("one", 2), ("other", 5))
    ]
    joined = open_runs(*runs)
    assert joined["place"].values.tolist() == ["a", "far"]
    ends = joined["ends"].sel(seed=0)
    assert ends.sel(arm="one: f4").values.tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    assert ends.sel(arm="other: f4").values.tolist() == [1, 1, 1]
    along = open_runs(*runs, along="study")
    for run in runs:
        alone = analysis.of_study(along, run.name)
        for name in ("height", "ends", "places", "whole"):
            xr.testing.assert_equal(alone[name], open_run(run)[name])


@pytest.mark.slow
def test_runs_stand_at_numbers_whatever_is_beside_them(tmp_path: Path) -> None:
    """Among texts 2.0 was "2.0" in one run and "2" in another, and to six digits all was one."""
    named = {
        name: trained(tmp_path, name, KEPT, f"{{dtype: [f4, f8], {axis}}}", *own)
        for name, axis, own in (
            ("mixed", "x: [null, 2.0]", []),
            ("whole", "x: [2.0, 3.0]", []),
            ("close", "x: [1.0000001, 1.0000002]", []),
            ("alone", "steps: [5]", ["trial.x=2.0"]),
            ("none", "steps: [5]", ["trial.x=null"]),
        )
    }
    ds = open_runs(named["mixed"], named["whole"], named["alone"])
    assert ds["x"].values.tolist() == ["none", "2.0", "3"]
    assert (ds["status"].sel(x="2.0") == "complete").all()
    ds = open_runs(named["mixed"], named["close"], named["none"])
    assert ds["x"].values.tolist() == ["none", "2.0", "1.0000001", "1.0000002"]
    assert (ds["status"].sel(x="none", arm=["mixed: f4", "none: f4"]) == "complete").all()
