"""data.json: what a run knows of files of the user's own, so that its records outlive them.

They are the data of its targets, and the modules that its metrics look through.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstudy.metrics import know_variable, measured_already
from ganstudy.settings import Settings
from ganstudy.store import records
from ganstudy.store.place import RunError
from ganstudy.targets import FileOutline, Outline, OwnData, OwnFile, Target, reading_again
from ganstudy.variable import Variable
from ganstudy.whole_file import Damaged, read_now, sealed, unsealed, write_whole

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.search import Search

__all__ = ["NAME", "check", "gone", "know", "reading", "write"]

NAME = "data.json"

_log = logging.getLogger("ganstudy")


def write(folder: Path, search: Search) -> None:
    """Keep the outlines of the files of a study, and how its metrics are read; nothing of others.

    Errors  `OSError`.
    """
    _write(folder, _content(_points(search)))


def add(folder: Path, search: Search, pack: Pack) -> None:
    """Keep the same of points that a search has made, whose files may be others, or split so.

    Errors  `OSError`.
    """
    if not search.study.space:  # all of them were known when the run began
        return
    found = _content(trial.configuration for trial in pack)
    if not any(found.values()):
        return
    try:
        kept = unsealed(read_now(folder / NAME))
    except (FileNotFoundError, Damaged):
        write(folder, search)
        return
    for name, own in found.items():
        known = {_key(entry) for entry in kept.setdefault(name, [])}
        kept[name] += [entry for entry in own if _key(entry) not in known]
    _write(folder, kept)


def _content(points: Iterable[Kind]) -> dict[str, list[dict[str, Any]]]:
    own = [point for point in points if any(_files(point))]
    outlines = list(_outlines(own))
    return {
        "data": [x.model_dump(mode="json") for x in outlines if isinstance(x, Outline)],
        "modules": [x.model_dump(mode="json") for x in outlines if not isinstance(x, Outline)],
        "metrics": list(_metrics(own)),
    }


def _key(entry: Mapping[str, Any]) -> tuple[object, ...]:
    """What an entry is of: a file as it is read, or a metric of a target."""
    return entry.get("settings"), entry.get("target"), entry.get("name")


def _write(folder: Path, content: Mapping[str, list[dict[str, Any]]]) -> None:
    whole = sealed(content, indent=1)
    path = folder / NAME
    if any(content.values()) and not (path.is_file() and path.read_bytes() == whole):
        write_whole(path, whole)


def know(folder: Path) -> None:
    """Whoever asks what the targets of a run are is told, whether their data are there or not."""
    with reading(folder):
        pass


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While the study of a run is read, its data are those that it had, there or not."""
    with reading_again(_read(folder)), measured_already():
        yield


def check(folder: Path, search: Search) -> None:
    """Refuse records whose trials have seen other numbers in the same files.

    Of runs that kept no outline of their data, what one file of records holds is asked.

    Errors  `RunError`.
    """
    before = {own.settings: own for own in _read(folder) if isinstance(own, Outline)}
    targets = {trial.id: _target(trial.configuration) for trial in search.trials.values()}
    own = {id: target for id, target in targets.items() if isinstance(target, OwnData)}
    for target in dict.fromkeys(own.values()):
        now, then = target.outline, before.get(target.read.settings)
        if then is not None and not then.is_like(now):
            _refuse(folder, now.path, then.words, now.words)
    for id, features in {} if before or not own else _features(folder):
        if id in own and features != own[id].dimension:
            there = f"{features} numbers a row"
            _refuse(folder, own[id].outline.path, there, own[id].outline.words)


def _refuse(folder: Path, path: str, then: str, now: str) -> None:
    raise RunError(
        f"{folder}: its trials have seen {path} as {then}, and this version of ganstudy reads the "
        f"same files as {now}: no trial would be like these. Use the ganstudy that made it, or set "
        "it aside with --fresh"
    )


def _features(folder: Path) -> Iterator[tuple[str, int]]:
    """Trials of some file of records, and of how many features their samples are."""
    for path in islice(sorted((folder / "records").glob("*.nc")), 1):
        with suppress(Damaged):
            for record in records.read(path):
                if "samples" in record.values:
                    yield record.id, record.values["samples"].shape[-1]


def _read(folder: Path) -> list[FileOutline]:
    """What is kept of files; how metrics are read of them is known from then on.

    Errors  `OSError` where it cannot be read: it may be all that is left of them.
    """
    try:
        said = unsealed(read_now(folder / NAME))
        outlines = [
            *(Outline.model_validate_json(json.dumps(own)) for own in said["data"]),
            *map(FileOutline.model_validate, said.get("modules", [])),
        ]
        for own in said["metrics"]:
            know_variable(own.pop("target"), _variable(**own))
    except FileNotFoundError:
        return []
    except (Damaged, ValueError, KeyError, TypeError) as error:
        _log.warning("%s: %s; not used", folder / NAME, error)
        return []
    return outlines


def _variable(dims: list[str], about: dict[str, Any], **rest: Any) -> Variable:
    """JSON knows no tuples."""
    if "bounds" in about:
        about = {**about, "bounds": tuple(about["bounds"])}
    return Variable(dims=tuple(dims), about=about, **rest)


def gone(search: Search) -> list[str]:
    """Why files that trials have seen are not there, a sentence for each."""
    # Seeds of a point share one configuration.
    points = {id(trial.configuration): trial.configuration for trial in search.trials.values()}
    files = (own for point in points.values() for own in _files(point))
    return list(dict.fromkeys(own.gone for own in files if own.gone))


def _target(configuration: Kind) -> Target | None:
    own = getattr(configuration, "target", None)
    return own if isinstance(own, Target) else None


def _points(search: Search) -> Iterator[Kind]:
    """What is resolved where the study is read, and the trials that a search has made of it."""
    yield from search.study.points.values()
    if search.study.space:
        yield from search.study.corners()
        yield from (trial.configuration for trial in search.trials.values())


def _files(settings: object) -> Iterator[OwnFile]:
    """What reads files of the user's own, wherever in a configuration it stands."""
    if isinstance(settings, OwnFile):
        yield settings
    elif isinstance(settings, Settings):
        yield from chain.from_iterable(_files(value) for _, value in settings)
    elif isinstance(settings, tuple):
        yield from chain.from_iterable(map(_files, settings))


def _outlines(points: Iterable[Kind]) -> Iterator[FileOutline]:
    known = {own.settings: own for point in points for own in _files(point)}
    outlines = {own.read.settings: own for own in known.values()}
    yield from (own.outline for own in outlines.values())


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
