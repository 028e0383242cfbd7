"""Metrics after the fact, and the dataset in other formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from ganstudy import analysis, open_run, plot
from ganstudy.metrics import Metric, Reading
from ganstudy.metrics import family as metrics
from ganstudy.targets import Target


class FirstFeature(Metric):
    """Mean of the first feature: a metric that a notebook might state."""

    def compute(self, samples: NDArray[Any], target: Target) -> NDArray[Any]:
        """Shapes `(*pack, samples, dimension) -> (*pack,)`."""
        return np.asarray(samples[..., 0].mean(-1), np.float64)

    def reading(self, target: Target) -> Reading:
        """Unbounded."""
        return Reading("first feature", "1", "lower", (-np.inf, np.inf), 0.0)


@pytest.fixture(scope="module")
def ds(tiny_run: Path) -> xr.Dataset:
    """A run that was trained, with a trial that did not complete."""
    ds = open_run(tiny_run).compute()
    ds["status"][0, 0, 0] = "failed"
    return ds


@pytest.mark.parametrize("name", ["modes_covered", "high_quality", "mode_kl"])
def test_what_is_measured_is_what_was_recorded(ds: xr.Dataset, name: str) -> None:
    own = ds.gan.measured(metrics[name](), "again")
    complete = (ds["status"] == "complete").values
    recorded, again = ds[name].transpose(*own["again"].dims), own["again"]
    np.testing.assert_allclose(
        again.isel(step=-1).values[complete], recorded.isel(step=-1).values[complete], rtol=1e-6
    )
    assert np.isnan(again.values[~complete]).all()
    assert np.isnan(again.isel(step=slice(None, -1))).all()
    for key in ("long_name", "units", "direction", "bounds", "value_at_equality", "role"):
        assert again.attrs[key] == ds[name].attrs[key], key
    np.testing.assert_array_equal(own["again_perfect"], ds[f"{name}_perfect"])
    assert own.gan.rank_arms("again").attrs["metric"] == "again"


def test_a_trial_is_measured_at_its_own_last_record(ds: xr.Dataset) -> None:
    shorter = ds.copy(deep=True)
    for name in analysis.metric_names(ds):
        shorter[name][1, 1, 1, -1] = np.nan
    own = shorter.gan.measured(FirstFeature(), "own")["own"].isel(
        divergence=1, critic_steps=1, seed=1
    )
    expected = ds["samples"].isel(divergence=1, critic_steps=1, seed=1, feature=0).mean()
    np.testing.assert_allclose(own, [np.nan, expected, np.nan], rtol=1e-6)


def test_a_target_that_is_refused_today_is_read(ds: xr.Dataset) -> None:
    """Statistics of samples raised of it, where figures of the same samples did not."""
    ring = json.loads(str(ds["target_settings"].item()))
    recorded = ds.assign(target_settings=json.dumps({**ring, "std": 1e-40}))
    own = recorded.gan.measured(FirstFeature(), "own")["own"].isel(step=-1)
    assert np.isfinite(own.values[(ds["status"] == "complete").values]).all()
    labelled = recorded.assign(labels=ds["samples"].isel(feature=0).astype(int) * 0)
    assert analysis.label_scores(labelled) is not None


def test_targets_may_differ_and_samples_be_padded(ds: xr.Dataset) -> None:
    ring = json.loads(str(ds["target_settings"].item()))
    texts = [json.dumps({**ring, "modes": modes}) for modes in (4, 5)]
    padded = ds.assign(target_settings=("critic_steps", texts))
    padded["samples"][1, 1, 1, 20:] = np.nan
    own = padded.gan.measured(FirstFeature(), "own")
    expected = ds["samples"][1, 1, 1, :20, 0].mean()
    np.testing.assert_allclose(own["own"][1, 1, 1, -1], expected, rtol=1e-6)
    assert own["own_perfect"].dims == ("critic_steps", "draw")
    covered = padded.gan.measured(metrics["modes_covered"](), "own")
    assert covered["own"].attrs["bounds"] == (0.0, 5.0)
    assert covered["own_perfect"].max("draw").values.tolist() == [4.0, 5.0]
    assert covered["own_at_equality"].values.tolist() == [4.0, 5.0]
    assert "own_worst" not in own


def test_what_cannot_be_measured_says_why(ds: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="has a variable 'mode_kl' already"):
        ds.gan.measured(metrics["mode_kl"]())
    with pytest.raises(ValueError, match="own: the dataset keeps no samples"):
        ds.drop_vars("samples").gan.measured(FirstFeature(), "own")
    unlabelled = ds.assign(target_settings='{"name": "swiss_roll"}')
    with pytest.raises(ValueError, match="own: ") as found:
        unlabelled.gan.measured(metrics["label_accuracy"](), "own")
    assert "label" in str(found.value)


def test_a_metric_can_be_named(ds: xr.Dataset) -> None:
    named = ds.gan.measured("sliced_wasserstein")
    xr.testing.assert_identical(named, ds.gan.measured(metrics["sliced_wasserstein"]()))
    told = r"no 'wasserstien_1' in ganstudy.metrics; did you mean 'wasserstein_1'\?"
    with pytest.raises(KeyError, match=told):
        ds.gan.measured("wasserstien_1")
    with pytest.raises(KeyError, match=told):
        _ = metrics["wasserstien_1"]
    with pytest.raises(TypeError, match=r"not .*FirstFeature.*; write FirstFeature\(\)$"):
        ds.gan.measured(FirstFeature)
    with pytest.raises(TypeError, match=r"a metric is asked for, or the name of one, and not 3$"):
        ds.gan.measured(3)


@pytest.mark.slow
def test_netcdf_brings_everything_back(tiny_run: Path, tmp_path: Path) -> None:
    ds = open_run(tiny_run)
    ds.to_netcdf(tmp_path / "study.nc")
    with xr.open_dataset(tmp_path / "study.nc") as again:
        xr.testing.assert_identical(again.compute(), ds.compute())
        xr.testing.assert_identical(again.gan.rank_arms(), ds.gan.rank_arms())
        assert plot.ranking(again)[0].get_xlabel() == "modes covered"


def test_pandas_has_a_row_for_each_trial_and_step(tiny_run: Path) -> None:
    ds = open_run(tiny_run)
    table = ds[["status", "modes_covered"]].to_dataframe()
    assert table.index.names == ["divergence", "critic_steps", "seed", "step"]
    assert len(table) == 2 * 2 * 2 * 3
    here = table.loc[("minimax", 1, 0, 60)]
    assert here.modes_covered == ds.modes_covered.sel(
        divergence="minimax", critic_steps=1, seed=0, step=60
    )
    assert here.status == "complete"
