"""How good a generator can be: what the metrics of a study are on samples of p itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.search import Search

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["perfect"]


def perfect(axes: Sequence[str], plan: Search) -> dict[str, xr.Variable]:
    """`<metric>_perfect`: the metric of samples of p, without axes along which p is the same."""
    import xarray as xr

    points = {index[:-1]: trial.configuration.perfect() for index, trial in plan.trials.items()}
    variables = {}
    for name in dict.fromkeys(name for values in points.values() for name in values):
        known = {index: values[name] for index, values in points.items() if name in values}
        first = next(iter(known.values()))
        whole = np.full((*plan.shape[:-1], len(first)), np.nan)
        for index, values in known.items():
            whole[index] = values
        same = all(np.array_equal(values, first) for values in known.values())
        dims, shown = (("draw",), first) if same else ((*axes, "draw"), whole)
        variables[f"{name}_perfect"] = xr.Variable(dims, shown)
    return variables
