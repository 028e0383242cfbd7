"""What a study says does not depend on which axis of its grid is written first."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from unrendered import unrendered

from ganstudy import analysis
from ganstudy.report import build

Make = Callable[..., xr.Dataset]


@pytest.fixture
def both(make_study: Make) -> tuple[xr.Dataset, xr.Dataset]:
    """Arms along the first axis, and the same study with them along the second."""
    first = make_study({"divergence": ["a", "b", "c"], "lr": [0.1, 0.2]}, steps=60, samples=50)
    swapped = first.transpose("lr", "divergence", ...)
    return first, swapped.assign_attrs(axes=["lr", "divergence"], compare="divergence")


def _answer(name: str, ds: xr.Dataset) -> Any:
    """What an analysis says of a dataset alone; None where it asks for more, or for another."""
    function = getattr(analysis, name)
    if not inspect.isfunction(function) or "ds" not in inspect.signature(function).parameters:
        return None
    try:
        found = function(ds)
        return found.to_dataset(name="itself") if isinstance(found, xr.DataArray) else found
    except (KeyError, TypeError, ValueError):
        return None


def test_analyses(both: tuple[xr.Dataset, xr.Dataset]) -> None:
    """Values, and what is told to have the arms first has them first."""
    arms_first = set()
    for name in analysis.__all__:
        one, other = (_answer(name, ds) for ds in both)
        assert (one is None) == (other is None), name
        if isinstance(one, xr.Dataset):
            for key, own in one.variables.items():
                told = other[key].variable.transpose(*own.dims)
                xr.testing.assert_allclose(own, told)
            if all(own.dims == other[key].dims for key, own in one.data_vars.items()):
                arms_first.add(name)
    assert {"arm_scores", "equilibrium", "stability", "status_counts"} <= arms_first


def test_the_page(both: tuple[xr.Dataset, xr.Dataset], tmp_path: Path) -> None:
    """It had numbers of settings under the names of arms, or lacked the section."""
    pages = []
    for place, ds in enumerate(both):
        with unrendered():
            page = build(ds, {}, tmp_path / str(place))
        pages.append(re.sub(r'data:[^"]+', "", page.read_text(encoding="utf-8")))
    assert pages[0] == pages[1]
