"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr
from synthetic_dataset import synthetic_dataset
from tiny import write_study
from unrendered import unrendered

from ganstudy.pipeline import run
from ganstudy.study import load


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small study that has been run, just long enough for scores to differ."""
    folder = tmp_path_factory.mktemp("tiny")
    changes = [
        "trial.target.std=0.4",
        "trial.steps=60",
        "trial.record.every=20",
        "trial.generator.lr=0.005",
        "search.grid.divergence=[minimax, reverse_kl]",
    ]
    with unrendered():
        run(load(write_study(folder), changes), folder / "run", workers=1)
    return folder / "run"


@pytest.fixture(scope="session")
def make_study() -> Callable[..., xr.Dataset]:
    """Builder of gathered studies with made-up numbers."""
    return synthetic_dataset
