"""data.json: what a run knows of data of the user's own, so that its records outlive them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstudy.metrics import know_variable
from ganstudy.targets import Outline, OwnData, Target, reading_again
from ganstudy.variable import Variable
from ganstudy.whole_file import Damaged, sealed, unsealed, write_whole

if TYPE_CHECKING:
    from ganstudy.kinds import Kind
    from ganstudy.search import Search

__all__ = ["NAME", "gone", "know", "reading", "write"]

NAME = "data.json"

_log = logging.getLogger("ganstudy")


def write(folder: Path, search: Search) -> None:
    """Keep the outlines of the data of a study, and how its metrics are read; nothing of others.

    Errors  `OSError`.
    """
    own = [x for x in search.study.points.values() if isinstance(_target(x), OwnData)]
    content = {"data": list(_outlines(own)), "metrics": list(_metrics(own))}
    whole = sealed(content, indent=1)
    path = folder / NAME
    if own and not (path.is_file() and path.read_bytes() == whole):
        write_whole(path, whole)


def know(folder: Path) -> None:
    """Whoever asks what the targets of a run are is told, whether their data are there or not."""
    with reading(folder):
        pass


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While the study of a run is read, its data are those that it had, there or not."""
    try:
        said = unsealed((folder / NAME).read_bytes())
        outlines = [Outline.model_validate_json(json.dumps(own)) for own in said["data"]]
        for own in said["metrics"]:
            know_variable(own.pop("target"), _variable(**own))
    except FileNotFoundError:
        outlines = []
    except (OSError, Damaged, ValueError, KeyError, TypeError) as error:
        _log.warning("%s: %s; not used", folder / NAME, error)
        outlines = []
    with reading_again(outlines):
        yield


def _variable(dims: list[str], about: dict[str, Any], **rest: Any) -> Variable:
    """JSON knows no tuples."""
    if "bounds" in about:
        about = {**about, "bounds": tuple(about["bounds"])}
    return Variable(dims=tuple(dims), about=about, **rest)


def gone(search: Search) -> list[str]:
    """Why data that trials have seen are not there, a sentence for each."""
    targets = [_target(trial.configuration) for trial in search.trials.values()]
    return list(dict.fromkeys(own.gone for own in targets if own is not None and own.gone))


def _target(configuration: Kind) -> Target | None:
    own = getattr(configuration, "target", None)
    return own if isinstance(own, Target) else None


def _outlines(points: Iterable[Kind]) -> Iterator[dict[str, Any]]:
    known = {own.settings: own for own in map(_target, points) if isinstance(own, OwnData)}
    outlines = {own.read.settings: own for own in known.values()}
    yield from (own.outline.model_dump(mode="json") for own in outlines.values())


def _metrics(points: Iterable[Kind]) -> Iterator[dict[str, Any]]:
    told = set()
    for point in points:
        target = _target(point)
        if target is None:
            continue
        for own in point.variables():
            if own.role == "metric" and (target.settings, own.name) not in told:
                told.add((target.settings, own.name))
                yield {"target": target.settings, **asdict(own)}
