"""Mixtures: which mode a uniform number stands for."""

from __future__ import annotations

import numpy as np
import pytest

from ganstudy.targets._mixture import _above


@pytest.mark.parametrize("modes", [1, 2, 7, 30, 64, 65, 300])
@pytest.mark.parametrize("equal", [True, False])
def test_modes_are_found_as_a_search_finds_them(modes: int, equal: bool) -> None:
    """On the edges and one number of single precision beside them too: streams are to stay."""
    rng = np.random.default_rng(modes)
    weights = np.ones(modes) if equal else rng.random(modes)
    edges = np.cumsum(weights / weights.sum())[:-1]
    near = edges.astype(np.float32)
    beside = [np.nextafter(near, np.float32(side)) for side in (0, 2)]
    uniform = np.concatenate([rng.random(5000, dtype=np.float32), near, *beside])
    found, expected = _above(edges, uniform), np.searchsorted(edges, uniform, side="right")
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
