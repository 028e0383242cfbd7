"""Statistics of what was selected, turned or put together from the dataset of a run."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ganstudy import analysis, open_run, plot
from ganstudy.metrics import family as metrics

ARMS = ["minimax", "hinge"]


@pytest.fixture
def ds(make_study: Callable[..., xr.Dataset]) -> xr.Dataset:
    study = make_study({"divergence": ARMS, "lr": [1, 2], "width": [8, 9]}, seeds=3, steps=6)
    return study.assign_attrs(axes=["divergence", "lr", "width"])


@pytest.mark.parametrize("verb", ["arm_scores", "stability", "best_setting_scores"])
def test_one_arm_is_a_study_of_one_arm(ds: xr.Dataset, verb: str) -> None:
    one, other = (ds.sel(divergence=own) for own in ("hinge", ["hinge"]))
    xr.testing.assert_equal(getattr(one.gan, verb)(), getattr(other.gan, verb)())
    drawn, other = (np.ravel(plot.ranking(own))[0] for own in (one, other))
    assert drawn.get_xlim() == other.get_xlim()


def test_functions_take_what_verbs_take(ds: xr.Dataset) -> None:
    one = ds.isel(seed=0)
    xr.testing.assert_equal(analysis.arm_scores(one), one.gan.arm_scores())
    assert analysis.status_counts(one).sum() == 8


@pytest.mark.parametrize("verb", ["best_setting_scores", "factor_effects", "setting_scores"])
def test_the_order_of_dimensions_changes_nothing(ds: xr.Dataset, verb: str) -> None:
    """Of settings with equal means the first was that of the order into which they were turned."""
    xr.testing.assert_identical(getattr(ds.transpose().gan, verb)(), getattr(ds.gan, verb)())


@pytest.mark.slow
def test_a_run_can_be_turned_and_written_as_zarr(tiny_run: Path, tmp_path: Path) -> None:
    ds = open_run(tiny_run)
    own = metrics["sliced_wasserstein"]()
    xr.testing.assert_equal(
        ds.transpose("seed", ...).gan.measured(own).gan.arm_scores("sliced_wasserstein"),
        ds.gan.measured(own).gan.arm_scores("sliced_wasserstein"),
    )
    assert np.ravel(plot.film(ds.transpose())).size == np.ravel(plot.film(ds)).size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr says that its version 3 has no standard for text
        ds.to_zarr(tmp_path / "copy.zarr")
    copy = xr.open_zarr(tmp_path / "copy.zarr", chunks=None)
    xr.testing.assert_equal(copy.gan.rank_arms(), ds.gan.rank_arms())


OF_ANY = {
    *("along_studies", "is_search", "is_settled_by_seeds", "metric_names"),  # what a dataset is
    *("arm_dim", "with_arms", "label_scores"),
}
"""Functions that ask for less than the dataset of a run."""


OF_RUNS = {
    name: list(inspect.signature(function).parameters.values())
    for name, function in inspect.getmembers(analysis, inspect.isfunction)
    if name in analysis.__all__ and name not in OF_ANY
}


@pytest.mark.parametrize("name", [n for n, own in OF_RUNS.items() if own[0].name == "ds"])
def test_every_function_says_what_it_does_not_take(name: str) -> None:
    averaged = xr.Dataset({"modes_covered": ("step", [1.0, 2.0])})
    required = {own.name: None for own in OF_RUNS[name][1:] if own.default is own.empty}
    with pytest.raises(ValueError, match=r"no dataset of a run|no search by|no joined studies"):
        getattr(analysis, name)(averaged, **required)


def test_scores_can_be_kept_beside_the_metrics(ds: xr.Dataset) -> None:
    """They have the attributes of the metric, and no steps."""
    kept = ds.assign(score=analysis.trial_scores(ds)["score"])
    xr.testing.assert_identical(kept.gan.rank_arms(), ds.gan.rank_arms())


def test_a_variable_of_ones_own_needs_the_attributes_of_a_metric(ds: xr.Dataset) -> None:
    """Which arithmetic takes away, so that no metric of its name is known."""
    name = str(ds.attrs["score"])
    halved = ds.assign(halved=ds[name].drop_attrs() / 2)
    with pytest.raises(KeyError, match="without the attributes of one"):
        halved.gan.rank_arms("halved")
    halved["halved"].attrs = ds[name].attrs
    np.testing.assert_allclose(
        2 * halved.gan.arm_scores("halved")["mean"], ds.gan.arm_scores()["mean"]
    )


def test_parts_of_a_run_that_are_put_together_have_its_perfect_sampler(ds: xr.Dataset) -> None:
    """Its clouds counted once for each arm, by which their spread was another one."""
    parts = [ds.isel(divergence=[arm]) for arm in range(ds.sizes["divergence"])]
    again = xr.concat(parts, "divergence", data_vars="all", combine_attrs="override", join="outer")
    assert "divergence" in again["modes_covered_perfect"].dims
    xr.testing.assert_identical(analysis.perfect_sampler(again), analysis.perfect_sampler(ds))


def test_what_is_no_selection_is_refused_in_words(ds: xr.Dataset) -> None:
    for nothing, dim in (({"seed": []}, "seed"), ({"divergence": []}, "divergence")):
        with pytest.raises(ValueError, match=f"nothing is selected along '{dim}'"):
            ds.isel(nothing).gan.rank_arms()
    with pytest.raises(ValueError, match="nothing is selected along 'step'"):
        ds.sel(step=slice(10**6, None)).gan.rank_arms()
    with pytest.raises(ValueError, match="steps have been averaged or dropped"):
        ds.isel(step=-1, drop=True).gan.rank_arms()
    with pytest.raises(ValueError, match=r"keep it, or say .*assign_attrs\(compare='lr'\)"):
        ds.isel(divergence=0, drop=True).gan.rank_arms()
    with pytest.raises(ValueError, match=r"seed 0 is there more than once.*open_runs"):
        ds.isel(seed=[0, 0, 1]).gan.rank_arms()


@pytest.mark.parametrize("name", ["budget_curve", "tuned", "importances", "parameters_of"])
def test_a_grid_is_no_search(ds: xr.Dataset, name: str) -> None:
    """`KeyError: 'sampler'` was said of it, or that a dimension does not exist."""
    with pytest.raises(ValueError, match="no search by results: its study is a grid"):
        getattr(analysis, name)(ds)


@pytest.mark.parametrize("name", ["rank_studies", "first_choice", "study_effects"])
def test_a_run_alone_is_no_joined_studies(ds: xr.Dataset, name: str) -> None:
    with pytest.raises(ValueError, match=r"no joined studies: open them with .*along='study'"):
        getattr(analysis, name)(ds)


@pytest.mark.slow
def test_one_seed_or_arm_of_a_search_is_a_search(search: xr.Dataset) -> None:
    """What is known of points, as that they keep constraints, came to lie along seeds."""
    for one, other in (({"seed": 0}, {"seed": [0]}), ({"divergence": 0}, {"divergence": [0]})):
        first, second = (analysis.best_by_budget(search.isel(own)) for own in (one, other))
        xr.testing.assert_equal(first, second)
        xr.testing.assert_equal(
            *(analysis.tuned(search.isel(own))["status"] for own in (one, other))
        )
