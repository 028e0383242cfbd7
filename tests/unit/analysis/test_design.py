"""What is bulky stays on disk until somebody reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from read_keys import chunks_of, counted

from ganstudy.analysis.design import with_arms
from ganstudy.analysis.handling import in_memory
from ganstudy.store import digests
from ganstudy.store.gathered_store import GatheredStore


def test_samples_of_a_study_without_axes_are_read_by_trial(
    tmp_path: Path, make_study: Callable[..., xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its single arm has a dimension of its own, for which nothing is read."""
    whole = make_study({"divergence": ["minimax"]}, seeds=3).isel(divergence=0, drop=True)
    whole = whole.assign_attrs(compare="", axes=[])
    place = tmp_path / "results.zarr"
    cut = {"samples": {"chunks": (1, *whole["samples"].shape[1:])}}
    whole.transpose("seed", ...).to_zarr(place, zarr_format=2, encoding=cut)
    digests.seal(place)
    read = counted(monkeypatch)
    ds = with_arms(in_memory(xr.open_zarr(GatheredStore(place), chunks=None)))
    assert chunks_of("status", read)
    assert not chunks_of("samples", read)
    assert ds["samples"].dims[:2] == ("study", "seed")
    one = ds["samples"].isel(study=0, seed=1).values
    assert set(chunks_of("samples", read)) == {"1.0.0"}
    np.testing.assert_array_equal(one, whole["samples"].isel(seed=1).values)
    xr.testing.assert_identical(ds["status"], with_arms(whole)["status"])
