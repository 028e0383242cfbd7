"""Runs of the same arms on different targets, joined along a dimension `study`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from ganstudy.analysis.budget_curve import drawn_by
from ganstudy.analysis.design import testable
from ganstudy.analysis.handling import STUDY, along_studies
from ganstudy.analysis.joined import gap
from ganstudy.analysis.metric import metric_names
from ganstudy.analysis.standing import Run, check_labels
from ganstudy.film import FILM
from ganstudy.score import spanning
from ganstudy.store.place import Unlike
from ganstudy.variable import LABELS, SAMPLES

__all__ = ["by_study", "grid_axes", "join_studies", "of_study", "tested"]

_OWN = "own"
"""Attribute, as JSON, of what holds for some studies and not for others, by their names."""

_PLACES = ("repeat", "trial", "seed", "step")

_SAME = ("kind", "schema", "deterministic", "sampler", "statistic")
"""Attributes that runs have in common where they can be joined."""


def join_studies(runs: Sequence[Run], score: str) -> xr.Dataset:
    """One dataset along `study`; the rules are those of `ganstudy.open_runs`.

    Errors  `Unlike` where arms, settings, their meaning or the search are not the same.
    """
    for first, second in combinations(runs, 2):
        _check_layout(first, second)
    axes = grid_axes(runs[0].dataset)
    check_labels(runs, axes)
    names = [run.name for run in runs]
    sets = [_bare(run.dataset) for run in runs]
    of_points = [str(name) for name in runs[0].dataset.coords if name not in sets[0].coords]
    variables = dict.fromkeys(str(name) for ds in sets for name in ds.data_vars)
    joined = _side_by_side(
        dict(zip(names, sets, strict=True)),
        combine_attrs="override",
        fill_value={
            name: gap(name, next(ds[name].dtype for ds in sets if name in ds)) for name in variables
        },
    )
    joined = joined.transpose(*axes, STUDY, *_PLACES, ..., missing_dims="ignore")
    joined = joined.drop_vars(
        {dim for run in runs for dim in _counted(run.dataset)}, errors="ignore"
    )
    for name in variables:
        joined[name].attrs = _common([ds[name].attrs for ds in sets if name in ds]) | _of_some(
            {run: ds[name].attrs for run, ds in zip(names, sets, strict=True) if name in ds}, names
        )
    for name in metric_names(joined):
        joined[name].attrs |= spanning([ds[name].attrs for ds in sets if name in ds])
    if "fresh" in joined:
        joined["fresh"] = joined["fresh"].any(STUDY).assign_attrs(joined["fresh"].attrs)
    joined[STUDY].attrs["long_name"] = "study, a target each"
    joined = joined.set_coords([name for name in of_points if name in joined])
    return joined.assign_attrs(_attributes(runs, axes, score))


def of_study(ds: xr.Dataset, name: str) -> xr.Dataset:
    """One of joined studies as it was alone: its own score, and its own reading of each metric.

    Errors  `ValueError` for a dataset without `study`; `KeyError` for one that it does not have.
    """
    if not along_studies(ds):
        raise ValueError("no joined studies: open them with ganstudy.open_runs(..., along='study')")
    known = ds[STUDY].values.tolist()
    if name not in known:
        raise KeyError(f"no study {name!r}; the dataset has {', '.join(known)}")
    one = ds.sel({STUDY: name}).drop_vars(STUDY)
    for variable in map(str, list(one.variables)):
        own = json.loads(one[variable].attrs.pop(_OWN, "{}"))
        if name not in own and own:
            one = one.drop_vars(variable)
        elif own:
            one[variable].attrs |= _tuples(own[name])
    for dim in (d for d in _PLACES[:-1] if d in one["status"].dims):
        planned = (one["status"] != "excluded").any([d for d in one["status"].dims if d != dim])
        one = one.isel({dim: np.flatnonzero(planned.values)})
    for dim in (str(d) for d in one.dims if d not in one["status"].dims):
        along = [v.notnull() for v in one.data_vars.values() if dim in v.dims]
        seen = [v.any([d for d in v.dims if d != dim]).values for v in along]
        kept = np.any(seen, axis=0)
        # Where no trial has got as far as a record, it has the places of the others, and no number.
        one = one.isel({dim: np.flatnonzero(kept)}) if kept.any() else one
    one.attrs = json.loads(ds.attrs[_OWN])[name]
    return one


def tested(ds: xr.Dataset) -> xr.DataArray:
    """Whether each of joined studies is `testable`, along `study`; others have no limits either."""
    names, own = ds[STUDY].values, json.loads(ds.attrs[_OWN])
    known = [testable(xr.Dataset(attrs=own[name])) for name in names.tolist()]
    return xr.DataArray(known, dims=STUDY, coords={STUDY: names})


def grid_axes(ds: xr.Dataset) -> list[str]:
    """Names of the axes of the grid, of one study or of joined ones, in its order."""
    return [str(dim) for dim in ds["status"].dims if dim not in (STUDY, *_PLACES)]


def by_study(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """What was found of each study, along `study`; NaN where one has no such label."""
    return _side_by_side(parts, combine_attrs="drop_conflicts")


def _side_by_side(parts: Mapping[str, xr.Dataset], **how: Any) -> xr.Dataset:
    """Along `study`, with gaps where one lacks what others have."""
    found: xr.Dataset = xr.concat(
        [one.assign_coords({STUDY: name}) for name, one in parts.items()],
        dim=STUDY,
        data_vars="all",
        coords="minimal",
        compat="override",
        join="outer",
        **how,
    )
    return found


# --- one run --------------------------------------------------------------------------------------


def _bare(ds: xr.Dataset) -> xr.Dataset:
    """A run's dataset without samples and films, which no two targets have room for alike."""
    dims = {dim for variable in (*FILM, SAMPLES, LABELS) for dim in variable.dims}
    # The encoding of a text in zarr has its width, to which another file would cut longer ones.
    ds = ds.drop_dims(dims & set(map(str, ds.dims))).compute().drop_encoding()
    ds = ds.assign_coords({dim: np.arange(ds.sizes[dim]) for dim in _counted(ds)})
    return ds.reset_coords([name for name in ds.coords if name not in ds.dims])


def _counted(ds: xr.Dataset) -> list[str]:
    """Dimensions without labels, of which studies may have different numbers."""
    return [str(dim) for dim in ds.dims if dim not in ds.coords]


def _check_layout(first: Run, second: Run) -> None:
    """Refuse runs whose trials do not lie at the same places."""

    def refuse(difference: str) -> None:
        raise Unlike(f"cannot join {first.path} with {second.path} along {STUDY}: {difference}")

    one, other = first.dataset, second.dataset
    if not grid_axes(one) and not grid_axes(other):
        refuse("they have no arms in common, since nothing varies within a study (`search.grid`)")
    for what in _SAME:
        values = [ds.attrs.get(what, "none") for ds in (one, other)]
        if values[0] != values[1]:
            refuse(f"{what} is {values[0]} and {values[1]}")
    if all("trial" in ds.dims for ds in (one, other)):
        values = [drawn_by(ds) for ds in (one, other)]
        if values[0] != values[1]:
            refuse(f"points are drawn by {values[0]} and {values[1]}: see `startup`")
    for dim in _PLACES[:2]:
        if (dim in one.dims) != (dim in other.dims):
            what = "repeats its searches" if dim == "repeat" else "searches by results"
            refuse(f"only one of them {what}")
    axes = [grid_axes(ds) for ds in (one, other)]
    if axes[0] != axes[1]:
        alike = "in the same order" if sorted(axes[0]) == sorted(axes[1]) else "the same"
        refuse(f"axes are {_listed(axes[0])} and {_listed(axes[1])}; they must be {alike}")
    if any(STUDY in ds["status"].dims for ds in (one, other)):
        refuse(f"an axis is named {STUDY!r}, which is taken here")
    for axis in axes[0]:
        labels = [list(map(str, ds[axis].values.tolist())) for ds in (one, other)]
        if labels[0] != labels[1]:
            lacking = [
                f"{run.path} has no {label}"
                for run, own, its in ((second, labels[0], labels[1]), (first, labels[1], labels[0]))
                for label in own
                if label not in its
            ]
            why = "; ".join(lacking) or "they are in another order"
            refuse(f"{axis} is {_listed(labels[0])} and {_listed(labels[1])}: {why}")
    if one.attrs["compare"] != other.attrs["compare"]:
        refuse(f"compare is {one.attrs['compare']} and {other.attrs['compare']}")
    spaces = [_space(ds) for ds in (one, other)]
    for parameter in dict.fromkeys((*spaces[0], *spaces[1])):
        ranges = [space.get(parameter, "not searched") for space in spaces]
        if ranges[0] != ranges[1]:
            refuse(f"in the space {parameter} is {ranges[0]} and {ranges[1]}")


def _space(ds: xr.Dataset) -> dict[str, str]:
    """The parameters of a search with what bounds them, as text."""
    return {
        str(ds[name].attrs["long_name"]): ", ".join(
            f"{key} {value}" for key, value in ds[name].attrs.items() if key != "long_name"
        )
        for name in np.atleast_1d(ds.attrs.get("parameters", []))
    }


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "none"


# --- all runs -------------------------------------------------------------------------------------


def _attributes(runs: Sequence[Run], axes: Sequence[str], score: str) -> dict[str, Any]:
    """What holds for all studies, and under `own` what holds for each alone."""
    known = {run.name: run.dataset.attrs for run in runs}
    questions = list(dict.fromkeys(str(attrs["question"]) for attrs in known.values()))
    *others, last = known
    first = next(iter(known.values()))
    compared = str(first["compare"]) or STUDY
    asked = f"Which {compared.replace('_', ' ')}, on {', '.join(others)} and {last}?"
    return _common(list(known.values())) | {
        "question": questions[0] if len(questions) == 1 else asked,
        "study": ", ".join(known),
        "compare": compared,
        "axes": [*axes, STUDY, *(d for d in _PLACES[:2] if d in runs[0].dataset.dims)],
        "score": score,
        "objectives": list(
            dict.fromkeys(
                str(name)
                for attrs in known.values()
                for name in np.atleast_1d(attrs.get("objectives", []))
            )
        ),
        "runs": [run.path for run in runs],
        "along": STUDY,
        # All of each, so that one that is taken out again is as it was.
        _OWN: json.dumps({name: _plain(attrs) for name, attrs in known.items()}),
    }


def _common(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What all have alike."""
    first, *rest = map(_plain, each)
    return {
        key: each[0][key]
        for key, value in first.items()
        if all(repr(other.get(key)) == repr(value) for other in rest)
    }


def _of_some(each: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> dict[str, str]:
    """What is not alike, by study, or which studies have it; nothing where all have the same."""
    alike = _common(list(each.values()))
    own = {
        name: {key: value for key, value in _plain(attrs).items() if key not in alike}
        for name, attrs in each.items()
    }
    return {_OWN: json.dumps(own)} if any(own.values()) or len(each) < len(names) else {}


def _plain(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON has them."""
    return {
        str(key): np.asarray(value).tolist() if not isinstance(value, str) else value
        for key, value in attrs.items()
    }


def _tuples(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """As a list, xarray would refuse `bounds` in netCDF, where it looks for such a variable."""
    return {key: tuple(own) if key == "bounds" else own for key, own in attrs.items()}
