"""Scores as a gathered study, the rates that pages state, and how far a share of simulated studies
may be from one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]
DOCS = Path(__file__).parents[2] / "docs"


def four_standard_errors(rate: float, runs: int) -> float:
    """Four standard errors of a share of `runs` independent runs."""
    return 4 * math.sqrt(rate * (1 - rate) / runs)


class Stated(float):
    """A number as a page writes it."""

    rounding: float
    """Half of its last digit."""

    def __new__(cls, written: str) -> Stated:
        own = super().__new__(cls, written)
        own.rounding = 0.5 / 10 ** len(written.partition(".")[2])
        return own


def stated(page: str, words: str) -> list[Stated]:
    """The numbers that a page states in these words, in which `#` stands for each of them.

    Errors  `ValueError` if the page has not such words, or has them twice.
    """
    text = " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())
    (there,) = re.finditer(re.escape(words).replace(r"\#", r"(\d+(?:\.\d+)?)"), text)
    return [Stated(number) for number in there.groups()]


def slack(percent: Stated, runs: int) -> float:
    """How far a share of `runs` independent runs may be from the percent that a page states.

    Its rounding, and four standard errors; of 0 and 100 % those of 0.1 and 99.9 %.
    """
    rate = min(max(percent / 100, 0.001), 0.999)
    return percent.rounding / 100 + four_standard_errors(rate, runs)


def study(
    values: Array,
    *,
    axes: tuple[str, ...] = ("arm", "lr"),
    status: Mapping[tuple[int, ...], str] | None = None,
    lower: bool = False,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> xr.Dataset:
    """A study with these scores, dims (axes…, seed); those of trials without one are not read."""
    dims = (*axes, "seed")
    states = np.full(values.shape, "complete", dtype="<U10")
    for point, state in (status or {}).items():
        states[point] = state
    attrs = {
        "long_name": "quality",
        "role": "metric",
        "direction": "lower" if lower else "higher",
        "bounds": list(bounds),
        "value_at_equality": bounds[0] if lower else bounds[1],
    }
    return xr.Dataset(
        {
            "status": (dims, states),
            "diverged_at": (dims, np.where(states == "diverged", 1.0, np.nan)),
            "quality": (
                (*dims, "step"),
                np.where(states == "complete", values, np.nan)[..., None],
                attrs,
            ),
        },
        coords={**{d: np.arange(n) for d, n in zip(dims, values.shape, strict=True)}, "step": [1]},
        attrs={"compare": axes[0], "score": "quality"},
    )
