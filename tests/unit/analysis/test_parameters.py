"""Parameters that many analyses have: each does what it says, in every one of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

from ganstudy import analysis

FUNCTIONS = {
    name: inspect.signature(function).parameters
    for name, function in inspect.getmembers(analysis, inspect.isfunction)
    if name in analysis.__all__ and "ds" in inspect.signature(function).parameters
}
REQUIRED: dict[str, dict[str, Any]] = {
    "marginal_means": {"axis": "lr"},
    "spread_of_arms": {"axis": "constraint"},
}
OTHER = "high_quality"


def _having(parameter: str) -> list[str]:
    return [name for name, own in FUNCTIONS.items() if parameter in own and name != "measured"]


@pytest.fixture(scope="module")
def gathered(make_study: Callable[..., xr.Dataset], joined: xr.Dataset) -> list[xr.Dataset]:
    """A grid, a search with repeats and fresh seeds, and joined studies."""
    axes = {"divergence": ["minimax", "hinge", "wasserstein"], "lr": [1, 2]}
    grid = make_study(axes, seeds=6, steps=6)
    made_up = [grid, analysis.of_study(joined, str(joined["study"].values[0])), joined]
    # Their metrics are alike, up to their bounds; this one is like none.
    return [ds.assign({OTHER: abs(np.sin(1000 * ds[OTHER]))}) for ds in made_up]


def _found(name: str, gathered: list[xr.Dataset], **parameters: Any) -> Any:
    """What the first of the datasets that it takes gives."""
    for ds in gathered:
        try:
            return getattr(analysis, name)(ds, **REQUIRED.get(name, {}), **parameters)
        except ValueError as error:
            said = str(error)
            assert any(word in said for word in ("no search by results", "no joined", "studies"))
    raise AssertionError(f"{name} takes none of them")


def _limits(found: xr.Dataset) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Lower and upper limits by name; what can be no more than a limit is as far below 0."""
    limits = {}
    for name in map(str, found):
        upper = name.removesuffix("low") + "high"
        if name.endswith("low") and upper in found:
            limits[name] = (found[name].values, found[upper].values)
        elif name.endswith("most"):
            limits[name] = (-found[name].values, found[name].values)
    return limits


@pytest.mark.slow
@pytest.mark.parametrize("name", _having("confidence"))
def test_an_interval_of_more_confidence_holds_one_of_less(
    name: str, gathered: list[xr.Dataset]
) -> None:
    less, more = (_limits(_found(name, gathered, confidence=own)) for own in (0.8, 0.99))
    assert less
    assert less.keys() == more.keys()
    wider = 0
    for limits, (low, high) in more.items():
        inner_low, inner_high = less[limits]
        known = np.isfinite(inner_low) & np.isfinite(low)
        assert known.any(), limits
        assert (low[known] <= inner_low[known]).all()
        assert (high[known] >= inner_high[known]).all()
        wider += int(((high - low)[known] > (inner_high - inner_low)[known]).sum())
    assert wider


@pytest.mark.slow
@pytest.mark.parametrize("name", _having("metric"))
def test_another_metric_is_what_it_would_be_as_the_score(
    name: str, gathered: list[xr.Dataset]
) -> None:
    named = _found(name, gathered, metric=OTHER)
    as_score = _found(name, [ds.assign_attrs(score=OTHER) for ds in gathered])
    if isinstance(named, float):
        assert named == as_score
        assert named != _found(name, gathered)
    else:
        xr.testing.assert_equal(named, as_score)
        assert not named.equals(_found(name, gathered))
