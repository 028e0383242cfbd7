r"""The pure training steps: `state, diagnostics = rules.d_step(state, real, latent, noise)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganstudy.engine.stacked import choose
from ganstudy.estimators import Estimator
from ganstudy.kinds.adversarial.losses import Losses
from ganstudy.kinds.adversarial.state import AVERAGE, PREVIOUS, Patience, PlayerState, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ganstudy.kinds.adversarial.state import Batch, Diagnostics, Noise

    Parameters = Mapping[str, Tensor]

__all__ = ["Rules"]

_FLOOR = 1e-30
"""Least mean square of a gradient in unrolled steps: at zero its root has no derivative, and a unit
that rectifiers have shut has no gradient at all. Its root is nothing beside any epsilon."""


@dataclass(frozen=True)
class Rules(Losses):
    """The rules of a pack: how its players move by the gradients of their losses.

    average       decay of the generator's average, `(pack, 1)`, or None
    norm_average  weight of a batch in running moments of batch norm, `(pack, 1)`, or None
    patience      when the D-steps of a round end early, or None
    """

    average: Tensor | None
    norm_average: Tensor | None
    patience: Patience | None

    def d_step(
        self,
        state: State,
        real: Tensor,
        latent: Tensor,
        noise: Noise,
        start: Tensor | None = None,
        active: Tensor | None = None,
    ) -> tuple[State, Diagnostics]:
        """One critic update, and its diagnostics, each `(pack,)`.

        The update sets off from the parameters `start`, if given; only `active` trials move.
        """
        with torch.no_grad():
            fake = self._generate(self.generator.split(state.generator.parameters), latent)
            if isinstance(self.critic.function, Estimator):
                return self._fit_critic(self.critic.function, state, real, fake, latent, noise)
        return self._answer(state, real, fake, latent, noise, start, active)

    def _answer(
        self,
        state: State,
        real: Tensor,
        fake: Tensor,
        latent: Tensor,
        noise: Noise,
        start: Tensor | None = None,
        active: Tensor | None = None,
        *,
        within: bool = False,
    ) -> tuple[State, Diagnostics]:
        """One critic update on samples of both laws, to which gradients flow `within` a loss."""

        def loss(parameters: Parameters) -> tuple[Tensor, Diagnostics]:
            total, diagnostics = self._critic_loss(
                parameters, state.critic, real, fake, latent, noise
            )
            return total.sum(), diagnostics

        gradient, diagnostics = self.critic.gradient(loss, state.critic, within=within)
        return self._move_critic(state, gradient, diagnostics, start, active)

    def m_step(
        self,
        state: State,
        real: Tensor,
        latent: Tensor,
        noise: Noise,
        start: Tensor | None = None,
    ) -> tuple[State, Diagnostics]:
        """One generator update, and its diagnostics, each `(pack,)`; against the critic that would
        come of further D-steps on the same batch, if the update scheme unrolls any.
        """

        def loss(parameters: Parameters) -> tuple[Tensor, Diagnostics]:
            ahead = self._unrolled(state, parameters, real, latent, noise)
            critic = self.critic.split(ahead.parameters)
            total = self._generator_loss(parameters, critic, ahead, real, latent, noise)
            return total.sum(), {"generator_loss": total}

        gradient, diagnostics = self.generator.gradient(loss, state.generator)
        return self._move_generator(self._following(state, latent), gradient, diagnostics, start)

    def joint_step(self, state: State, d_step: Batch, m_step: Batch) -> tuple[State, Diagnostics]:
        """Both players at once, along the directions of the update scheme."""
        m, d, diagnostics = self.updates.directions(self.coupled(state, d_step, m_step))
        of_generator = {"generator_loss": diagnostics.pop("generator_loss")}
        after_d, of_critic = self._move_critic(state, d, diagnostics, None, None)
        after_m, of_generator = self._move_generator(
            self._following(state, m_step[1]), m, of_generator, None
        )
        after = after_m.with_critic(after_d)
        if PREVIOUS in self.updates.remembers:
            after = after._replace(
                generator=_remembering(after.generator, state.generator),
                critic=_remembering(after.critic, state.critic),
            )
        return after, {**of_critic, **of_generator}

    def worst_step(
        self, state: State, real: Tensor, latent: Tensor, noise: Noise
    ) -> tuple[State, Diagnostics]:
        """One generator update up the critic's loss: the other side of a zero-sum game."""
        critic = self.critic.split(state.critic.parameters)

        def loss(parameters: Parameters) -> tuple[Tensor, Diagnostics]:
            fake = self._generate(parameters, latent)
            _, diagnostics = self._critic_loss(critic, state.critic, real, fake, latent, noise)
            total = -diagnostics["critic_loss"]
            return total.sum(), {"generator_loss": total}

        gradient, diagnostics = self.generator.gradient(loss, state.generator)
        return self._move_generator(state, gradient, diagnostics, None)

    def _unrolled(
        self, state: State, generator: Parameters, real: Tensor, latent: Tensor, noise: Noise
    ) -> PlayerState:
        """The critic after the D-steps that are unrolled, as a function of the generator."""
        if not self.updates.unrolled:
            return state.critic
        squares = {name for member, _ in self.critic.optimizers.groups for name in member.squares}
        slots = {
            name: value.clamp(min=_FLOOR) if name in squares else value
            for name, value in state.critic.slots.items()
        }
        ahead = state._replace(critic=state.critic._replace(slots=slots))
        fake = self._generate(generator, latent)
        for _ in range(self.updates.unrolled):
            ahead, _ = self._answer(ahead, real, fake, latent, noise, within=True)
        return ahead.critic

    # --- how they move --------------------------------------------------------------------------

    def _following(self, state: State, latent: Tensor) -> State:
        """The state whose running moments have seen the batch of an M-gradient, if it has any."""
        if self.norm_average is None:
            return state
        followed = self.generator.follow(state.generator, latent, self.norm_average, state.alive)
        return state._replace(generator=followed)

    def _fit_critic(
        self,
        estimator: Estimator,
        state: State,
        real: Tensor,
        fake: Tensor,
        latent: Tensor,
        noise: Noise,
    ) -> tuple[State, Diagnostics]:
        """A critic fitted to one batch, and the diagnostics of the critic before it."""
        old = state.critic.parameters
        _, diagnostics = self._critic_loss(
            self.critic.split(old), state.critic, real, fake, latent, noise
        )
        real, fake = self._perturbed(real, fake, noise)
        fitted = estimator.fit(self._joined(real), self._joined(fake))
        new = torch.cat([fitted[name].flatten(1) for name in self.critic.shapes], dim=1)
        finite = torch.isfinite(diagnostics["critic_loss"]) & torch.isfinite(new).all(dim=-1)
        alive = state.alive & finite
        critic = PlayerState(torch.where(alive[:, None], new, old), state.critic.slots)
        return State(state.generator, critic, alive, state.survived), diagnostics

    def _move_critic(
        self,
        state: State,
        gradient: Tensor,
        diagnostics: Diagnostics,
        start: Tensor | None,
        active: Tensor | None,
    ) -> tuple[State, Diagnostics]:
        norm = _norm(gradient)
        acting = state.alive if active is None else state.alive & active
        finite = torch.isfinite(diagnostics["critic_loss"]) & torch.isfinite(norm)
        own = {name: diagnostics.pop(name) for name in state.critic.slots if name in diagnostics}
        critic, moved = self.critic.update(state.critic, gradient, acting & finite, start)
        projected = self.projections.select(lambda c, w: c.project(w), critic.parameters)
        slots, alive = {**critic.slots, **own}, moved
        if active is not None:
            slots = {n: choose(active, value, state.critic.slots[n]) for n, value in slots.items()}
            alive = moved | (state.alive & ~active)
        critic = PlayerState(projected, slots)
        return State(state.generator, critic, alive, state.survived), {
            **diagnostics,
            "critic_gradient_norm": norm,
        }

    def _move_generator(
        self, state: State, gradient: Tensor, diagnostics: Diagnostics, start: Tensor | None
    ) -> tuple[State, Diagnostics]:
        norm = _norm(gradient)
        finite = torch.isfinite(diagnostics["generator_loss"]) & torch.isfinite(norm)
        generator, alive = self.generator.update(
            state.generator, gradient, state.alive & finite, start
        )
        if self.average is not None:
            kept = self.average.to(generator.parameters.dtype)
            old = generator.slots[AVERAGE]
            average = choose(alive, kept * old + (1 - kept) * generator.parameters, old)
            generator = PlayerState(generator.parameters, {**generator.slots, AVERAGE: average})
        survived = state.survived + alive
        return State(generator, state.critic, alive, survived), {
            **diagnostics,
            "generator_gradient_norm": norm,
        }


def _norm(gradient: Tensor) -> Tensor:
    """Euclidean norm of each trial's gradient; infinite where its square overflows.

    The sum of squares is a product of matrices, whose order of summation no compiler changes.
    """
    return (gradient[:, None, :] @ gradient[:, :, None])[:, 0, 0].sqrt()


def _remembering(player: PlayerState, before: PlayerState) -> PlayerState:
    return player._replace(slots={**player.slots, PREVIOUS: before.parameters})
