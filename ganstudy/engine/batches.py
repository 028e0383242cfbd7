"""The batches of a pack: each trial's own random numbers, drawn in blocks of steps.

Random numbers come from NumPy on the host, whatever the device: the same trial sees the same data
and the same latent noise on every machine, and blocks need no generator state in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.trial import Trial

__all__ = ["batches", "block_length", "evaluation_latent"]

_BLOCK = 2**17
"""Numbers that a trial draws at once: enough to hide the call, few enough to stay in cache."""


def block_length(configuration: Adversarial) -> int:
    """M-steps whose numbers are drawn together; fixed by the trial, never by its pack."""
    d_steps = configuration.critic.steps
    real = d_steps * configuration.batch * configuration.target.dimension
    latent = (d_steps + 1) * configuration.batch * configuration.generator.latent
    return min(64, max(1, _BLOCK // (real + latent)))


def batches(
    trials: Sequence[Trial[Adversarial]], device: torch.device, begun: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches, one pair for each M-step after the first `begun`.

    Shapes  real `(D-steps, pack, batch, dimension)`; latent `(D-steps + 1, pack, batch, latent)`.
    """
    shape = trials[0].configuration
    steps, d_steps, batch = block_length(shape), shape.critic.steps, shape.batch
    dimension, latent_dimension = shape.target.dimension, shape.generator.latent
    block, skipped = divmod(begun, steps)
    while True:
        real = np.empty((steps, d_steps, len(trials), batch, dimension), np.float32)
        latent = np.empty((steps, d_steps + 1, len(trials), batch, latent_dimension), np.float32)
        for place, trial in enumerate(trials):
            drawn = trial.configuration.target.sample(
                trial.stream("data", block), steps * d_steps * batch
            )
            real[:, :, place] = drawn.reshape(steps, d_steps, batch, dimension)
            latent[:, :, place] = trial.stream("latent", block).standard_normal(
                (steps, d_steps + 1, batch, latent_dimension), dtype=np.float32
            )
        real_on_device = torch.from_numpy(real).to(device, non_blocking=True)
        latent_on_device = torch.from_numpy(latent).to(device, non_blocking=True)
        yield from zip(real_on_device[skipped:], latent_on_device[skipped:], strict=True)
        block, skipped = block + 1, 0


def evaluation_latent(trials: Sequence[Trial[Adversarial]], device: torch.device) -> Tensor:
    """Latent noise held fixed through training, `(pack, record.samples, latent)`."""
    drawn = [
        trial.stream("evaluation").standard_normal(
            (trial.configuration.record.samples, trial.configuration.generator.latent),
            dtype=np.float32,
        )
        for trial in trials
    ]
    return torch.from_numpy(np.stack(drawn)).to(device)
