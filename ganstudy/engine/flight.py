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
from typing import TYPE_CHECKING, TypeVar

import torch
from torch.utils import _pytree

from ganstudy.engine.checkpoints import STEPPING, STOP, Stopped, headers
from ganstudy.family import canonical_json
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
        # A compiled step orders its sums by the members that are computed in it.
        compiled = session.program == "compiled"
        self.beside = [member.model_dump() for member in session.beside] if compiled else []
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
        for path, header in headers(self.checkpoints.folder):
            if not wanted <= set(header["trials"]):
                continue
            if header["identity"] == identity:
                found.append((header["step"], path))
            elif (theirs := header.get("arithmetic", "")) != self.arithmetic:
                _log.warning("%s: of other arithmetic (%s); training anew", path, theirs)
        for _, path in sorted(found, reverse=True):
            try:
                return self._load(path, state, recorded, notes)
            except Exception as error:  # whatever is wrong with it, it is only time saved
                _log.warning("%s: checkpoint cannot be used (%s); training anew", path, error)
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
            "arithmetic": self.arithmetic,
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

    def _identity(self, state: object) -> str:
        """Two states of one identity continue with the same bits."""
        device: torch.device = next(iter(_leaves(state).values())).device
        what = {
            "schema": SCHEMA,
            "ganstudy": metadata.version("ganstudy"),
            "device": device.type,
            "program": self.program,
            "arithmetic": self.arithmetic,
            "beside": self.beside,
        }
        return digest(canonical_json(what).encode())


def _leaves(state: object) -> dict[str, Tensor]:
    """The tensors of a state, whatever it is made of, by their paths."""
    found, _ = _pytree.tree_flatten_with_path(state)
    return {_pytree.keystr(path): leaf for path, leaf in found}
