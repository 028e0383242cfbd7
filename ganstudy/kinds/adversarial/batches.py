"""The batches of a pack, drawn in blocks of rounds; what trials see alike is drawn once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganstudy.family import canonical_json
from ganstudy.kinds.adversarial.draws import Data, noise
from ganstudy.kinds.adversarial.state import Batches

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.trial import Trial

    Array = NDArray[np.float32]

__all__ = ["batches", "block_length"]

_BLOCK = 2**17
"""Numbers that a trial draws at once: enough to hide the call, few enough to stay in cache."""


def block_length(configuration: AdversarialSettings) -> int:
    """Rounds whose numbers are drawn together; fixed by the trial, never by its pack."""
    d_steps, m_steps = configuration.gradients
    real = d_steps * configuration.batch * configuration.target.dimension
    latent = (d_steps + m_steps) * configuration.batch * configuration.generator.latent
    return min(64, max(1, _BLOCK // (real + latent)))


def batches(
    trials: Sequence[Trial[AdversarialSettings]], device: torch.device, start: int = 0
) -> Iterator[Batches]:
    """Endless batches, those of one round at a time, from the round `start` on."""
    rounds = block_length(trials[0].configuration)
    block, skipped = divmod(start, rounds)
    source = _Source(trials, rounds, device)
    for parts in _ahead(source, block) if device.type == "cuda" else map(source, count(block)):
        for number in range(skipped, rounds):
            real, latent, *noise = (part[number] for part in parts)
            yield Batches(real, latent, tuple(noise))
        skipped = 0


@dataclass(frozen=True)
class _Draw:
    """Parts of `Batches` for some rounds of a block, which trials at some places have in common."""

    drawn: Callable[[int, int], Sequence[Array]]
    parts: slice
    places: list[int]


def _draws(trials: Sequence[Trial[AdversarialSettings]]) -> list[_Draw]:
    """Each once, however many trials see it: streams are those of a seed, which pairs arms."""
    samples, constraints = slice(0, 2), slice(2, None)
    return [
        *(
            _Draw(Data(trials[places[0]]).block, samples, places)
            for places in _alike(trials, "divergence", "constraint")
        ),
        *(
            _Draw(partial(noise, trials[places[0]]), constraints, places)
            for places in _alike(trials, "divergence")
        ),
    ]


def _alike(trials: Sequence[Trial[AdversarialSettings]], *but: str) -> list[list[int]]:
    """Places of trials that differ in nothing but some keys, and in how their players learn."""
    found: dict[tuple[int, str], list[int]] = {}
    for place, trial in enumerate(trials):
        settings = json.loads(trial.settings)
        for player in ("generator", "critic"):
            settings[player] = {**settings[player], "lr": None, "optimizer": None}
        key = canonical_json({**settings, **dict.fromkeys(but)})
        found.setdefault((trial.seed, key), []).append(place)
    return [*found.values()]


class _Source:
    """The blocks of a pack on a device, each with the pack's axis behind those of rounds and steps.

    Each draw has generators of its own: threads that draw for several trials at once change
    nothing.
    """

    def __init__(
        self, trials: Sequence[Trial[AdversarialSettings]], rounds: int, device: torch.device
    ) -> None:
        self.pack, self.rounds, self.device = len(trials), rounds, device
        self.draws = _draws(trials)

    def __call__(self, block: int) -> list[Tensor]:
        """Draw a block, one thing after the other."""
        whole, puts = self._begun(block)
        for put in puts:
            put()
        return whole

    def begin(self, block: int, pool: Executor) -> Callable[[], list[Tensor]]:
        """Have a block drawn by a pool of threads; what waits for it, and sends it to the device.

        It is drawn into pinned memory, from which a GPU copies while the host goes on.
        """
        whole, puts = self._begun(block)
        drawn = [pool.submit(put) for put in puts]

        def sent() -> list[Tensor]:
            for own in drawn:
                own.result()
            return [part.to(self.device, non_blocking=True) for part in whole]

        return sent

    def _begun(self, block: int) -> tuple[list[Tensor], list[Callable[[], None]]]:
        """Room for a block, of the shapes that the first trial sees, and what fills it."""
        first = [draw for draw in self.draws if 0 in draw.places]
        seen = [draw.drawn(block, self.rounds) for draw in first]
        pinned = self.device.type == "cuda"
        whole = [
            torch.empty(*p.shape[:2], self.pack, *p.shape[2:], pin_memory=pinned)
            for parts in seen
            for p in parts
        ]
        views = [part.numpy() for part in whole]

        def put(draw: _Draw, drawn: Sequence[Array] | None = None) -> None:
            own = draw.drawn(block, self.rounds) if drawn is None else drawn
            for there, part in zip(views[draw.parts], own, strict=True):
                for place in draw.places:
                    there[:, :, place] = part

        return whole, [
            *(partial(put, draw, own) for draw, own in zip(first, seen, strict=True)),
            *(partial(put, draw) for draw in self.draws if 0 not in draw.places),
        ]


def _ahead(source: _Source, block: int) -> Iterator[list[Tensor]]:
    """Blocks from one on, the next of which is drawn while the device trains on the last."""
    pool = ThreadPoolExecutor()
    try:
        ready = source.begin(block, pool)
        for following in count(block + 1):
            parts = ready()
            ready = source.begin(following, pool)
            yield parts
    finally:
        pool.shutdown(cancel_futures=True)
