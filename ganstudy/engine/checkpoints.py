"""Checkpoints on disk: whose they are, how far they are, and which packs continue from them.

A checkpoint is one line of JSON, which tells whose it is without torch, and the state behind it.
The line is sealed, and holds a digest of the state: no bit of either can change unnoticed.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ganstudy.trial import Trial
from ganstudy.whole_file import Damaged, read_now, unsealed

__all__ = [
    "EVERY",
    "NAME",
    "NO_CHECKPOINTS",
    "STEPPING",
    "STOP",
    "Checkpoints",
    "Stopped",
    "clear",
    "discard",
    "forget",
    "headers",
    "in_parts",
    "packs_in_flight",
    "request_stop",
    "steps_kept",
    "when_stepping",
]

EVERY = 30.0
"""Seconds between two checkpoints: what a worker that dies may cost."""

TrialT = TypeVar("TrialT", bound=Trial)

STOP = threading.Event()
"""Set while the pack of this process, or its next one, is asked to stop."""

NAME = re.compile(r"[0-9a-f]{8,}\.checkpoint")
"""What a checkpoint is called; other files beside them are somebody else's."""

_log = logging.getLogger("ganstudy")

STEPPING: list[Callable[[float, float], None]] = []
"""Told when a pack of this process has taken its first step, and from then on; `when_stepping`."""


class Stopped(Exception):
    """A pack was asked to stop, and has kept its state if it has somewhere to keep it."""


def request_stop() -> None:
    """Ask the pack that this process trains, or the next one, to stop at its next step."""
    STOP.set()


def when_stepping(said: Callable[[float, float], None]) -> None:
    """Have it said when a pack of this process has taken its first step, which may compile, and
    every second from then on how far it is.

    said    called with the seconds that the same pack has trained in earlier sessions, and with the
            share of its steps that it has taken
    """
    STEPPING[:] = [said]


@dataclass(frozen=True)
class Checkpoints:
    """Where packs in flight keep their state, and how often; nowhere if there is no folder."""

    folder: Path | None = None
    every: float = EVERY


NO_CHECKPOINTS = Checkpoints()
"""For packs that nobody will continue."""


def packs_in_flight(folder: Path, missing: Mapping[str, TrialT]) -> list[tuple[TrialT, ...]]:
    """Packs of the missing trials that have a checkpoint, as they were when it was written."""
    known = sorted(headers(folder), key=lambda found: (-found[1]["step"], found[0].name))
    packs: list[tuple[TrialT, ...]] = []
    taken: set[str] = set()
    for _, header in known:
        own = [i for i in header["trials"] if i in missing and i not in taken]
        taken.update(own)
        packs += [tuple(missing[i] for i in own)] if own else []
    return packs


def in_parts(folder: Path, packs: Sequence[tuple[TrialT, ...]]) -> list[tuple[TrialT, ...]]:
    """Packs cut so that all trials of a part continue from one checkpoint, or none of them does."""
    if not packs:  # as often as a worker has nothing to do
        return []
    every = {trial.id: trial for pack in packs for trial in pack}
    flying = packs_in_flight(folder, every)
    number = {trial.id: own for own, pack in enumerate(flying) for trial in pack}
    parts: list[tuple[TrialT, ...]] = []
    for pack in packs:
        alike: dict[int | None, list[TrialT]] = {}
        for trial in pack:
            alike.setdefault(number.get(trial.id), []).append(trial)
        parts += map(tuple, alike.values())
    return parts


def steps_kept(folder: Path | None, pack: Sequence[Trial]) -> dict[str, int]:
    """Steps after which a checkpoint has a state of all trials of a pack, by the state's digest."""
    wanted = {trial.id for trial in pack}
    return {h["state"]: h["step"] for _, h in headers(folder) if wanted <= set(h["trials"])}


def discard(folder: Path, recorded: Collection[str]) -> None:
    """Remove the checkpoints of packs whose trials all have records."""
    for path, header in list(headers(folder)):
        if all(trial in recorded for trial in header["trials"]):
            path.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Remove all checkpoints, whosever they are."""
    for path, _ in list(headers(folder)):
        path.unlink(missing_ok=True)


def forget(folder: Path | None, pack: Sequence[Trial[Any]]) -> None:
    """Remove the checkpoints of all trials of a pack, so that they begin anew."""
    trials = {trial.id for trial in pack}
    for path, header in list(headers(folder)):
        if trials & set(header["trials"]):
            path.unlink(missing_ok=True)


def headers(folder: Path | None) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The checkpoints of a folder and their first lines; without a whole one they are removed."""
    found = () if folder is None else sorted(folder.glob("*.checkpoint"))
    for path in (own for own in found if NAME.fullmatch(own.name)):
        try:
            header = unsealed(read_now(path, lambda file: file.readline()))
        except FileNotFoundError:  # its record has landed meanwhile
            continue
        except Damaged as error:
            _log.warning("%s: not a checkpoint, removed: %s", path, error)
            path.unlink(missing_ok=True)
        else:
            yield path, header
