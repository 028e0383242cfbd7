"""The datasets of several runs laid side by side: each arm of each run is an arm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from xarray.core.indexing import LazilyIndexedArray

from ganstudy.analysis.design import (
    arm_dim,
    arm_labels,
    given_dims,
    label_text,
    seeds_added,
    setting_dims,
)
from ganstudy.analysis.handling import BULKY, in_memory
from ganstudy.analysis.meanings import placeless
from ganstudy.analysis.metric import metric_names
from ganstudy.analysis.side_by_side import SideBySide
from ganstudy.analysis.standing import Run, check_labels, standing
from ganstudy.film import FILM
from ganstudy.score import spanning
from ganstudy.store.place import Unlike

FACTS = ("kind", "schema", "deterministic")
"""Attributes that runs have in common where they can be compared."""


def join(runs: Sequence[Run]) -> xr.Dataset:
    """One dataset with the arms of all runs; the rules are those of `ganstudy.open_runs`.

    Errors  `Unlike` where a label of a setting, or the target at a setting, is not the same.
    """
    settings = {axis for run in runs for axis in setting_dims(run.dataset)}
    compared = [_compared(run.dataset, settings) for run in runs]
    axes = list(
        dict.fromkeys(
            axis
            for run, own in zip(runs, compared, strict=True)
            for axis in map(str, run.dataset["status"].dims)
            if axis not in (own, "seed")
        )
    )
    arm = "arm" if any(compared) else "run"
    if taken := {"arm", "run"} & {*axes, *(own for own in compared if own)}:
        raise Unlike(f"cannot compare: an axis is named {taken.pop()!r}, which is taken here")
    check_labels(runs, axes)
    places = {axis: standing(axis, runs) for axis in axes}
    placed = [_placed(run, own, places) for run, own in zip(runs, compared, strict=True)]
    joined = _side_by_side(placed, axes)
    _check_targets(runs, joined)
    joined = _without_repetition(joined)
    _rank_by_what_all_have(joined, runs)
    if arm == "run":
        joined = joined.drop_vars("run").rename(arm="run")
    return joined.assign_attrs(_attributes(runs, arm, axes))


def _attributes(runs: Sequence[Run], arm: str, axes: Sequence[str]) -> dict[str, Any]:
    known = [run.dataset.attrs for run in runs]
    questions = list(dict.fromkeys(str(attrs["question"]) for attrs in known))
    *others, last = (run.name for run in runs)
    and_names = f"{', '.join(others)} and {last}"
    names = ", ".join([*others, last])
    attributes: dict[str, Any] = {
        "question": questions[0] if len(questions) == 1 else f"How do {and_names} compare?",
        "study": names,
        "compare": arm,
        "axes": [arm, *axes],
        "given": sorted({str(dim) for run in runs for dim in given_dims(run.dataset)}),
        "runs": [run.path for run in runs],
    }
    attributes |= {fact: known[0][fact] for fact in FACTS if fact in known[0]}
    if any(seeds_added(run.dataset) for run in runs):
        attributes["seeds_added"] = 1
    if all("sampler" in attrs for attrs in known):
        attributes["sampler"] = ", ".join(dict.fromkeys(str(attrs["sampler"]) for attrs in known))
    searches = [int(attrs["searches"]) for attrs in known if "searches" in attrs]
    if searches:
        # What holds for the arm of which least is known holds for the comparison.
        attributes["searches"] = min(searches)
        attributes["chosen_on_seeds"] = max(int(attrs.get("chosen_on_seeds", 0)) for attrs in known)
    return attributes


# --- one run --------------------------------------------------------------------------------------


def _compared(ds: xr.Dataset, settings: set[str]) -> str:
    """The axis of a run's arms; empty for a run that is a single arm here."""
    compare = arm_dim(ds)
    return compare if compare in ds["status"].dims and compare not in settings else ""


def _placed(run: Run, compared: str, places: Mapping[str, Mapping[str, Any]]) -> xr.Dataset:
    """A run's dataset with its arms on `arm`, and where it stands on all axes of any run."""
    # Films of different windows have no grid in common, and are the largest part of a dataset.
    filmed = {dim for variable in FILM for dim in variable.dims}
    ds = in_memory(run.dataset.drop_dims(filmed & set(run.dataset.dims)))
    # Features are counted here, since those of runs need not be the same columns.
    ds = ds.drop_vars("feature", errors="ignore")
    arms = [run.name]
    if compared:
        arms = [f"{run.name}: {label}" for label in arm_labels(ds[compared])]
        ds = ds.rename({compared: "arm"})
    ds = ds.reset_coords([name for name in ds.coords if name not in ds.dims], drop=True)
    ds = ds.assign_coords(arm=arms)
    own = {axis: [known[run.name]] for axis, known in places.items() if run.name in known}
    return ds.assign_coords(own).assign_attrs(joined_as=run.name)


# --- all runs -------------------------------------------------------------------------------------


def _side_by_side(placed: Sequence[xr.Dataset], axes: Sequence[str]) -> xr.Dataset:
    """All arms on one dimension; what a run does not have is excluded, missing, or a gap."""
    dims = dict.fromkeys(str(dim) for ds in placed for dim in (*axes, *ds.dims) if dim != "arm")
    # Without labels it counts.
    labels = {dim: _union([ds[dim].values for ds in placed if dim in ds.dims]) for dim in dims}
    named = {"arm", *(str(name) for ds in placed for name in ds.coords)}
    labels["arm"] = np.concatenate([ds["arm"].values for ds in placed])
    ends = np.cumsum([0, *(ds.sizes["arm"] for ds in placed)])
    blocks = [
        {dim: _places(ds, dim, own) for dim, own in labels.items()} | {"arm": range(low, high)}
        for ds, low, high in zip(placed, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    names = dict.fromkeys(str(name) for ds in placed for name in ds.data_vars)
    joined = xr.Dataset(
        {name: _whole(name, placed, blocks, labels, axes) for name in names},
        coords={dim: values for dim, values in labels.items() if dim in named},
    )
    for ds, block in zip(placed, blocks, strict=True):
        status = joined["status"][list(block["arm"])]
        untrained = (status != "excluded").any("seed") & ~joined["seed"].isin(ds["seed"].values)
        joined["status"][list(block["arm"])] = status.where(~untrained, "missing")
    for coordinate, values in joined.coords.items():
        known = (ds[coordinate].attrs for ds in placed if coordinate in ds.coords)
        values.attrs = next((attrs for attrs in known if attrs), {})
    of_run = [name for ds in placed for name in [ds.attrs["joined_as"]] * ds.sizes["arm"]]
    return joined.assign_coords(run=("arm", of_run))


def _whole(
    name: str,
    placed: Sequence[xr.Dataset],
    blocks: Sequence[Mapping[str, Sequence[int]]],
    labels: Mapping[str, np.ndarray[Any, Any]],
    axes: Sequence[str],
) -> xr.Variable:
    """A variable of all runs, along all axes: each one's block where its labels are.

    What is bulky stays on disk.
    """
    pairs = zip(placed, blocks, strict=True)
    having = [(ds.variables[name], block) for ds, block in pairs if name in ds]
    first = having[0][0]
    ahead = ["arm", *axes, *(dim for dim in ("seed", "step") if dim in first.dims)]
    dims = [*ahead, *(str(dim) for dim in first.dims if dim not in ahead)]
    dtype = np.result_type(*(values.dtype for values, _ in having))
    whole = SideBySide(having, dims, [len(labels[dim]) for dim in dims], gap(name, dtype))
    data = LazilyIndexedArray(whole) if name in BULKY else whole.read()
    return xr.Variable(dims, data, first.attrs)


def _union(columns: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The labels of all runs: numbers in their order, others in that of their first appearance."""
    if all(column.dtype.kind in "iuf" for column in columns):
        return np.unique(np.concatenate(columns))
    found: dict[str, str] = {}
    for x in (x for own in columns for x in own.tolist()):
        found.setdefault(_same(x), _in_full(x))
    return np.array(list(found.values()))


def _places(ds: xr.Dataset, dim: str, labels: np.ndarray[Any, Any]) -> Sequence[int]:
    """Where a run's entries along a dimension stand among those of all runs."""
    own = ds[dim].values if dim in ds.dims else np.empty(0, labels.dtype)
    if labels.dtype.kind in "iuf":
        return list(map(int, np.searchsorted(labels, own)))
    known = {_same(label): place for place, label in enumerate(labels.tolist())}
    return [known[_same(x)] for x in own.tolist()]


def _same(label: Any) -> str:
    """A text that is the same of a number and of what NumPy makes of it among texts."""
    try:
        return repr(float(str(label)))  # of True it would be that of 1
    except ValueError:
        return str(label)


def _in_full(label: Any) -> str:
    """As `label_text`, if that is the whole number."""
    short = label_text(label)
    return short if _same(short) == _same(label) else str(label)


def gap(name: str, dtype: np.dtype[Any]) -> Any:
    """What stands where a run has nothing."""
    if name == "status":
        return "excluded"
    return {"f": np.nan, "b": False, "i": -1, "u": 0}.get(dtype.kind, "")


def _rank_by_what_all_have(joined: xr.Dataset, runs: Sequence[Run]) -> None:
    """A metric that only some runs record is a curve here; its reading is that of all."""
    for name in metric_names(joined):
        having = [run.dataset[name].attrs for run in runs if name in run.dataset]
        role = {"role": "curve"} if len(having) < len(runs) else {}
        joined[name].attrs = {**joined[name].attrs, **spanning(having), **role}


def _without_repetition(joined: xr.Dataset) -> xr.Dataset:
    """Targets, and metrics of p, without arms and settings where they are the same for all."""
    planned = (joined["status"] != "excluded").any("seed")
    for name, variable in joined.data_vars.items():
        if "seed" in variable.dims:
            continue
        known = variable.transpose(*planned.dims, ...).values[planned.values]
        # Versions of a library may differ in the last bits of a metric.
        same = (
            np.isclose(known, known[:1], rtol=1e-9, equal_nan=True)
            if known.dtype.kind == "f"
            else known == known[:1]
        )
        if len(known) and np.all(same):
            rest = [dim for dim in variable.dims if dim not in planned.dims]
            joined = joined.assign({name: (rest, known[0], variable.attrs)})
    return joined


def _check_targets(runs: Sequence[Run], joined: xr.Dataset) -> None:
    """Refuse runs that have another target at a setting that both have."""
    if "target_settings" not in joined:
        return
    planned = (joined["status"] != "excluded").any("seed")
    over = [dim for dim in planned.dims if dim != "arm"]
    texts = joined["target_settings"].transpose("arm", *over).values
    same = {text: json.dumps(placeless(json.loads(text or "{}"))) for text in np.unique(texts)}
    targets = np.vectorize(same.__getitem__, otypes=[object])(texts)
    seen = planned.transpose("arm", *over).values
    targets, seen = (values.reshape(len(values), -1) for values in (targets, seen))
    of_run = [joined["run"].values == run.name for run in runs]
    for (first, ours), (second, theirs) in combinations(zip(runs, of_run, strict=True), 2):
        both = seen[ours].any(axis=0) & seen[theirs].any(axis=0)
        # Without a common setting the two must have the same targets altogether.
        groups = np.flatnonzero(both)[:, None] if both.any() else np.arange(len(both))[None]
        for settings in groups:
            at = [set(targets[o][:, settings][seen[o][:, settings]]) for o in (ours, theirs)]
            if at[0] != at[1]:
                apart = _apart(*(min(own - other, default="{}") for own, other in (at, at[::-1])))
                message = f"cannot compare {first.path} with {second.path}: target differs in"
                hint = "`--along study` joins runs of the same arms on different targets"
                raise Unlike(f"{message} {apart}; {hint}")


def _apart(first: str, second: str) -> str:
    """The settings in which two targets differ; `modes (8 and 4)`."""
    one, other = json.loads(first), json.loads(second)
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return ", ".join(f"{k} ({one.get(k, 'none')} and {other.get(k, 'none')})" for k in keys)
