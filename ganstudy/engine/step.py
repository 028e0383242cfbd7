r"""The pure training steps: `state, diagnostics = game.d_step(state, real, latent)`.

Shapes carry a leading trial axis of length `pack`. The parameters of a player are one tensor
`(pack, size)`, so that an optimizer is a handful of operations however deep the network is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from ganstudy.engine.stacked import Stacked, choose

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ganstudy.constraints import Constraint
    from ganstudy.divergences import Divergence
    from ganstudy.networks import Network
    from ganstudy.optimizers import Optimizer

    Parameters = dict[str, Tensor]

__all__ = ["Game", "Info", "Player", "PlayerState", "State"]


class PlayerState(NamedTuple):
    """Parameters `(pack, size)` and the optimizer's tensors."""

    parameters: Tensor
    slots: dict[str, Tensor]


class State(NamedTuple):
    """All that the next step needs.

    alive `(pack,)` bool: no loss, gradient norm or parameter was ever NaN or infinite.
    survived `(pack,)` int64: M-steps completed alive.
    """

    generator: PlayerState
    critic: PlayerState
    alive: Tensor
    survived: Tensor


class Info(NamedTuple):
    """Diagnostics of one step, each `(pack,)`; those of the critic are of its last D-step."""

    critic_loss: Tensor
    generator_loss: Tensor
    real_logit: Tensor
    fake_logit: Tensor
    critic_gradient_norm: Tensor
    generator_gradient_norm: Tensor


@dataclass(frozen=True)
class Player:
    """A network with the rule by which each trial updates it; lr is `(pack, 1)` in float64."""

    network: Network
    shapes: dict[str, tuple[int, ...]]
    optimizers: Stacked[Optimizer]
    lr: Tensor

    def split(self, parameters: Tensor) -> Parameters:
        """Named views `(pack, *shape)` of the stacked parameters `(pack, size)`."""
        pack, start, views = parameters.shape[0], 0, {}
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            views[name] = parameters[:, start : start + size].reshape(pack, *shape)
            start += size
        return views

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """`(pack, batch, inputs) -> (pack, batch, outputs)`."""
        return self.network.apply(parameters, x)

    def gradient(
        self, loss: Callable[[Parameters], tuple[Tensor, tuple[Tensor, ...]]], state: PlayerState
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Gradient `(pack, size)` of a summed loss, and what else the loss returns.

        The sum over trials has each trial's own gradient, since no trial's loss depends on
        another's parameters.
        """
        gradients, aux = torch.func.grad(loss, has_aux=True)(self.split(state.parameters))
        pack = state.parameters.shape[0]
        return torch.cat([g.reshape(pack, -1) for g in gradients.values()], dim=1), aux

    def update(
        self, state: PlayerState, gradient: Tensor, alive: Tensor
    ) -> tuple[PlayerState, Tensor]:
        """The state after one optimizer update, and which trials are still alive.

        A trial that was not alive, or whose new parameters are not all finite, keeps its own.
        """
        change: Tensor | None = None
        slots = dict(state.slots)
        for optimizer, mask in self.optimizers.groups:
            own, new = optimizer.update(gradient, state.slots, self.lr)
            change = choose(mask, own, change)
            slots |= {name: choose(mask, value, slots[name]) for name, value in new.items()}
        assert change is not None
        updated = state.parameters + change
        alive = alive & torch.isfinite(updated).all(dim=-1)
        return PlayerState(torch.where(alive[:, None], updated, state.parameters), slots), alive


@dataclass(frozen=True)
class Game:
    """The rules of a pack: who plays, for what, and within which limits."""

    generator: Player
    critic: Player
    critic_losses: Stacked[Divergence]
    generator_losses: Stacked[Divergence]
    constraints: Stacked[Constraint]

    def sample(self, state: State, latent: Tensor) -> Tensor:
        """The generator's samples, `(pack, count, latent) -> (pack, count, dimension)`."""
        with torch.no_grad():
            parameters = self.generator.split(state.generator.parameters)
            return self.generator.forward(parameters, latent)

    def d_step(
        self, state: State, real: Tensor, latent: Tensor
    ) -> tuple[State, tuple[Tensor, ...]]:
        """One critic update; returns its loss, the mean logits on p and q, and gradient norm."""
        both = torch.cat([real, self.sample(state, latent)], dim=1)
        batch = real.shape[1]

        def loss(parameters: Parameters) -> tuple[Tensor, tuple[Tensor, ...]]:
            logits = self.critic.forward(parameters, both)[..., 0]
            on_real, on_fake = logits[:, :batch], logits[:, batch:]
            losses = self.critic_losses.select(
                lambda member, a, b: member.critic_loss(a, b), on_real, on_fake
            )
            return losses.sum(), (losses, on_real.mean(-1), on_fake.mean(-1))

        gradient, (losses, *logits) = self.critic.gradient(loss, state.critic)
        norm = _norm(gradient)
        alive = state.alive & torch.isfinite(losses) & torch.isfinite(norm)
        critic, alive = self.critic.update(state.critic, gradient, alive)
        projected = self.constraints.select(lambda c, w: c.project(w), critic.parameters)
        critic = critic._replace(parameters=projected)
        return state._replace(critic=critic, alive=alive), (losses, *logits, norm)

    def m_step(self, state: State, latent: Tensor) -> tuple[State, tuple[Tensor, ...]]:
        """One generator update; returns its loss and gradient norm."""
        critic = self.critic.split(state.critic.parameters)

        def loss(parameters: Parameters) -> tuple[Tensor, tuple[Tensor, ...]]:
            fake = self.critic.forward(critic, self.generator.forward(parameters, latent))[..., 0]
            losses = self.generator_losses.select(lambda member, a: member.generator_loss(a), fake)
            return losses.sum(), (losses,)

        gradient, (losses,) = self.generator.gradient(loss, state.generator)
        norm = _norm(gradient)
        alive = state.alive & torch.isfinite(losses) & torch.isfinite(norm)
        generator, alive = self.generator.update(state.generator, gradient, alive)
        survived = state.survived + alive
        return State(generator, state.critic, alive, survived), (losses, norm)


def _norm(gradient: Tensor) -> Tensor:
    """Euclidean norm of each trial's gradient; infinite where its square overflows.

    The sum of squares is a product of matrices, whose order of summation no compiler changes.
    """
    return (gradient[:, None, :] @ gradient[:, :, None])[:, 0, 0].sqrt()
