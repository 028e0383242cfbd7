"""resolved.yaml: what a study meant, every setting of every point, one JSON value a line.

Its last two lines are comments: digests of the study.yaml that it tells the meaning of, and of all
that stands above.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ganstudy.study.configuration import leaves
from ganstudy.study.problem import dotted
from ganstudy.whole_file import Damaged, digest

if TYPE_CHECKING:
    from ganstudy.study import Study
    from ganstudy.study.document import KeyPath

    Flat = Mapping[tuple[int, ...], Mapping[str, Any]]

__all__ = [
    *("ImpliedSetting", "Resolved", "ResolvedPoint", "SharedSetting", "implied", "read"),
    *("settings_of", "shared", "text_of"),
]

_OF_STUDY = "# sha256 of study.yaml: "
_OF_ALL = "# sha256 of all above: "


@dataclass(frozen=True)
class ResolvedPoint:
    """The labels of a point of the grid, by the names of the axes, and its settings by key path."""

    at: Mapping[str, Any]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Resolved:
    """What a study meant; of a search by results, the points are its arms.

    space   what each parameter of a search by results may be
    fixed   what stays once scores have been seen, as `Study.fixed`
    added   arms of these that were new then, and had no record yet
    study   digest of study.yaml
    name    of the study
    """

    seeds: tuple[int, ...]
    points: tuple[ResolvedPoint, ...]
    space: Mapping[str, Any]
    fixed: Mapping[str, Any]
    added: tuple[str, ...]
    study: str
    name: str

    def values(self) -> dict[str, list[str]]:
        """The values that each setting takes, or may be given by a search, as JSON."""
        found = {"seeds": {json.dumps(seed) for seed in self.seeds}}
        found |= {f"space of {name}": {json.dumps(own)} for name, own in self.space.items()}
        for point in self.points:
            for key, value in point.settings.items():
                found.setdefault(key, set()).add(json.dumps(value))
        return {key: sorted(values, key=_by_size) for key, values in found.items()}


def _by_size(written: str) -> tuple[bool, float, str]:
    """Numbers by their size, and before all else."""
    value = json.loads(written)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return not number, float(value) if number else 0.0, written


class SharedSetting(NamedTuple):
    """A setting that all trials share; by default, unless the study says so."""

    key: str
    value: Any
    stated: bool
    meaning: str


class ImpliedSetting(NamedTuple):
    """A setting in which trials differ by default: neither an axis nor a search sets it.

    axis    the one by whose values it differs; empty if it takes several
    values  each of its values with the labels there that have it; without any where axis is empty
    """

    key: str
    axis: str
    values: list[tuple[Any, list[Any]]]
    meaning: str


def text_of(study: Study, written: str, added: Sequence[str] = ()) -> str:
    """What the study, `written` so, meant: settings common to all points, then those of each point.

    Each line below `points:` is JSON, which is YAML, so that large studies are written quickly. Of
    a search by results, `arms:` leaves out what the parameters below `space:` set.

    added  arms that are new since scores were seen, and have no record
    """
    flat = settings_of(study)
    common = _common(flat)
    lines = [
        f"question: {json.dumps(study.file.question)}",
        f"study: {json.dumps(study.name)}",
        f"seeds: {json.dumps(study.seeds)}",
        "common:",
        *(f"  {key}: {json.dumps(value)}" for key, value in common.items()),
    ]
    if fixed := study.fixed:
        lines += ["fixed:", *(f"  {key}: {json.dumps(value)}" for key, value in fixed.items())]
    if added:
        lines.append(f"added: {json.dumps(added)}")
    if study.space:
        lines.append("space:")
        for parameter in study.space:
            about = {**parameter.attributes, "when": parameter.when}
            lines.append(f"  {json.dumps(parameter.name)}: {json.dumps(about)}")
    lines.append("arms:" if study.space else "points:")
    for index, settings in flat.items():
        own = {key: value for key, value in settings.items() if key not in common}
        lines.append(f"  - {json.dumps({'at': study.labels(index), 'settings': own})}")
    above = "\n".join([*lines, f"{_OF_STUDY}{digest(written.encode())}"]) + "\n"
    return f"{above}{_OF_ALL}{digest(above.encode())}\n"


def read(text: str) -> Resolved:
    """What `text_of` has written.

    YAML's parser would take a minute for ten thousand points; here a line is a value.

    Errors  `Damaged` if it is anything else.
    """
    above, mark, seal = text.rpartition(_OF_ALL)
    if not mark or seal != f"{digest(above.encode())}\n":
        raise Damaged("its checksum is wrong")
    above, _, of_study = above.rpartition(_OF_STUDY)
    section = ""
    seeds: list[int] = []
    added: list[str] = []
    name = ""
    common: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    space: dict[str, Any] = {}
    points: list[ResolvedPoint] = []
    for line in above.splitlines():
        key, _, value = line.strip().partition(": ")
        if not line.startswith(" "):
            section = line.rstrip(":")
            seeds = json.loads(value) if key == "seeds" else seeds
            added = json.loads(value) if key == "added" else added
            name = json.loads(value) if key == "study" else name
        elif section == "common":
            common[key] = json.loads(value)
        elif section == "fixed":
            fixed[key] = json.loads(value)
        elif section == "space":
            space[json.loads(key)] = json.loads(value)
        elif section in ("points", "arms"):
            point = json.loads(line.strip().removeprefix("- "))
            points.append(ResolvedPoint(point["at"], {**common, **point["settings"]}))
    own = of_study.strip()
    return Resolved(tuple(seeds), tuple(points), space, fixed, tuple(added), own, name)


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
        for key, value in _common(flat).items()
    ]


def implied(study: Study, flat: Flat) -> list[ImpliedSetting]:
    """What the values of axes bring along, as a divergence the settings of its paper.

    flat  `settings_of` the study
    """
    common = _common(flat)
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
    ]


def _set(key: str, value: Any) -> Iterator[str]:
    """The keys that an axis sets by a value: a member as a whole, a section key by key."""
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
    """The settings of each point by key path, without those that a search sets."""
    searched = {path for p in study.space for key in p.extremes for path, *_ in p.settings(key)}
    return {index: _flat(c.model_dump(), without=searched) for index, c in study.points.items()}


def _common(flat: Flat) -> dict[str, Any]:
    """The settings that are the same at all points."""
    first = next(iter(flat.values()))
    return {k: v for k, v in first.items() if all(f.get(k) == v for f in flat.values())}


def _flat(settings: Mapping[str, Any], without: Container[KeyPath] = ()) -> dict[str, Any]:
    """Values by key path, but for those at and below some."""
    return {
        dotted(path): value
        for path, value in leaves(settings)
        if not any(path[:length] in without for length in range(1, len(path) + 1))
    }
