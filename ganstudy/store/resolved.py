"""resolved.yaml: what a study meant, every setting of every point, one JSON value a line.

Its last two lines are comments: digests of the study.yaml that it tells the meaning of, and of all
that stands above.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganstudy.store.point_settings import SEARCHED, common_of, settings_of
from ganstudy.whole_file import Damaged, digest

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["Resolved", "ResolvedPoint", "read", "text_of"]

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


def text_of(study: Study, written: str, added: Sequence[str] = ()) -> str:
    """What the study, `written` so, meant: settings common to all points, then those of each point.

    Each line below `points:` is JSON, which is YAML, so that large studies are written quickly. Of
    a search by results, `arms:` leaves out what is `SEARCHED` there by parameters below `space:`.

    added  arms that are new since scores were seen, and have no record
    """
    flat = settings_of(study)
    common = common_of(flat.values())
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
        own = {k: v for k, v in settings.items() if k not in common and v != SEARCHED}
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
