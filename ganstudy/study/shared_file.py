"""`extends:`: settings that study files share, written once beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganstudy.study.problem import KeyPath

__all__ = ["KEY", "PLACE", "Written", "over", "within"]

KEY = "extends"
"""The key of a study file that names its shared file."""

PLACE: KeyPath = (KEY,)

Places = Mapping[KeyPath, str]


class Written:
    """Values, with the file and the line on which each of them stands."""

    def __init__(self, values: dict[str, Any], places: Places) -> None:
        self.values, self.places = values, dict(places)


def over(own: Written, shared: Written) -> Written:
    """A study over its shared file: mappings are merged key by key, all else is the study's.

    Members of a family that have different names are no mappings of one thing: the study's
    replaces the other whole, as it does among the settings of a trial.
    """
    values, places = dict(shared.values), dict(shared.places)
    _merge(values, own.values, (), places)
    return Written(values, {**places, **own.places})


def within(folder: Path, name: str) -> Path | None:
    """The file of a name that lies in a folder or below, wherever links lead; else None."""
    path = folder / name
    stated = not Path(name).is_absolute() and ".." not in Path(name).parts
    return path if stated and path.resolve().is_relative_to(folder.resolve()) else None


def _merge(
    values: dict[str, Any], own: Mapping[str, Any], above: KeyPath, places: dict[KeyPath, str]
) -> None:
    for key, value in own.items():
        path, old = (*above, key), values.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _of_one(old, value):
            values[key] = dict(old)
            _merge(values[key], value, path, places)
            continue
        values[key] = value
        # What stood below is gone: no mistake can be placed there any more.
        for place in [place for place in places if place[: len(path)] == path]:
            del places[place]


def _of_one(old: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    return bool(own.get("name", old.get("name")) == old.get("name"))
