"""Mixtures: which mode a uniform number stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ganstudy import targets
from ganstudy.targets.ring import Ring


class Told:
    """A generator whose uniform numbers are known beforehand."""

    def __init__(self, uniform: Any) -> None:
        self.uniform = uniform

    def random(self, count: int, dtype: Any) -> Any:
        """Those numbers."""
        assert (count, dtype) == (len(self.uniform), np.float32)
        return self.uniform

    def standard_normal(self, shape: Any, dtype: Any) -> Any:
        """No noise."""
        return np.zeros(shape, dtype)


@pytest.mark.parametrize("modes", [2, 7, 30, 64, 65, 300])
@pytest.mark.parametrize("closed", [True, False])
def test_modes_are_found_as_a_search_finds_them(modes: int, closed: bool) -> None:
    """On the edges and one number of single precision beside them too: streams are to stay."""
    ring = Ring(modes=modes, closed=closed)
    edges = np.cumsum(ring.law.weights)[:-1]
    near = edges.astype(np.float32)
    beside = [np.nextafter(near, np.float32(side)) for side in (0, 2)]
    drawn = np.random.default_rng(modes).random(5000, dtype=np.float32)
    uniform = np.concatenate([drawn, near, *beside])
    rng: Any = Told(uniform)
    samples, found = ring.sample_labelled(rng, len(uniform))
    expected = np.searchsorted(edges, uniform, side="right")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(samples, ring.law.means.astype(np.float32)[expected])


def test_a_mode_that_is_rounded_away_is_refused() -> None:
    """Of a weight of 0 the divergences of the modes are no numbers."""
    law = {"name": "random_mixture", "concentration": 0.05}
    with pytest.raises(ValueError, match=r"concentration: .* a weight of 0; .* law_seed"):
        targets.from_config({**law, "law_seed": 0})
    assert targets.from_config({**law, "law_seed": 1}).labels == 12
