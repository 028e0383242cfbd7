"""What the points of a study are set to: what all of them share, and what differs by default."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ganstudy.study.configuration import leaves
from ganstudy.study.problem import dotted
from ganstudy.study.space import extremes

if TYPE_CHECKING:
    from ganstudy.study import Study

    Flat = Mapping[tuple[int, ...], Mapping[str, Any]]

__all__ = [
    *("SEARCHED", "ImpliedSetting", "SharedSetting", "common_of", "implied", "settings_of"),
    "shared",
]

SEARCHED = "searched"
"""Stands for the value of a setting at points where a search sets it, or what brings it along."""


class SharedSetting(NamedTuple):
    """A setting that all trials share; by default, unless the study says so."""

    key: str
    value: Any
    stated: bool
    meaning: str


class ImpliedSetting(NamedTuple):
    """A setting in which trials differ that no axis sets, nor a search at all points.

    axis    the one by whose values it differs; empty if it takes several
    values  each of its values, or `SEARCHED`, with the labels there that have it; without any where
            axis is empty
    """

    key: str
    axis: str
    values: list[tuple[Any, list[Any]]]
    meaning: str


def shared(study: Study, flat: Flat) -> list[SharedSetting]:
    """What all trials of a study share, in the order of its settings, by the keys of `trial:`.

    flat  `settings_of` the study
    """
    first = next(iter(study.points.values()))
    written = _flat(study.file.trial)
    for axis in study.axes:
        written |= {key: value for own in axis.settings for key, value in own.items()}
    return [
        SharedSetting(
            key if key != "name" else "kind",
            value,
            _is_written(key, written) or (key == "name" and "kind" in written),
            _meaning(first, key),
        )
        for key, value in common_of(flat.values()).items()
    ]


def implied(study: Study, flat: Flat) -> list[ImpliedSetting]:
    """What the values of axes bring along, as a divergence the settings of its paper, and what a
    search leaves alone at some points.

    flat  `settings_of` the study
    """
    common = common_of(flat.values())
    varied = {
        key
        for axis in study.axes
        for own in axis.settings
        for at in own.items()
        for key in _set(*at)
    }
    if "kind" in varied:
        return []
    found: dict[str, dict[tuple[int, ...], Any]] = {}
    for index, settings in flat.items():
        for key, value in settings.items():
            if key not in common and not varied.intersection(_above(key)):
                found.setdefault(key, {})[index] = value
    return [
        ImpliedSetting(key, *_by_axis(study, own), _meaning(study.points[next(iter(own))], key))
        for key, own in found.items()
        if any(value != SEARCHED for value in own.values())
    ]


def _set(key: str, value: Any) -> Iterator[str]:
    """The keys that are set by a value: a member as a whole, a section key by key."""
    if isinstance(value, Mapping) and value and "name" not in value:
        for name, own in value.items():
            yield from _set(f"{key}.{name}", own)
    else:
        yield key


def _by_axis(
    study: Study, own: Mapping[tuple[int, ...], Any]
) -> tuple[str, list[tuple[Any, list[Any]]]]:
    """The axis whose labels tell the value of a setting at each point, and what they tell."""
    for number, axis in enumerate(study.axes):
        told: dict[Any, set[str]] = {}
        for index, value in own.items():
            told.setdefault(axis.labels[index[number]], set()).add(json.dumps(value))
        if all(len(values) == 1 for values in told.values()):
            values = {value: None for (value,) in told.values()}
            return axis.name, [
                (json.loads(value), [label for label in told if told[label] == {value}])
                for value in values
            ]
    return "", [(json.loads(value), []) for value in dict.fromkeys(map(json.dumps, own.values()))]


def _is_written(key: str, written: Mapping[str, Any]) -> bool:
    """Whether a study says it: by its own key, by a member's bare name, or in a list."""
    return any(
        own == key or isinstance(written[own], list) or key == f"{own}.name"
        for own in _above(key)
        if own in written
    )


def _above(key: str) -> list[str]:
    """A key, and those that it lies below."""
    parts = key.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]


def _meaning(settings: Any, key: str) -> str:
    """What a setting is, as its field says; empty where it is a part of a value."""
    path = key.split(".")
    for name in path[:-1]:
        settings = getattr(settings, name, None)
    fields = getattr(type(settings), "model_fields", {})
    return (fields[path[-1]].description if path[-1] in fields else None) or ""


def settings_of(study: Study) -> Flat:
    """The settings of each point by key path, `SEARCHED` for those that a search sets there."""
    return {index: _settings_at(study, index) for index in study.points}


def _settings_at(study: Study, index: tuple[int, ...]) -> dict[str, Any]:
    """A search sets what its parameters name, and whatever differs by them: members imply more."""
    corners = list(extremes(study.space, study.labels(index)))
    further = [study.resolve(index, values) for values in corners[1:]]
    flat = [_flat(own.model_dump()) for own in (study.points[index], *further)]
    chosen = {
        key
        for values in corners
        for parameter in study.space
        if parameter.name in values
        for path, value, _ in parameter.settings(values[parameter.name])
        for key in _set(dotted(path), value)
    }
    chosen |= {key for own in flat for key in own} - common_of(flat).keys()
    every = {key: value for own in flat for key, value in own.items()}
    return {k: SEARCHED if chosen.intersection(_above(k)) else v for k, v in every.items()}


def common_of(points: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that are the same at all points, `SEARCHED` at none."""
    first, *others = points
    return {
        key: value
        for key, value in first.items()
        if value != SEARCHED and all(key in own and own[key] == value for own in others)
    }


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values by key path."""
    return {dotted(path): value for path, value in leaves(settings)}
