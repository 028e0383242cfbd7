"""Cycles in losses that have none, by simulation: losses drift and are measured with noise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from ganstudy import analysis
from ganstudy.analysis.periods import periodicity
from tests.statistical.simulated import Array, four_standard_errors


def red(rng: np.random.Generator, memory: float, white: float, shape: tuple[int, int]) -> Array:
    """Autoregression of the first order, in its stationary state, under white noise."""
    drift = lfilter([1.0], [1.0, -memory], rng.normal(size=(shape[0], shape[1] + 400)))[:, 400:]
    return np.asarray(drift + white * drift.std() * rng.normal(size=shape))


@pytest.mark.parametrize("records", [25, 50, 100])
@pytest.mark.parametrize(("memory", "white"), [(0.0, 0.0), (0.6, 0.0), (0.95, 0.0), (0.95, 1.0)])
def test_red_noise_is_no_cycle(memory: float, white: float, records: int) -> None:
    """Against white noise 35 to 93 % of losses with 50 records would have a cycle."""
    runs = 500
    curves = red(np.random.default_rng(records), memory, white, (runs, records))
    wrong = np.mean(periodicity(curves)[2] < 0.05)
    assert wrong < 0.05 + four_standard_errors(0.05, runs)


@pytest.mark.parametrize(("records", "found"), [(25, 0.4), (50, 0.7), (100, 0.95)])
def test_a_cycle_in_red_noise_is_found(records: int, found: float) -> None:
    """A sine of one and a half standard deviations, a period every six records."""
    curves = red(np.random.default_rng(1), 0.5, 0.0, (300, records))
    curves += 1.5 * curves.std() * np.sin(2 * np.pi * np.arange(records) / 6)
    _, period, p = periodicity(curves)
    assert np.mean(p < 0.05) > found
    assert abs(np.median(period[p < 0.05]) - 6) < 0.3


def losses(curves: Array) -> xr.Dataset:
    """Two arms, `(2, settings, seeds, steps)`."""
    dims = ("arm", "lr", "seed", "step")
    status = np.full(curves.shape[:3], "complete")
    coords = {"step": 10 * np.arange(curves.shape[3]), "seed": np.arange(curves.shape[2])}
    variables = {"status": (dims[:3], status), "critic_loss": (dims, curves)}
    return xr.Dataset(variables, coords={**coords, "arm": ["a", "b"]}, attrs={"compare": "arm"})


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "settings"), [(12, 1), (6, 8)])
def test_no_period_is_stated_that_chance_explains(seeds: int, settings: int) -> None:
    """One loss in twenty has a cycle by chance; of 100 studies without any, few state a period.

    Trials of a seed share what is random: a cycle of one is that of all, here. By the binomial of
    trials a period would be stated in a quarter of the studies with eight settings.
    """
    runs, stated, rng = 100, 0, np.random.default_rng(3)
    for _ in range(runs):
        own = red(rng, 0.8, 0.5, (2 * seeds, 100)).reshape(2, 1, seeds, 100)
        curves = np.broadcast_to(own, (2, settings, seeds, 100))
        stated += bool(analysis.equilibrium(losses(curves))["critic_loss_period"].notnull().any())
    assert stated / runs < 0.05 + four_standard_errors(0.05, runs)
    curves = curves + 4 * np.sin(2 * np.pi * np.arange(100) / 5)
    assert (abs(analysis.equilibrium(losses(curves))["critic_loss_period"] - 50) < 3).all()
