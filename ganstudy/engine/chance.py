"""Chance that no seed sets: whether the generators that a process shares have drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ganstudy.trial import Trial

__all__ = ["Chance"]


class Chance:
    """Holds plug-ins to what a trial draws: torch's and NumPy's own generators stay as they were.

    With numbers of these a trial would depend on who was trained before it in its process. Trials
    of the package's own members are not looked at, nor is what others draw in the same process.
    """

    def __init__(self, trials: Sequence[Trial[Any]]) -> None:
        self._before = _drawn() if any('"plugin":' in own.settings for own in trials) else None

    def undrawn(self) -> None:
        """Nothing, where no number was drawn since this was asked last.

        Errors  `RuntimeError`.
        """
        if self._before is None:
            return
        before, self._before = self._before, _drawn()
        for name, now, then in zip(("torch", "NumPy"), self._before, before, strict=True):
            if now != then:
                raise RuntimeError(
                    f"a plug-in draws of {name}'s own generator, which no seed sets: its numbers "
                    "are to be those of the generator that it is handed, or of default_rng(0)"
                )


def _drawn() -> tuple[bytes, bytes]:
    """Where torch's generator is, and NumPy's."""
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002  # what nobody should use
    return torch.get_rng_state().numpy().tobytes(), repr(numpy["state"]["pos"]).encode() + bytes(
        numpy["state"]["key"]
    )
