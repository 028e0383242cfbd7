"""A flight: a pack while it trains, and the state that it keeps, from which any part can continue.

Batches are functions of (seed, purpose, block), so that no generator state is in a checkpoint, and
a trial that continues from one has the same bits as a trial that was never disturbed.
"""

from __future__ import annotations

import io
import logging
import math
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch.utils import _pytree

from ganstudy.engine.checkpoints import STEPPING, STOP, Stopped, headers
from ganstudy.trial import SCHEMA
from ganstudy.whole_file import (
    Damaged,
    digest,
    name_digest,
    read_now,
    sealed,
    unsealed,
    write_whole,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.engine.session import Session
    from ganstudy.family import Member
    from ganstudy.trial import Trial

    Curves = dict[str, NDArray[np.float32]]
    Notes = Sequence[dict[str, str]]

__all__ = ["Flight"]

StateT = TypeVar("StateT")

_log = logging.getLogger("ganstudy")


_OTHER = {
    "version": "another version",
    "device": "another device",
    "program": "another program",
    "arithmetic": "other arithmetic",
}
"""What two states that continue with the same bits have in common, and how it is told apart."""

TELL_EVERY = 1.0
"""Seconds between two words on how far a pack is."""


class Flight:
    """The checkpoints of one pack while it trains, and how far it is.

    rounds  how many there are; where that is not said, neither is how far the pack is
    """

    def __init__(
        self, trials: Sequence[Trial[Member]], session: Session, rounds: int | None = None
    ) -> None:
        self.rounds = rounds
        self.checkpoints = session.checkpoints
        self.trials = [trial.id for trial in trials]
        self.program, self.arithmetic = session.program, session.arithmetic
        self.started = self.saved = time.perf_counter()
        self.told, self.earlier = -math.inf, 0.0

    @property
    def seconds(self) -> float:
        """Training time, that of earlier sessions included."""
        return time.perf_counter() - self.started

    def resume(self, state: StateT, recorded: Curves, notes: Notes) -> tuple[int, StateT]:
        """Rounds done and the state after them; curves so far are put into `recorded`, and what was
        noted of each trial into its `notes`.

        That of the checkpoint that is furthest among those that hold all trials of the pack, or
        0 and `state` itself if there is none. Each tensor of the state has the pack as its first
        axis; where it is longer than the pack, copies of the last trial follow.
        """
        identity = self._identity(state)
        wanted = set(self.trials)
        found: list[tuple[int, Path]] = []
        others: list[tuple[Path, str]] = []
        for path, header in headers(self.checkpoints.folder):
            if not wanted <= set(header["trials"]):
                continue
            if header["identity"] == identity:
                found.append((header["step"], path))
            else:
                others.append((path, _others(header["identity"], identity)))
        for left, (_, path) in reversed([*enumerate(sorted(found))]):
            try:
                return self._load(path, state, recorded, notes)
            except Exception as error:  # whatever is wrong with it, it is only time saved
                then = "the next one is tried" if left else "training anew"
                _log.warning("%s: checkpoint cannot be used (%s); %s", path, error, then)
        for path, what in others:
            _log.warning("%s: of %s; training anew", path, what)
        return 0, state

    def offer(self, step: int, state: object, recorded: Curves, notes: Notes) -> None:
        """Keep the state if it is time to.

        Errors  `Stopped` if the pack was asked to stop; its state is kept before.
        """
        now = time.perf_counter()
        if now - self.told >= TELL_EVERY:
            self.told = now
            for said in STEPPING:
                said(self.earlier, step / self.rounds if self.rounds else 0.0)
        stop = STOP.is_set()
        if not stop and now - self.saved < self.checkpoints.every:
            return
        if self.checkpoints.folder is not None:
            try:
                self._save(self.checkpoints.folder, step, state, recorded, notes)
            except OSError as error:  # a full disk, say: no reason to end a trial
                _log.warning("%s: no checkpoint: %s", self.checkpoints.folder, error)
        self.saved = time.perf_counter()
        if stop:
            STOP.clear()
            raise Stopped

    def _save(self, folder: Path, step: int, state: object, recorded: Curves, notes: Notes) -> None:
        content = {
            "state": {name: leaf.cpu() for name, leaf in _leaves(state).items()},
            "curves": {name: torch.from_numpy(values) for name, values in recorded.items()},
            "notes": [*notes],
            "seconds": self.seconds,
        }
        payload = io.BytesIO()
        torch.save(content, payload)
        header = {
            "trials": self.trials,
            "step": step,
            "identity": self._identity(state),
            "state": digest(payload.getvalue()),
        }
        name = name_digest("".join(sorted(self.trials)).encode())
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{name}.checkpoint", sealed(header) + payload.getvalue())

    def _load(
        self, path: Path, state: StateT, recorded: Curves, notes: Notes
    ) -> tuple[int, StateT]:
        line, newline, payload = read_now(path).partition(b"\n")
        header = unsealed(line + newline)
        if digest(payload) != header["state"]:
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
        for own, row in zip(notes, rows, strict=True):
            own |= content["notes"][row]
        # A part of a pack has used its share of the time.
        self.started -= content["seconds"] * len(self.trials) / len(header["trials"])
        self.earlier = content["seconds"]
        return header["step"], _pytree.tree_unflatten(leaves, _pytree.tree_structure(state))

    def _identity(self, state: object) -> dict[str, str]:
        """Two states of one identity continue with the same bits."""
        device: torch.device = next(iter(_leaves(state).values())).device
        return {
            "version": f"{metadata.version('ganstudy')}, schema {SCHEMA}",
            "device": device.type,
            "program": self.program,
            "arithmetic": self.arithmetic,
        }


def _others(theirs: Any, own: dict[str, str]) -> str:
    """What of another identity is not that of this one, in words."""
    if not isinstance(theirs, dict):  # it was a digest of them
        theirs = {**own, "version": "an earlier one"}
    return " and ".join(
        f"{_OTHER[name]} ({theirs.get(name)})" for name in own if theirs.get(name) != own[name]
    )


def _leaves(state: object) -> dict[str, Tensor]:
    """The tensors of a state, whatever it is made of, by their paths."""
    found, _ = _pytree.tree_flatten_with_path(state)
    return {_pytree.keystr(path): leaf for path, leaf in found}
