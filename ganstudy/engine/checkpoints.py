"""Checkpoints: the state of a pack in flight, from which any part of the pack can go on.

A checkpoint is one line of JSON, which tells whose it is without torch, and the state behind it.
The line is sealed, and holds a digest of the state: no bit of either can change unnoticed. Batches
are functions of (seed, purpose, block), so that no generator state is in it, and a trial that goes
on from one has the same bits as a trial that was never disturbed.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ganstudy.family import canonical_json
from ganstudy.trial import SCHEMA
from ganstudy.whole_file import Damaged, sealed, unsealed, write_whole

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.engine.packing import Pack
    from ganstudy.family import Member
    from ganstudy.trial import ProgramName, Trial

    Curves = dict[str, NDArray[np.float32]]

__all__ = [
    "EVERY",
    "NO_CHECKPOINTS",
    "Checkpoints",
    "Flight",
    "Stopped",
    "discard",
    "forget",
    "packs_in_flight",
    "request_stop",
    "steps_kept",
    "when_stepping",
]

EVERY = 30.0
"""Seconds between two checkpoints: what a worker that dies may cost."""

StateT = TypeVar("StateT")

_log = logging.getLogger("ganstudy")
_stop = threading.Event()
_stepping: list[Callable[[float], None]] = []


class Stopped(Exception):
    """A pack was asked to stop, and has kept its state if it has somewhere to keep it."""


def request_stop() -> None:
    """Ask the pack that this process trains, or the next one, to stop at its next step."""
    _stop.set()


def when_stepping(said: Callable[[float], None]) -> None:
    """Have it said when a pack of this process has taken its first step, which may compile.

    said    called with the seconds that the same pack has trained in earlier sessions
    """
    _stepping[:] = [said]


@dataclass(frozen=True)
class Checkpoints:
    """Where packs in flight keep their state, and how often; nowhere if there is no folder."""

    folder: Path | None = None
    every: float = EVERY

    def flight(
        self, trials: Sequence[Trial[Any]], program: ProgramName, beside: Sequence[Member]
    ) -> Flight:
        """The flight of a pack, which begins now."""
        return Flight(self, [trial.id for trial in trials], program, beside)


NO_CHECKPOINTS = Checkpoints()
"""For packs that nobody will continue."""


class Flight:
    """The checkpoints of one pack while it trains."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        trials: list[str],
        program: ProgramName,
        beside: Sequence[Member],
    ) -> None:
        self.checkpoints = checkpoints
        self.trials = trials
        self.program = program
        # A compiled step orders its sums by the members that are computed in it.
        self.beside = [member.model_dump() for member in beside] if program == "compiled" else []
        self.started = self.saved = time.perf_counter()
        self.stepping, self.earlier = False, 0.0

    @property
    def seconds(self) -> float:
        """Training time, that of earlier sessions included."""
        return time.perf_counter() - self.started

    def resume(self, state: StateT, recorded: Curves) -> tuple[int, StateT]:
        """Rounds done and the state after them; curves so far are put into `recorded`.

        That of the checkpoint that is furthest among those that hold all trials of the pack, or
        0 and `state` itself if there is none. Each tensor of the state has the pack as its first
        axis; where it is longer than the pack, copies of the last trial follow.
        """
        identity = self._identity(state)
        wanted = set(self.trials)
        found = [
            (header["step"], path)
            for path, header in _headers(self.checkpoints.folder)
            if header["identity"] == identity and wanted <= set(header["trials"])
        ]
        for _, path in sorted(found, reverse=True):
            try:
                return self._load(path, state, recorded)
            except Exception as error:  # whatever is wrong with it, it is only time saved
                _log.warning("%s: checkpoint cannot be used (%s); training anew", path, error)
        return 0, state

    def offer(self, step: int, state: object, recorded: Curves) -> None:
        """Keep the state if it is time to.

        Errors  `Stopped` if the pack was asked to stop; its state is kept before.
        """
        if not self.stepping:
            self.stepping = True
            for said in _stepping:
                said(self.earlier)
        stop = _stop.is_set()
        if not stop and time.perf_counter() - self.saved < self.checkpoints.every:
            return
        if self.checkpoints.folder is not None:
            try:
                self._save(self.checkpoints.folder, step, state, recorded)
            except OSError as error:  # a full disk, say: no reason to end a trial
                _log.warning("%s: no checkpoint: %s", self.checkpoints.folder, error)
        self.saved = time.perf_counter()
        if stop:
            _stop.clear()
            raise Stopped

    def _save(self, folder: Path, step: int, state: object, recorded: Curves) -> None:
        import torch

        content = {
            "state": {name: leaf.cpu() for name, leaf in _leaves(state).items()},
            "curves": {name: torch.from_numpy(values) for name, values in recorded.items()},
            "seconds": self.seconds,
        }
        payload = io.BytesIO()
        torch.save(content, payload)
        header = {
            "trials": self.trials,
            "step": step,
            "identity": self._identity(state),
            "state": hashlib.sha256(payload.getvalue()).hexdigest(),
        }
        name = hashlib.sha256("".join(sorted(self.trials)).encode()).hexdigest()[:16]
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{name}.checkpoint", sealed(header) + payload.getvalue())

    def _load(self, path: Path, state: StateT, recorded: Curves) -> tuple[int, StateT]:
        import torch
        from torch.utils import _pytree

        line, newline, payload = path.read_bytes().partition(b"\n")
        header = unsealed(line + newline)
        if hashlib.sha256(payload).hexdigest() != header["state"]:
            raise Damaged("its checksum is wrong")
        content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        place = {trial: row for row, trial in enumerate(header["trials"])}
        rows = [place[trial] for trial in self.trials]
        kept = content["state"]
        leaves: list[Tensor] = []
        for name, leaf in _leaves(state).items():
            copies = [rows[-1]] * (len(leaf) - len(rows))
            own = kept[name][[*rows, *copies]].to(leaf.device)
            if own.shape != leaf.shape or own.dtype != leaf.dtype:
                raise ValueError(f"{name} is {own.dtype} {tuple(own.shape)} in it")
            leaves.append(own)
        recorded |= {name: values.numpy()[rows] for name, values in content["curves"].items()}
        # A part of a pack has used its share of the time.
        self.started -= content["seconds"] * len(self.trials) / len(header["trials"])
        self.earlier = content["seconds"]
        return header["step"], _pytree.tree_unflatten(leaves, _pytree.tree_structure(state))

    def _identity(self, state: object) -> str:
        """Two states of one identity go on with the same bits."""
        import torch

        device: torch.device = next(iter(_leaves(state).values())).device
        what = {
            "schema": SCHEMA,
            "ganstudy": metadata.version("ganstudy"),
            "torch": str(torch.__version__),
            "device": device.type,
            "program": self.program,
            "beside": self.beside,
        }
        return hashlib.sha256(canonical_json(what).encode()).hexdigest()


def packs_in_flight(folder: Path, missing: Mapping[str, Trial[Any]]) -> list[Pack]:
    """Packs of the missing trials that have a checkpoint, so that they go on as they were."""
    headers = sorted(_headers(folder), key=lambda found: (-found[1]["step"], found[0].name))
    packs: list[Pack] = []
    taken: set[str] = set()
    for _, header in headers:
        own = [i for i in header["trials"] if i in missing and i not in taken]
        taken.update(own)
        packs += [tuple(missing[i] for i in own)] if own else []
    return packs


def steps_kept(folder: Path | None, pack: Pack) -> int:
    """Steps after which all trials of a pack have a state in one checkpoint; 0 without one."""
    wanted = {trial.id for trial in pack}
    own = (h["step"] for _, h in _headers(folder) if wanted <= set(h["trials"]))
    return max(own, default=0)


def discard(folder: Path, recorded: Collection[str]) -> None:
    """Remove the checkpoints of packs whose trials all have records."""
    for path, header in list(_headers(folder)):
        if all(trial in recorded for trial in header["trials"]):
            path.unlink(missing_ok=True)


def forget(folder: Path | None, pack: Pack) -> None:
    """Remove the checkpoints of all trials of a pack, so that they begin anew."""
    trials = {trial.id for trial in pack}
    for path, header in list(_headers(folder)):
        if trials & set(header["trials"]):
            path.unlink(missing_ok=True)


def _headers(folder: Path | None) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The checkpoints of a folder and their first lines; without a whole one they are removed."""
    for path in sorted(folder.glob("*.checkpoint")) if folder is not None else ():
        try:
            with path.open("rb") as file:
                header = unsealed(file.readline())
        except FileNotFoundError:  # its record has landed meanwhile
            continue
        except Damaged as error:
            _log.warning("%s: not a checkpoint, removed: %s", path, error)
            path.unlink(missing_ok=True)
        else:
            yield path, header


def _leaves(state: object) -> dict[str, Tensor]:
    """The tensors of a state, whatever it is made of, by their paths."""
    from torch.utils import _pytree

    found, _ = _pytree.tree_flatten_with_path(state)
    return {_pytree.keystr(path): leaf for path, leaf in found}
