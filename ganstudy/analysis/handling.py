"""What is handed to an analysis: made whole where something was selected, else refused in words."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import xarray as xr

from ganstudy.analysis.remembered import remembered
from ganstudy.film import FILM, IMAGE_FILM
from ganstudy.variable import SAMPLES

__all__ = [
    *("BULKY", "STUDY", "FindT", "along_studies", "in_memory", "is_search", "of_run", "of_search"),
    *("of_studies", "taking", "whole", "with_arm"),
]

STUDY = "study"
"""The dimension of joined studies; its labels are the names of their files."""

FindT = TypeVar("FindT", bound=Callable[..., Any])

BULKY = frozenset(own.name for own in (SAMPLES, *FILM, *IMAGE_FILM) if own is SAMPLES or own.bulky)
"""Variables that may be larger than memory: who needs them reads trial by trial."""

_ADVICE = "select with `sel` or `isel`; the verbs average over seeds themselves"
_OF_POINTS = frozenset(["pareto", "violation"])
_NOTHING = "nothing is selected along {!r}: `sel` takes labels, and `isel` places"


def in_memory(ds: xr.Dataset) -> xr.Dataset:
    """The dataset with all in memory but what is bulky, which stays where it is."""
    loaded = ds.copy(deep=False)
    for name, variable in loaded.variables.items():
        if name not in BULKY:
            variable.load()
    return loaded


def is_search(ds: xr.Dataset) -> bool:
    """Whether the dataset is of a search by results, with a dimension `trial` of points."""
    return "trial" in ds.dims


def along_studies(ds: xr.Dataset) -> bool:
    """Whether a dataset is of joined studies."""
    return ds.attrs.get("along") == STUDY


def of_run(find: FindT) -> FindT:
    """An analysis of the dataset of a run, or of what was selected of it: see `whole`."""
    return taking(whole, find)


def of_search(find: FindT) -> FindT:
    """The same of a search by results; a grid is refused."""
    return taking(_searched, find)


def of_studies(find: FindT) -> FindT:
    """The same of studies that are joined; one alone is refused."""
    return taking(_joined, find)


def taking(taken: Callable[[xr.Dataset], xr.Dataset], find: FindT) -> FindT:
    """An analysis of what is `taken` of the dataset that it is handed."""

    @remembered
    @wraps(find)
    def found(ds: xr.Dataset, *args: Any, **kwargs: Any) -> Any:
        return find(taken(ds), *args, **kwargs)

    return cast("FindT", found)


def _searched(ds: xr.Dataset) -> xr.Dataset:
    if not is_search(ds):
        why = "points were dropped" if "trial" in ds.coords else "study is a grid"
        raise ValueError(f"no search by results: its {why}, and there is no dimension `trial`")
    return whole(ds)


def _joined(ds: xr.Dataset) -> xr.Dataset:
    if not along_studies(ds) or STUDY not in ds.dims:
        raise ValueError("no joined studies: open them with ganstudy.open_runs(..., along='study')")
    return whole(ds)


def whole(ds: xr.Dataset) -> xr.Dataset:
    """The dataset with its arms, seeds and steps as dimensions, where one of each was selected.

    Whatever order its dimensions were brought into, those of trials have that of the study again,
    on which ties and the order of tables depend.

    Errors  `ValueError` for what is no dataset of a run any more: averaged, or without `status`;
            of which nothing was selected; or with a trial more than once.
    """
    if "status" not in ds or "compare" not in ds.attrs:
        lost = "`status`" if "status" not in ds else "its attributes"
        raise ValueError(f"this is no dataset of a run any more, without {lost}: {_ADVICE}")
    if "seed" not in ds.coords:
        raise ValueError(
            "statistics are over seeds, which have been averaged or dropped; keep them"
        )
    for dim in ("seed", "step"):
        if dim in ds.coords and dim not in ds.dims:
            along = [n for n, v in ds.data_vars.items() if _had(dim, v)]
            ds = ds.assign({n: ds[n].expand_dims(dim, axis=-1) for n in along})
            ds = ds if along else ds.expand_dims(dim)
    ds = with_arm(ds, str(ds.attrs["compare"]))
    _check(ds)
    return _in_order(ds)


def _had(dim: str, variable: xr.DataArray) -> bool:
    """Whether a variable lay along a dimension that was selected away."""
    role = variable.attrs.get("role")
    if variable.name in _OF_POINTS:
        return False
    of_target = role in ("units", "film", "end")
    of_target |= str(variable.name).endswith(("_settings", "_perfect"))
    return role in ("metric", "curve") if dim == "step" else not of_target


def with_arm(ds: xr.Dataset, arm: str) -> xr.Dataset:
    """With the compared axis, of which there is one value, as a dimension of all of trials.

    What tells of the target, as the units of its columns, is of no arm.
    """
    if arm not in ds.coords or ds[arm].ndim:
        return ds
    # What is of points or seeds whatever the arm: their numbers, and which of them are fresh.
    whatever = {*ds.dims, "fresh"}
    raised = {
        name: _raised(str(name), own, arm)
        for name, own in ds.variables.items()
        if {"seed", "trial"} & set(own.dims) and name not in whatever
    }
    return ds.assign_coords({arm: ds[arm].expand_dims(arm)}).assign(raised)


def _raised(name: str, variable: xr.Variable, dim: str) -> xr.Variable:
    """A variable along one more dimension, of size one.

    What is bulky and not in memory yet stays on disk: it is asked by an index, which is not
    followed yet, where `expand_dims` would read all.
    """
    # xarray does not say otherwise whether it has been read.
    read = isinstance(variable._data, np.ndarray)
    if read or name not in BULKY or "seed" not in variable.dims:
        return cast("xr.Variable", variable.expand_dims(dim))
    seeds = xr.Variable((dim, "seed"), np.arange(variable.sizes["seed"])[None])
    return variable.isel(seed=seeds).transpose(dim, ...)


def _check(ds: xr.Dataset) -> None:
    variables = ds.variables
    dims = variables["status"].dims
    for dim in dims:
        if not ds.sizes[dim] and dim != "trial":
            raise ValueError(_NOTHING.format(dim))
        if dim in variables and not (labels := ds.get_index(dim)).is_unique:
            twice = labels[labels.duplicated()][0]
            raise ValueError(
                f"{dim} {twice} is there more than once, and a trial counts once:"
                " `ganstudy.open_runs` joins runs, paired by their seeds"
            )
    metrics = [v for v in variables.values() if v.attrs.get("role") == "metric"]
    if metrics and "step" not in ds.dims:
        raise ValueError(f"steps have been averaged or dropped; keep them: {_ADVICE}")
    if metrics and not ds.sizes["step"] and (variables["status"] == "complete").any():
        raise ValueError(_NOTHING.format("step"))


def _in_order(ds: xr.Dataset) -> xr.Dataset:
    dims = ds.variables["status"].dims
    # A netCDF file has no lists of one.
    axes = [str(axis) for axis in np.atleast_1d(ds.attrs.get("axes", []))]
    rest = [dim for dim in dims if dim not in (*axes, "seed")]
    order: list[Hashable] = [dim for dim in (*axes, *rest, "seed") if dim in dims]
    # In memory: xarray takes no single number of what was transposed on disk.
    return ds if dims == tuple(order) else in_memory(ds).transpose(*order, ...)
