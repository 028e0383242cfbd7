"""Runs that are compared, and where each stands on an axis that others have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import xarray as xr

from ganstudy.analysis.design import OWN
from ganstudy.analysis.meanings import meanings, settled
from ganstudy.family import label
from ganstudy.store.place import Unlike
from ganstudy.store.resolved import Resolved

__all__ = ["Run", "check_labels", "standing"]


@dataclass(frozen=True)
class Run:
    """A run that is compared, with the dataset of a grid study."""

    name: str
    path: str
    dataset: xr.Dataset
    resolved: Resolved

    def with_dataset(self, dataset: xr.Dataset) -> Run:
        """The run with another dataset."""
        return replace(self, dataset=dataset)


def standing(axis: str, runs: Sequence[Run]) -> dict[str, Any]:
    """Where runs that lack an axis stand on it, by their names: at the label whose settings they
    have, or at their own value of its key, or else at `own`, beside those alone that have the same.
    """
    found, alone = {}, dict[str, list[str]]()
    known = [(name, meanings(run.resolved, name)) for run in runs if (name := _key(run, axis))]
    keys = sorted({key for _, labels in known for own in labels.values() for key in own})
    for run in (run for run in runs if not _key(run, axis)):
        place = _settled_at(run, known)
        if place is None:
            values = run.resolved.values()
            said = [values.get(key, values.get(f"space of {key}")) for key in keys]
            alone.setdefault(json.dumps(said), []).append(run.name)
        else:
            found[run.name] = place
    for names in alone.values():
        own = OWN if len(alone) == 1 else f"{OWN} of {' and '.join(names)}"
        found |= dict.fromkeys(names, own)
    return found


def _key(run: Run, axis: str) -> str:
    """The key that an axis is named after, of a run that has it; else empty."""
    has = axis in run.dataset["status"].dims
    return str(run.dataset[axis].attrs.get("long_name", axis)) if has else ""


def _settled_at(run: Run, known: Sequence[tuple[str, Mapping[Any, Mapping[str, str]]]]) -> Any:
    """The label whose settings a run has, or its value of the axis's key; None if neither."""
    own = settled(run.resolved)
    for name, labels in known:
        for place, meaning in labels.items():
            if meaning and all(own.get(key) == value for key, value in meaning.items()):
                return place
        if name in own:
            return label(json.loads(own[name]))
    return None


def check_labels(runs: Sequence[Run], axes: Sequence[str]) -> None:
    """Refuse runs in which a label of a setting does not set the same."""
    for axis in axes:
        having = [run for run in runs if _key(run, axis)]
        for first, second in combinations(having, 2):
            name = _key(first, axis)
            one, other = meanings(first.resolved, name), meanings(second.resolved, name)
            for place in (place for place in one if place in other):
                for key in (key for key in one[place] if key in other[place]):
                    if one[place][key] != other[place][key]:
                        message = (
                            f"cannot compare {first.path} with {second.path}: at {name} {place}"
                            f" {key} is {one[place][key]} and {other[place][key]}"
                        )
                        raise Unlike(message)
