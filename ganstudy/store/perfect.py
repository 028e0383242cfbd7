"""How good a generator can be: what the metrics of a study are on samples of p itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.search import Search

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["drawn_before", "perfect"]


def drawn_before(dataset: xr.Dataset, plan: Search) -> dict[str, xr.Variable]:
    """What an earlier dataset says of it, as far as this one has the same axes."""
    sizes = {
        **dict(zip(plan.dimensions, plan.shape, strict=True)),
        "draw": dataset.sizes.get("draw"),
    }
    return {
        str(name): own.variable.load()
        for name, own in dataset.data_vars.items()
        if own.attrs.get("role") == "perfect" and own.sizes.items() <= sizes.items()
    }


def perfect(plan: Search) -> dict[str, xr.Variable]:
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
        dims, shown = (("draw",), first) if same else ((*plan.dimensions[:-1], "draw"), whole)
        variables[f"{name}_perfect"] = xr.Variable(dims, shown)
    return variables
