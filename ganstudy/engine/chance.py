"""Chance that no seed sets: whether the generators that a process shares have drawn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ganstudy.trial import Trial

__all__ = ["Chance"]

_known: dict[str, object] = {}
"""Where the process's generators were when somebody has looked last: what has been told of a draw
is not told again by who began to look before."""


class Chance:
    """Holds plug-ins to what a trial draws: generators of torch, NumPy and Python that all share
    stay as they were.

    With numbers of these a trial would depend on who was trained before it in its process. Trials
    of the package's own members are not looked at, nor is what others draw in the same process.
    """

    def __init__(self, trials: Sequence[Trial[Any]], device: str | torch.device = "cpu") -> None:
        self._looks = any('"plugin":' in own.settings for own in trials)
        self._device = torch.device(device)
        if self._looks:
            _known.update(_drawn(self._device))

    def undrawn(self) -> None:
        """Nothing, where no number was drawn since anybody has asked last.

        Errors  `RuntimeError`.
        """
        if not self._looks:
            return
        before = dict(_known)
        _known.update(_drawn(self._device))
        for name, now in _known.items():
            if now != before[name]:
                raise RuntimeError(
                    f"a plug-in draws of {name}'s own generator, which no seed sets: its numbers "
                    "are to be those of the generator that it is handed, or of default_rng(0)"
                )


def _drawn(device: torch.device) -> Mapping[str, object]:
    """Where the generators are; a GPU's is asked where something is computed on it."""
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002  # what nobody should use
    found: dict[str, object] = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": (numpy["state"]["pos"], numpy["state"]["key"].tobytes(), numpy["gauss"]),
        "Python": random.getstate(),
    }
    if device.type == "cuda":
        found[f"torch on {device}"] = torch.cuda.get_rng_state(device).numpy().tobytes()
    return found
