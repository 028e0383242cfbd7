"""A kind of trial that does as it is told, for workers to import by its name."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Sequence
from mmap import mmap
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch

from ganstudy.engine.session import ALONE, Session
from ganstudy.kinds import Kind
from ganstudy.schedule import gpu
from ganstudy.trial import ProgramName, Record, Trial
from ganstudy.variable import STEP, Variable

_begun: list[str] = []
"""What this process has begun."""

_kept: list[Any] = []
"""What it has not given back."""


class Scripted(Kind):
    """Sleeps, says so, then trains nothing, raises, takes memory, kills its own process, or stays
    in it, or does so only at first, or until it is `told`; notes it."""

    folder: str
    steps: int = 1
    action: Literal[
        *("train", "raise", "raise unless fresh", "kill", "kill once", "stay", "stay once"),
        *("allocate", "leak", "share", "stay until told", "raise and spoil", "lose"),
    ] = "train"
    seconds: float = 0.0
    gigabytes: float = 0.0

    def pack_key(self) -> str:
        return "scripted"

    def graph_key(self) -> str:
        return "scripted"

    def cost(self) -> float:
        return 1.0

    def working_set(self) -> int:
        return 1

    def variables(self) -> tuple[Variable, ...]:
        return (Variable("samples", dims=("sample", "feature")),)

    def train(self, trials: Sequence[Trial[Self]], session: Session = ALONE) -> list[Record]:
        return [self._one(trial, session.program) for trial in trials]

    def _one(self, trial: Trial[Any], program: ProgramName) -> Record:
        script: Scripted = trial.configuration
        first = attempts(trial) == 0
        _begun.append(trial.id)
        (Path(script.folder) / f"{trial.id}-{uuid.uuid4()}").touch()
        time.sleep(script.seconds)
        print("has slept", flush=True)
        if script.action == "stay" or (script.action == "stay once" and first):
            _stay()
        while script.action == "stay until told" and not _word(script.folder).exists():
            time.sleep(0.05)
        if script.action == "raise and spoil":
            torch.zeros = _spoilt
            _spoilt()
        if script.action == "lose":
            gpu.trouble = lambda device: "it is lost"
        if script.action == "raise":
            raise ArithmeticError(f"told to fail with seed {trial.seed}")
        if script.action == "raise unless fresh" and len(_begun) > 1:
            raise OSError("too many open files")
        if script.action == "leak":
            _kept.extend(np.zeros(2**26, np.uint8) for _ in range(int(script.gigabytes * 16)))
        if script.action == "share":
            _kept.append(mmap(-1, int(script.gigabytes * 2**30)))
            for _ in range(len(_kept[-1]) // 2**20):
                _kept[-1].write(b"x" * 2**20)
            time.sleep(60.0)
        if script.action == "allocate":
            np.zeros(int(script.gigabytes * 2**30), np.uint8)
        if script.action == "kill" or (script.action == "kill once" and first):
            os.kill(os.getpid(), signal.SIGKILL)
        return Record(
            id=trial.id,
            seed=trial.seed,
            settings=trial.settings,
            status="complete",
            program=program,
            diverged_at=float("nan"),
            seconds=0.0,
            values={"step": np.array([1]), "samples": np.zeros((1, 1), np.float32)},
            variables={own.name: own for own in (STEP, *self.variables())},
        )


def _spoilt(*_: Any, **__: Any) -> Any:
    """As all that a GPU is asked for in a process after an error of a kernel."""
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def _stay() -> None:
    """Until the Dask worker closes, which waits half a minute for what does not leave with it."""
    from distributed import Status, get_worker

    worker = get_worker()
    while worker.status not in (Status.closing, Status.closed):
        time.sleep(0.1)


def scripted(folder: Path, seed: int, **settings: Any) -> Trial[Scripted]:
    """A trial of that seed that notes in a folder what it does."""
    return Trial(Scripted(folder=str(folder), **settings), seed)


def tell(folder: Path) -> None:
    """Let end what stays until it is told to."""
    _word(folder).touch()


def _word(folder: Path | str) -> Path:
    return Path(folder) / "told"


def attempts(trial: Trial[Any]) -> int:
    """How often a trial has been begun."""
    return len(list(Path(trial.configuration.folder).glob(f"{trial.id}-*")))
