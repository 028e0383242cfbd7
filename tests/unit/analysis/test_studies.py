"""Runs of the same arms on different targets, joined along `study`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from joined_studies import FILES, made_run, text_of

from ganstudy import analysis, open_run, open_runs
from ganstudy.cli import main
from ganstudy.store.place import Unlike


def test_study_is_one_more_axis(joined: xr.Dataset) -> None:
    places = ("divergence", "constraint", "study", "repeat", "trial", "seed")
    assert joined["status"].dims == places
    assert joined["study"].values.tolist() == list(FILES)
    assert joined["generator_lr"].dims == places[:-1]
    assert joined["target_settings"].dims == ("study",)
    assert joined.attrs["axes"] == list(places[:-1])
    assert analysis.arm_dim(joined) == "divergence"
    assert analysis.is_search(joined)
    assert joined["energy_distance"].sel(study="ring").isnull().all()
    # A metric of both targets is read by both, and bounds hold for both.
    assert joined["sliced_wasserstein"].notnull().any(places[:2] + places[3:] + ("step",)).all()
    curve = analysis.budget_curve(joined, "sliced_wasserstein")
    assert curve["best"].dims == ("divergence", "constraint", "study", "trial")


@pytest.mark.parametrize("name", FILES)
def test_one_study_is_as_it_was_alone(name: str, targets: list[Path], joined: xr.Dataset) -> None:
    """To the last bit, and with its own score: but for samples."""
    alone = open_run(targets[list(FILES).index(name)])
    one = analysis.of_study(joined, name)
    alone = alone.drop_dims({"sample", "feature"} & set(alone.dims))
    xr.testing.assert_identical(one, alone[list(one.data_vars)])
    assert set(alone.data_vars) == set(one.data_vars)
    assert one.attrs["score"] == FILES[name][2].split(": ")[1][:-1]
    xr.testing.assert_identical(analysis.budget_curve(one), analysis.budget_curve(alone))


@pytest.mark.slow
def test_it_outlives_a_netcdf_file(joined: xr.Dataset, tmp_path: Path) -> None:
    joined.to_netcdf(tmp_path / "joined.nc")
    with xr.open_dataset(tmp_path / "joined.nc") as kept:
        ours, its = analysis.of_study(joined, "roll"), analysis.of_study(kept.load(), "roll")
    xr.testing.assert_equal(its.astype(object), ours.astype(object))
    assert its.attrs.keys() == ours.attrs.keys()


@pytest.mark.slow
def test_more_points_and_seeds_of_one_are_excluded_in_the_other(
    targets: list[Path], tmp_path: Path
) -> None:
    more = text_of("roll").replace("trials: 4", "trials: 5").replace("fresh: 2", "fresh: 3")
    larger = made_run(tmp_path, "roll", more)
    joined = open_runs(targets[0], larger, along="study")
    assert (joined["status"].sel(study="ring", trial=4) == "excluded").all()
    assert joined["fresh"].values.tolist() == [False, True, True, True]
    for name, path in (("ring", targets[0]), ("roll", larger)):
        alone, one = open_run(path), analysis.of_study(joined, name)
        xr.testing.assert_identical(one["status"], alone["status"])
        xr.testing.assert_identical(one["critic_steps"], alone["critic_steps"])


def test_a_study_without_any_number_has_no_scores(joined: xr.Dataset) -> None:
    """Where all of one had failed, or diverged before the first record, no page came of any."""
    none = joined.copy()
    for name, own in joined.data_vars.items():
        if "step" in own.dims:
            none[name] = own.where(joined["study"] != "roll")
    assert analysis.study_scores(none).sel(study="roll").isnull().all()
    xr.testing.assert_identical(analysis.of_study(none, "ring"), analysis.of_study(joined, "ring"))


def test_a_folder_of_runs_stands_for_all_of_them(targets: list[Path], joined: xr.Dataset) -> None:
    xr.testing.assert_identical(open_runs(targets[0].parent, along="study"), joined)


REFUSED = {
    "arms": (("hinge", "least_squares"), "divergence is .*: .*roll has no hinge"),
    "axes": (("    constraint:\n", "    held_by:\n"), "axes are divergence, constraint and"),
    "meaning": (("weight: 0.1}]", "weight: 0.2}]"), "at constraint R1 and R2"),
    "space": (("high: 1e-2", "high: 1e-1"), "in the space generator.lr is .*0.01.*0.1"),
    "sampler": (("sampler: random", "sampler: qmc"), "sampler is random and qmc"),
    "repeats": (("    repeats: 3\n    fresh: 2\n", ""), "only one of them repeats its searches"),
}


@pytest.mark.slow
@pytest.mark.parametrize("difference", REFUSED)
def test_what_cannot_be_joined_is_refused(
    difference: str, targets: list[Path], tmp_path: Path
) -> None:
    """Exit code 2, both runs and the difference named, nothing written."""
    (old, new), message = REFUSED[difference]
    other = made_run(tmp_path, "roll", text_of("roll").replace(old, new))
    out = tmp_path / "out"
    words = ["compare", str(targets[0]), str(other), "--along", "study", "--out", str(out)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert re.search(message, result.output), result.output
    assert str(other) in result.output
    assert not out.exists()


@pytest.mark.slow
def test_points_that_a_sampler_drew_are_not_joined_with_those_of_chance(tmp_path: Path) -> None:
    """The curve of a budget is a mean over choices for the one, and of an order for the other."""
    runs = [
        made_run(
            tmp_path,
            name,
            text_of(name).replace("sampler: random", f"sampler: tpe\n    startup: {startup}"),
        )
        for name, startup in (("ring", 2), ("roll", 4))
    ]
    with pytest.raises(Unlike, match="points are drawn by tpe and random: see `startup`"):
        open_runs(*runs, along="study")


@pytest.mark.slow
def test_side_by_side_they_are_refused_with_advice(targets: list[Path], tmp_path: Path) -> None:
    ring = text_of("ring").replace("modes: 4", "modes: 5")
    result = CliRunner().invoke(
        main, ["compare", str(targets[0]), str(made_run(tmp_path, "five", ring))]
    )
    assert result.exit_code == 2
    assert "`--along study`" in result.output


def test_what_is_no_joined_study_is_refused(targets: list[Path], joined: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="no joined studies"):
        analysis.of_study(open_run(targets[0]), "ring")
    with pytest.raises(KeyError, match="no study 'grid'; the dataset has ring, roll"):
        analysis.of_study(joined, "grid")
    assert "modes" in json.dumps(json.loads(joined.attrs["differences"]))
    assert np.isfinite(joined["sliced_wasserstein_perfect"]).all()
