"""Records of adversarial trials without training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganstudy.trial import Record, Status, Trial
from ganstudy.variable import STEP

STEPS = np.array([2, 4, 6])


def made_up(own: Trial[Any], status: Status = "complete") -> Record:
    """A record as a trial of that status leaves it; its numbers are drawn from the trial's id."""
    rng = np.random.default_rng(int(own.id, 16))
    stated = own.configuration.variables()
    names = [variable.name for variable in stated if variable.dims == ("step",)]
    curves = {name: rng.random(len(STEPS)).astype(np.float32) for name in names}
    if status == "diverged":
        curves = {k: np.where(STEPS < 4, v, np.nan).astype(np.float32) for k, v in curves.items()}
    failed = status == "failed"
    samples = rng.random((32, 2)).astype(np.float32)
    return Record(
        id=own.id,
        seed=own.seed,
        settings=own.settings,
        status=status,
        program="eager",
        diverged_at=4.0 if status == "diverged" else float("nan"),
        seconds=0.5,
        values={} if failed else {"step": STEPS, "samples": samples, **curves},
        variables={} if failed else {variable.name: variable for variable in (STEP, *stated)},
        cause="Traceback (most recent call last):\nMemoryError: zu groß" if failed else "",
    )
