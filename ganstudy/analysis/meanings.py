"""What the labels of an axis set, as far as the settings of a run's points tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ganstudy.store.resolved import Resolved

ABSENT = "nothing"
"""Stands for the value of a setting that a point does not have."""


def placeless(settings: Any) -> Any:
    """Without the path of a file whose digest stands beside it, which says what the file is."""
    if isinstance(settings, list):
        return [placeless(own) for own in settings]
    if not isinstance(settings, dict):
        return settings
    told = settings.get("sha256") is not None
    return {k: placeless(own) for k, own in settings.items() if not (told and k == "path")}


def settled(resolved: Resolved) -> dict[str, str]:
    """The settings that are the same at all points, with their values as JSON."""
    if not resolved.points:
        return {}
    first, *rest = ({k: json.dumps(v) for k, v in p.settings.items()} for p in resolved.points)
    return {key: value for key, value in first.items() if all(o.get(key) == value for o in rest)}


def meanings(resolved: Resolved, axis: str) -> Mapping[Any, Mapping[str, str]]:
    """For each label of an axis the settings, as JSON, in which it differs from other labels.

    A setting belongs to an axis if it has one value wherever a label stands, and not the same at
    all labels. An axis with a single label sets what bears its name.
    """
    values: dict[Any, dict[str, set[str]]] = {}
    for point in resolved.points:
        if axis in point.at:
            here = values.setdefault(point.at[axis], {})
            for key, value in point.settings.items():
                here.setdefault(key, set()).add(json.dumps(value))
    keys = dict.fromkeys(key for own in values.values() for key in own)
    sets = {key: {frozenset(own.get(key, {ABSENT})) for own in values.values()} for key in keys}
    owned = [
        key
        for key, each in sets.items()
        if all(len(one) == 1 for one in each)
        and (len(each) > 1 or key == axis or key.startswith(f"{axis}."))
    ]
    return {
        label: {key: next(iter(own[key])) for key in owned if key in own}
        for label, own in values.items()
    }
