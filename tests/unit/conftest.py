"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import xarray as xr
from synthetic_dataset import synthetic_dataset


@pytest.fixture(scope="session")
def make_study() -> Callable[..., xr.Dataset]:
    """Builder of gathered studies with made-up numbers."""
    return synthetic_dataset
