"""Datasets as people handle them in notebooks: selections, averages, and what there is to call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ganstudy import analysis, open_run, plot
from ganstudy.analysis.accessor import Gan
from ganstudy.report.answer import answer
from ganstudy.report.findings import Findings
from ganstudy.report.prose import quoted

ARMS = ["minimax", "hinge"]


@pytest.fixture
def ds(make_study: Callable[..., xr.Dataset]) -> xr.Dataset:
    return make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=3, steps=6, samples=9)


@pytest.mark.parametrize("figure", ["heatmap", "ranking", "curves", "gallery"])
def test_one_seed_can_be_drawn(ds: xr.Dataset, figure: str) -> None:
    """`ds.isel(seed=0)` is a study of one seed, as `ds.isel(seed=[0])` is."""
    drawn = [getattr(plot, figure)(own) for own in (ds.isel(seed=0), ds.isel(seed=[0]))]
    one, other = (np.ravel(panels)[0] for panels in drawn)
    assert one.get_title() == other.get_title()
    assert len(one.lines) == len(other.lines)


@pytest.mark.parametrize("verb", ["arm_scores", "rank_arms", "trial_scores", "stability"])
def test_one_seed_has_statistics(ds: xr.Dataset, verb: str) -> None:
    one, other = (getattr(own.gan, verb)() for own in (ds.isel(seed=0), ds.isel(seed=[0])))
    xr.testing.assert_equal(one, other)


def test_tables_of_statistics_have_no_settings_as_json(ds: xr.Dataset) -> None:
    """What the target is stood in every row of a table for a paper."""
    divergences = [json.dumps({"name": arm}) for arm in ARMS]
    ds = ds.assign_coords(target_settings="{...}", divergence_settings=("divergence", divergences))
    verbs = ("trial_scores", "arm_scores", "setting_scores", "rank_arms", "compare_arms")
    for verb in (*verbs, "rank_table", "stability", "equilibrium", "compare_by_resampling"):
        coords = map(str, getattr(ds.gan, verb)().coords)
        assert not [name for name in coords if name.endswith("_settings")], verb
    assert "target_settings" not in ds.gan.marginal_means("lr").coords


def test_one_step_has_statistics(ds: xr.Dataset) -> None:
    one, other = (own.gan.arm_scores() for own in (ds.isel(step=-1), ds.isel(step=[-1])))
    xr.testing.assert_equal(one, other)


def test_what_is_averaged_says_so(ds: xr.Dataset) -> None:
    """Statistics are over seeds; without them, or without what names the arms, there are none."""
    numbers = ds[[name for name in ds.data_vars if ds[name].dtype.kind == "f"]]
    with pytest.raises(ValueError, match=r"without `status`.*average over seeds themselves"):
        numbers.mean("seed").gan.rank_arms()
    with pytest.raises(ValueError, match="averaged or dropped"):
        ds.isel(seed=0, drop=True).gan.rank_arms()
    with pytest.raises(ValueError, match="its attributes"):
        ds.drop_attrs().gan.rank_arms()


def test_a_run_can_be_averaged_over_seeds(tiny_run: Path) -> None:
    """Text in a dataset that has no seeds must not keep the numbers beside it from a mean."""
    averaged = open_run(tiny_run).mean("seed")
    assert averaged["target_settings"].dtype.kind in "UT"
    assert "seed" not in averaged["modes_covered"].dims
    assert "rank_arms" in repr(averaged.gan)
    with pytest.raises(ValueError, match=r"without `status`.*average over seeds themselves"):
        averaged.gan.rank_arms()


def test_the_accessor_says_what_it_can_do(ds: xr.Dataset) -> None:
    assert isinstance(ds.gan, Gan)
    text = repr(ds.gan)
    for verb in ("rank_arms", "arm_scores", "original_units"):
        assert f"  {verb} " in text
    assert str(analysis.rank_arms.__name__) in text


def test_the_module_of_figures_lists_figures() -> None:
    """Nothing that is imported there for its own use."""
    listed = dir(plot)
    assert {"heatmap", "ranking", "pictures"} <= set(listed)
    assert all(callable(getattr(plot, name)) for name in listed)
    assert not {"np", "Any", "annotations", "Findings", "plt"} & set(listed)


def test_nothing_is_inferred_where_nothing_is_left_to_chance(ds: xr.Dataset) -> None:
    """Of a game, seeds are starts: differences without p values."""
    exact = ds.assign_attrs(deterministic=1)
    ranked, plain = exact.gan.rank_arms(), ds.gan.rank_arms()
    xr.testing.assert_equal(ranked["mean"], plain["mean"])
    xr.testing.assert_allclose(ranked["difference"], plain["difference"])
    assert np.isnan(ranked[["p", "low", "high"]].to_array()).all()
    assert np.isfinite(plain["p"]).any()


def test_drops_that_are_equal_have_no_most_and_no_least(ds: xr.Dataset) -> None:
    """ "0.0 times, the most, and 0.0 times, the least" says nothing twice."""
    ds["modes_covered"][1] = ds["modes_covered"].isel(divergence=0, drop=True)
    said = " ".join(str(sentence.text) for sentence in answer(Findings.of(ds)).sentences)
    assert "times per trial with every arm" in said
    assert "the least" not in said


def test_what_never_drops_does_so_never(ds: xr.Dataset) -> None:
    ds["modes_covered"][:] = 4.0
    said = " ".join(str(sentence.text) for sentence in answer(Findings.of(ds)).sentences)
    assert "never fell by more than" in said
    assert "0.0 times" not in said


@pytest.mark.parametrize("name", ["negative momentum, alternating", "run: hinge", "none", "Both"])
def test_names_that_would_read_as_a_part_of_the_sentence_are_quoted(name: str) -> None:
    """`leaning ahead of none` said that it was ahead of no arm, where one was called that."""
    assert quoted(name) == f"“{name}”"
    assert quoted("alternating") == "alternating"
