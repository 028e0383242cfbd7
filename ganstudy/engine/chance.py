"""Chance that no seed sets: whether the generators that a process shares have drawn."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganstudy.trial import Trial

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Chance"]

_outer: ContextVar[dict[str, object]] = ContextVar("_outer")
"""Where the generators were when whoever looks around the one that begins has looked last: a draw
before that is still to be told, and what has been told of a draw is not told again."""


class Chance:
    """Holds plug-ins to what a trial draws: generators of torch, NumPy and Python that all share
    stay as they were.

    With numbers of these a trial would depend on who was trained before it in its process. Trials
    of the package's own members are not looked at, nor is what others draw in the same process.

    Errors  `RuntimeError` at its end, for a number that was drawn since anybody has asked last.
    """

    def __init__(self, trials: Sequence[Trial[Any]], device: str | torch.device = "cpu") -> None:
        self._looks = any('"plugin":' in own.settings for own in trials)
        self._device = torch.device(device)

    def __enter__(self) -> Self:
        self._known = _outer.get({})
        self._token = _outer.set(self._known)
        if self._looks:
            self._known.update({**_drawn(self._device), **self._known})
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _outer.reset(self._token)
        if kind is None:
            self.undrawn()

    def undrawn(self) -> None:
        """Nothing, where no number was drawn since anybody has asked last.

        Errors  `RuntimeError`.
        """
        if not self._looks:
            return
        before = dict(self._known)
        self._known.update(_drawn(self._device))
        for name, where in before.items():
            if self._known[name] != where:
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
    }
    # Dask draws of Python's in a thread of its own, whenever it connects to another process.
    if "distributed" not in sys.modules:
        found["Python"] = random.getstate()
    if device.type == "cuda":
        found[f"torch on {device}"] = torch.cuda.get_rng_state(device).numpy().tobytes()
    return found
