"""What the tests of sentences let pass, and what they find."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from recomputed import unexplained

LEADS = xr.Dataset(
    {
        "lead": ("arm", [0.0, 3.17, 1.05]),
        "low": ("arm", [np.nan, -5.69, 0.42]),
        "trials": ("arm", [6, 6, 5]),
    },
    {"arm": ["wasserstein", "minimax", "hinge 2"]},
)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("ahead of minimax by 3.17 (\N{MINUS SIGN}5.69 to 1.05) over 17 trials of 3 arms", []),
        ("minimax behind by 3.2 (\N{MINUS SIGN}1.1 to 5.69)", []),
        ("ahead of hinge 2 by <b>1.05</b>, that is 105%", []),
        ("from \N{MINUS SIGN}5.69 to \N{MINUS SIGN}0.42", ["-0.42"]),
        ("ahead by 3.18 over 5 of 6 trials", ["3.18"]),
        ("together 4.22", ["4.22"]),
        ("19 trials", ["19"]),
        ("in 106% of seeds", ["106%"]),
    ],
)
def test_numbers_that_no_call_returned_are_found(said: str, wrong: list[str]) -> None:
    """Of the third, two signs are turned; sums are of counts alone."""
    assert unexplained(said, LEADS, ["hinge 2"]) == wrong


def test_a_series_is_what_its_values_are() -> None:
    assert unexplained("2.5 of 4", pd.Series([2.5, 1.0], name="a"), []) == ["4"]
