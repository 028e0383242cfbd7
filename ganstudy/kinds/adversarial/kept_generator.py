"""What a kept generator makes: samples with the bits of its trial, and a module of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ganstudy.kinds.adversarial.generator_file import state_of
from ganstudy.kinds.adversarial.state import AVERAGE
from ganstudy.kinds.adversarial.training import initial, with_ballast
from ganstudy.targets import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.engine.session import Session
    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.trial import Trial

    Array = NDArray[np.float32]

__all__ = ["module", "samples", "without_ours"]


def samples(
    trial: Trial[AdversarialSettings],
    content: bytes,
    latents: Sequence[Array],
    averaged: bool,
    session: Session,
) -> tuple[list[Array], str]:
    """Samples of each batch of latent noise, by the forward pass that has measured the trial, and
    the arithmetic that they were computed with.

    On the arithmetic of the trial's record the same latents give the same bits.

    Errors  `NotPortable` where this process does not have that of the portable program.
    """
    with one_thread(), session.computing():
        device = torch.device(session.device)
        # Beside a copy of itself, as a trial that is trained alone.
        stack = with_ballast([trial], 1)
        game, state = initial(stack, device, copies=len(stack) - 1)
        generator = state_of(content, game.generator, state.generator)
        found: list[Array] = []
        for latent in latents:
            own = torch.from_numpy(latent).to(device).expand(len(stack), *latent.shape)
            drawn = game.sample(generator, own.contiguous(), averaged)
            found.append(drawn[0].cpu().numpy())
        return found, session.arithmetic


def module(trial: Trial[AdversarialSettings], content: bytes, averaged: bool) -> torch.nn.Module:
    """The generator as a module of torch alone, in evaluation.

    Shapes  latent noise, labels one-hot behind it, `(batch, latent + labels)` to `(batch,
            dimension)`, or to `(batch, channels, height, width)` where samples are images.
    """
    game, state = initial([trial], torch.device("cpu"))
    player = game.generator
    own = state_of(content, player, state.generator)
    split = player.split(own.slots[AVERAGE] if averaged else own.parameters)
    settings, ends = trial.configuration.generator, player.ends
    parameters, moments = (
        {name: value[0] for name, value in of_pack.items()} for of_pack in (split, own.moments)
    )
    layers = [settings.network.module(settings, ends, parameters, moments)]
    if settings.scale != 1:
        layers.insert(0, _Scaled(settings.scale))
    if (image := ends.outputs.image) is not None:
        layers.append(torch.nn.Unflatten(1, tuple(image)))
    whole = layers[0] if len(layers) == 1 else torch.nn.Sequential(*layers)
    return without_ours(whole).eval()


class _Scaled(torch.nn.Module):
    """Inputs times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of any shape."""
        return self.factor * x


def without_ours(whole: torch.nn.Module) -> torch.nn.Module:
    """The same with classes of torch alone: whoever unpickles it need not have any other."""
    if all(type(part).__module__.startswith("torch.") for part in whole.modules()):
        return whole
    traced: torch.nn.Module = torch.fx.symbolic_trace(whole)
    return traced
