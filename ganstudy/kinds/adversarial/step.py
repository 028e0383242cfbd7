r"""The pure training steps: `state, diagnostics = game.d_step(state, real, latent, noise)`.

Shapes carry a leading trial axis of length `pack`. The parameters of a player are one tensor
`(pack, size)`, so that an optimizer is a handful of operations however deep the network is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganstudy.engine.stacked import Stacked, StackedMember, choose
from ganstudy.estimators import Estimator
from ganstudy.kinds.adversarial.player import Player
from ganstudy.kinds.adversarial.state import AVERAGE, Patience, PlayerState, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ganstudy.constraints import Constraint
    from ganstudy.divergences import Divergence
    from ganstudy.kinds.adversarial.state import Diagnostics
    from ganstudy.kinds.adversarial.updates import Updates

    Parameters = Mapping[str, Tensor]

__all__ = ["Rules"]


@dataclass(frozen=True)
class Rules:
    """The rules of a pack: who plays, for what, and within which limits.

    constraint   that of all trials, if it acts inside the loss; None if all of them project
    labels       columns at the end of samples and latents that hold the label, one-hot
    pac          samples that the critic judges together
    average      decay of the generator's average, `(pack, 1)`, or None
    patience     when the D-steps of a round end early, or None
    """

    generator: Player
    critic: Player
    divergences: Stacked[Divergence]
    critic_losses: Stacked[Divergence]
    generator_losses: Stacked[Divergence]
    projections: Stacked[Constraint]
    constraint: StackedMember[Constraint] | None
    updates: StackedMember[Updates]
    labels: int
    pac: int
    average: Tensor | None
    patience: Patience | None

    @property
    def closed_form(self) -> bool:
        """Whether the pack trains no critic: the same for all of its divergences."""
        return bool(self.divergences.groups[0][0].closed_form)

    @property
    def paired(self) -> bool:
        """Whether the generators' losses look at p too: the same for all divergences."""
        return bool(self.divergences.groups[0][0].paired)

    def sample(self, parameters: Tensor, latent: Tensor) -> Tensor:
        """Samples of the generator, `(pack, count, latent) -> (pack, count, dimension)`."""
        with torch.no_grad():
            return self.generator.forward(self.generator.split(parameters), latent)

    def logits(self, state: State, x: Tensor) -> Tensor:
        """The critic on samples with their labels, `(pack, count, *) -> (pack, count / pac)`."""
        with torch.no_grad():
            parameters = self.critic.split(state.critic.parameters)
            return self._judge(self._constrained(parameters, state.critic.slots)[0], x)

    def logits_at(self, state: State, x: Tensor, laws: tuple[Tensor, Tensor] | None) -> Tensor:
        """What the generator answers to, point by point: `(pack, count, *) -> (pack, count)`.

        The critic's logits; where it has a closed form, those that samples of both `laws` make.
        """
        if laws is None:
            return self.logits(state, x)
        with torch.no_grad():
            return self._witness(x, *laws)

    def pull(self, state: State, x: Tensor, laws: tuple[Tensor, Tensor] | None) -> Tensor:
        r"""Where an M-step draws a sample at x: $-\ell'(a(x)) \nabla a(x)$, in the shape of x."""
        parameters = self.critic.split(state.critic.parameters)
        critic, _ = self._constrained(parameters, state.critic.slots)

        def loss(x: Tensor) -> Tensor:
            logits = self._judge(critic, x) if laws is None else self._witness(x, *laws)
            return self.generator_losses.select(
                lambda member, a: member.generator_loss(a), logits
            ).sum()

        # A loss is a mean over its batch.
        slopes: Tensor = torch.func.grad(loss)(x)
        return -x.shape[1] * slopes

    def d_step(
        self,
        state: State,
        real: Tensor,
        latent: Tensor,
        noise: Tensor,
        start: Tensor | None = None,
        active: Tensor | None = None,
    ) -> tuple[State, Diagnostics]:
        """One critic update, and its diagnostics, each `(pack,)`.

        The update sets off from the parameters `start`, if given; only `active` trials move.
        """
        with torch.no_grad():
            fake = self._generate(self.generator.split(state.generator.parameters), latent)
            if isinstance(self.critic.function, Estimator):
                return self._fit_critic(self.critic.function, state, real, fake, noise)

        def loss(parameters: Parameters) -> tuple[Tensor, Diagnostics]:
            total, diagnostics = self._critic_loss(parameters, state.critic, real, fake, noise)
            return total.sum(), diagnostics

        gradient, diagnostics = self.critic.gradient(loss, state.critic)
        return self._move_critic(state, gradient, diagnostics, start, active)

    def m_step(
        self,
        state: State,
        real: Tensor,
        latent: Tensor,
        noise: Tensor,
        start: Tensor | None = None,
    ) -> tuple[State, Diagnostics]:
        """One generator update, and its diagnostics, each `(pack,)`."""
        critic = self.critic.split(state.critic.parameters)

        def loss(parameters: Parameters) -> tuple[Tensor, Diagnostics]:
            total = self._generator_loss(parameters, critic, state.critic, real, latent, noise)
            return total.sum(), {"generator_loss": total}

        gradient, diagnostics = self.generator.gradient(loss, state.generator)
        return self._move_generator(state, gradient, diagnostics, start)

    def joint_step(
        self,
        state: State,
        d_step: tuple[Tensor, Tensor, Tensor],
        m_step: tuple[Tensor, Tensor, Tensor],
        weight: float | Tensor,
    ) -> tuple[State, Diagnostics]:
        """Both players at once, on losses with `weight / 2` times the squared norm of all
        gradients; weight `(pack, 1)`.
        """

        def energy(
            generator: Tensor, critic: Tensor
        ) -> tuple[Tensor, tuple[Tensor, Tensor, Diagnostics, Diagnostics]]:
            d, m, d_aux, m_aux = self.gradients(generator, critic, state, d_step, m_step)
            return 0.5 * ((d * d).sum() + (m * m).sum()), (d, m, d_aux, m_aux)

        players = state.generator.parameters, state.critic.parameters
        (to_generator, to_critic), (d, m, critic_diagnostics, generator_diagnostics) = (
            torch.func.grad(energy, argnums=(0, 1), has_aux=True)(*players)
        )
        factor = torch.as_tensor(weight, dtype=d.dtype, device=d.device)
        after_d, critic_diagnostics = self._move_critic(
            state, d + factor * to_critic, critic_diagnostics, None, None
        )
        after_m, generator_diagnostics = self._move_generator(
            state, m + factor * to_generator, generator_diagnostics, None
        )
        return after_m.with_critic(after_d), {**critic_diagnostics, **generator_diagnostics}

    def gradients(
        self,
        generator: Tensor,
        critic: Tensor,
        state: State,
        d_step: tuple[Tensor, Tensor, Tensor],
        m_step: tuple[Tensor, Tensor, Tensor],
    ) -> tuple[Tensor, Tensor, Diagnostics, Diagnostics]:
        """Gradients of the critic's and of the generator's loss at stacked parameters, each in its
        own player's, and their diagnostics; the state gives the constraint's own.
        """

        def critic_loss(generator: Tensor, critic: Tensor) -> tuple[Tensor, Diagnostics]:
            real, latent, noise = d_step
            fake = self._generate(self.generator.split(generator), latent)
            total, diagnostics = self._critic_loss(
                self.critic.split(critic), state.critic, real, fake, noise
            )
            return total.sum(), diagnostics

        def generator_loss(generator: Tensor, critic: Tensor) -> tuple[Tensor, Diagnostics]:
            total = self._generator_loss(
                self.generator.split(generator), self.critic.split(critic), state.critic, *m_step
            )
            return total.sum(), {"generator_loss": total}

        d, d_aux = torch.func.grad(critic_loss, argnums=1, has_aux=True)(generator, critic)
        m, m_aux = torch.func.grad(generator_loss, argnums=0, has_aux=True)(generator, critic)
        return d, m, d_aux, m_aux

    def worst_step(
        self, state: State, real: Tensor, latent: Tensor, noise: Tensor
    ) -> tuple[State, Diagnostics]:
        """One generator update up the critic's loss: the other side of a zero-sum game."""
        critic = self.critic.split(state.critic.parameters)

        def loss(parameters: Parameters) -> tuple[Tensor, Diagnostics]:
            fake = self._generate(parameters, latent)
            _, diagnostics = self._critic_loss(critic, state.critic, real, fake, noise)
            total = -diagnostics["critic_loss"]
            return total.sum(), {"generator_loss": total}

        gradient, diagnostics = self.generator.gradient(loss, state.generator)
        return self._move_generator(state, gradient, diagnostics, None)

    def critic_loss(self, state: State, real: Tensor, latent: Tensor, noise: Tensor) -> Tensor:
        """Loss of the critics on one batch, without penalty, `(pack,)`."""
        with torch.no_grad():
            fake = self._generate(self.generator.split(state.generator.parameters), latent)
            critic = self.critic.split(state.critic.parameters)
            return self._critic_loss(critic, state.critic, real, fake, noise)[1]["critic_loss"]

    # --- what the players see -------------------------------------------------------------------

    def _generate(self, generator: Parameters, latent: Tensor) -> Tensor:
        """Samples of q, each with its label behind it."""
        fake = self.generator.forward(generator, latent)
        if not self.labels:
            return fake
        return torch.cat([fake, latent[..., latent.shape[-1] - self.labels :]], dim=-1)

    def _judge(self, critic: Parameters, x: Tensor) -> Tensor:
        """Logits, `(pack, count, *) -> (pack, count / pac)`."""
        return self.critic.forward(critic, self._joined(x))[..., 0]

    def _joined(self, x: Tensor) -> Tensor:
        """What the critic judges together, `(pack, count, *) -> (pack, count / pac, *)`."""
        return x.reshape(x.shape[0], x.shape[1] // self.pac, -1)

    def _witness(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Logits of the best critics, `(pack, count, *) -> (pack, count)`."""
        return self.divergences.select(lambda member, *xs: member.witness(*xs), x, real, fake)

    def _constrained(
        self, critic: Parameters, slots: Mapping[str, Tensor], update: bool = False
    ) -> tuple[Parameters, dict[str, Tensor]]:
        if self.constraint is None:
            return critic, {}
        parameters, own = self.constraint.constrain(critic, slots, update)
        return parameters, own

    def _perturbed(self, real: Tensor, fake: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        if self.constraint is None:
            return real, fake
        real, fake = self.constraint.perturb(real, fake, noise)
        return real, fake

    def _critic_loss(
        self, critic: Parameters, state: PlayerState, real: Tensor, fake: Tensor, noise: Tensor
    ) -> tuple[Tensor, Diagnostics]:
        """The objective of each critic `(pack,)`, penalty included; new slots by their names."""
        critic, slots = self._constrained(critic, state.slots, update=True)
        real, fake = self._perturbed(real, fake, noise)
        if self.closed_form:
            on_real, on_fake = (self._witness(x, real, fake) for x in (real, fake))
        elif self.critic.architecture.norm == "batch":
            # Each law by its own moments: those of a mixed batch would tell the two apart.
            on_real, on_fake = self._judge(critic, real), self._judge(critic, fake)
        else:
            both = self._judge(critic, torch.cat([real, fake], dim=1))
            on_real, on_fake = both.chunk(2, dim=1)
        losses = total = self.critic_losses.select(
            lambda member, a, b: member.critic_loss(a, b), on_real, on_fake
        )
        diagnostics = {
            "critic_loss": losses,
            "real_logit": on_real.mean(-1),
            "fake_logit": on_fake.mean(-1),
        }
        if self.constraint is not None and self.constraint.penalises:

            def gradient(x: Tensor) -> Tensor:
                slopes: Tensor = torch.func.grad(lambda x: self.critic.forward(critic, x).sum())(x)
                if not self.labels:
                    return slopes
                return slopes.reshape(*x.shape[:-1], self.pac, -1)[..., : -self.labels].flatten(-2)

            penalty = self.constraint.penalty(
                gradient, self._joined(real), self._joined(fake), noise
            )
            total = losses + penalty
            diagnostics["penalty"] = penalty
        return total, {**diagnostics, **slots}

    def _generator_loss(
        self,
        generator: Parameters,
        critic: Parameters,
        critic_state: PlayerState,
        real: Tensor,
        latent: Tensor,
        noise: Tensor,
    ) -> Tensor:
        """The objective of each generator, `(pack,)`."""
        critic, _ = self._constrained(critic, critic_state.slots)
        real, fake = self._perturbed(real, self._generate(generator, latent), noise)
        if self.closed_form:
            logits = self._witness(fake, real, fake.detach())
        else:
            logits = self._judge(critic, fake)
        if self.paired:
            return self.generator_losses.select(
                lambda member, a, b: member.paired_generator_loss(a, b),
                self._judge(critic, real),
                logits,
            )
        return self.generator_losses.select(lambda member, a: member.generator_loss(a), logits)

    # --- how they move --------------------------------------------------------------------------

    def _fit_critic(
        self, estimator: Estimator, state: State, real: Tensor, fake: Tensor, noise: Tensor
    ) -> tuple[State, Diagnostics]:
        """A critic fitted to one batch, and the diagnostics of the critic before it."""
        old = state.critic.parameters
        _, diagnostics = self._critic_loss(self.critic.split(old), state.critic, real, fake, noise)
        real, fake = self._perturbed(real, fake, noise)
        fitted = estimator.fit(self._joined(real), self._joined(fake))
        new = torch.cat([fitted[name].flatten(1) for name in self.critic.shapes], dim=1)
        finite = torch.isfinite(diagnostics["critic_loss"]) & torch.isfinite(new).all(dim=-1)
        alive = state.alive & finite
        critic = state.critic._replace(parameters=torch.where(alive[:, None], new, old))
        return state._replace(critic=critic, alive=alive), diagnostics

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
        return state._replace(critic=critic, alive=alive), {
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
            average = kept * generator.slots[AVERAGE] + (1 - kept) * generator.parameters
            generator = generator._replace(slots={**generator.slots, AVERAGE: average})
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
