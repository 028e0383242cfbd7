r"""The losses of a pack: pure functions of its players' stacked parameters.

Shapes carry a leading trial axis of length `pack`. The parameters of a player are one tensor
`(pack, size)`, so that an optimizer is a handful of operations however deep the network is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch.utils import _pytree

from ganstudy.engine.gradients import gradients, inner_gradient, with_gradient_laid_out
from ganstudy.engine.stacked import Stacked, StackedMember
from ganstudy.kinds.adversarial.coupled import Coupled
from ganstudy.kinds.adversarial.player import Player
from ganstudy.kinds.adversarial.state import PREVIOUS, PlayerState, State, ballast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ganstudy.constraints import Constraint
    from ganstudy.divergences import Divergence
    from ganstudy.kinds.adversarial.state import Batch, Diagnostics, Noise
    from ganstudy.kinds.adversarial.updates import Updates

    Parameters = Mapping[str, Tensor]

__all__ = ["Losses"]

MeasuredT = TypeVar("MeasuredT")


@dataclass(frozen=True)
class Losses:
    """What a pack plays for: its players, what each of them sees, and what that costs it.

    projections  what each trial's parameters go through after a D-step
    constraints  those of all trials that act inside the losses
    labels       columns at the end of samples and latents that hold the label, one-hot
    pac          samples that the critic judges together
    """

    generator: Player
    critic: Player
    divergences: Stacked[Divergence]
    critic_losses: Stacked[Divergence]
    generator_losses: Stacked[Divergence]
    projections: Stacked[Constraint]
    constraints: tuple[StackedMember[Constraint], ...]
    updates: StackedMember[Updates]
    labels: int
    pac: int

    def sample(self, generator: PlayerState, latent: Tensor, averaged: bool = False) -> Tensor:
        """Samples, of its average if asked: `(pack, count, latent) -> (pack, count, dimension)`."""
        with torch.no_grad():
            own, x = _before_copies(self.generator, latent.shape[1], (generator, latent))
            return self.generator.measured(own, x, averaged)[: len(latent)]

    def logits(self, state: State, x: Tensor) -> Tensor:
        """The critic on samples with their labels, `(pack, count, *) -> (pack, count / pac)`."""
        with torch.no_grad():
            own = self.critic.split(state.critic.parameters)
            constrained = dict(self._constrained(own, state.critic.slots)[0])
            critic, points = _before_copies(self.critic, x.shape[1] // self.pac, (constrained, x))
            return self._judge(critic, points)[: len(x)]

    def logits_at(self, state: State, x: Tensor, laws: tuple[Tensor, Tensor] | None) -> Tensor:
        """What the generator answers to, point by point: `(pack, count, *) -> (pack, count)`.

        The critic's logits; where it has a closed form, those that samples of both `laws` make.
        """
        if laws is None:
            return self.logits(state, x)
        with torch.no_grad():
            return _witness(self.divergences, x, *laws)

    def pull(self, state: State, x: Tensor, laws: tuple[Tensor, Tensor] | None) -> Tensor:
        r"""Where an M-step draws a sample at x: $-\ell'(a(x)) \nabla a(x)$, in the shape of x."""
        parameters = self.critic.split(state.critic.parameters)
        critic, _ = self._constrained(parameters, state.critic.slots)

        def loss(at: Mapping[str, Tensor]) -> tuple[Tensor, Diagnostics]:
            x = at["x"]
            logits = (
                self._judge(critic, x) if laws is None else _witness(self.divergences, x, *laws)
            )
            return _said(self.generator_losses, "generator_loss", 1, logits).sum(), {}

        # A loss is a mean over its batch.
        (slopes,), _ = gradients(loss, {"x": x})
        return -x.shape[1] * slopes

    def coupled(self, state: State, d_step: Batch, m_step: Batch) -> Coupled:
        """Both players' losses on their batches, around where the players stand."""

        def of_critic(generator: Tensor, critic: Tensor) -> tuple[Tensor, Diagnostics]:
            real, latent, noise = d_step
            fake = self._generate(self.generator.split(generator), latent)
            total, diagnostics = self._critic_loss(
                self.critic.split(critic), state.critic, real, fake, latent, noise
            )
            return total.sum(), diagnostics

        def of_generator(generator: Tensor, critic: Tensor) -> tuple[Tensor, Diagnostics]:
            total = self._generator_loss(
                self.generator.split(generator), self.critic.split(critic), state.critic, *m_step
            )
            return total.sum(), {"generator_loss": total}

        return Coupled(
            of_generator,
            of_critic,
            (state.generator.parameters, state.critic.parameters),
            (self.generator.lr, self.critic.lr),
            (_displacement(state.generator), _displacement(state.critic)),
        )

    def critic_loss(self, state: State, real: Tensor, latent: Tensor, noise: Noise) -> Tensor:
        """Loss of the critics on one batch, without penalty, `(pack,)`."""
        with torch.no_grad():
            fake = self._generate(self.generator.split(state.generator.parameters), latent)
            critic = self.critic.split(state.critic.parameters)
            _, diagnostics = self._critic_loss(critic, state.critic, real, fake, latent, noise)
            return diagnostics["critic_loss"]

    def _generate(self, generator: Parameters, latent: Tensor) -> Tensor:
        """Samples of q, each with its label behind it."""
        fake = _laid_out(self.divergences, self.generator.forward(generator, latent))
        if not self.labels:
            return fake
        return torch.cat([fake, latent[..., latent.shape[-1] - self.labels :]], dim=-1)

    def _judge(self, critic: Parameters, x: Tensor) -> Tensor:
        """Logits, `(pack, count, *) -> (pack, count / pac)`."""
        return self.critic.forward(critic, self._joined(x))[..., 0]

    def _joined(self, x: Tensor) -> Tensor:
        """What the critic judges together, `(pack, count, *) -> (pack, count / pac, *)`."""
        return x.reshape(x.shape[0], x.shape[1] // self.pac, -1)

    def _constrained(
        self, critic: Parameters, slots: Mapping[str, Tensor], update: bool = False
    ) -> tuple[Parameters, dict[str, Tensor]]:
        own: dict[str, Tensor] = {}
        for constraint in self.constraints:
            critic, new = constraint.constrain(critic, slots, update)
            own |= new
        return critic, own

    def _perturbed(self, real: Tensor, fake: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        for constraint, drawn in zip(self.constraints, noise, strict=True):
            real, fake = constraint.perturb(real, fake, drawn)
        return real, fake

    def _critic_loss(
        self,
        critic: Parameters,
        state: PlayerState,
        real: Tensor,
        fake: Tensor,
        latent: Tensor,
        noise: Noise,
    ) -> tuple[Tensor, Diagnostics]:
        """The objective of each critic `(pack,)`, penalty included; new slots by their names."""
        critic, slots = self._constrained(critic, state.slots, update=True)
        sampled = fake
        real, fake = self._perturbed(real, fake, noise)
        if self.divergences.example.closed_form:
            on_real = _said(self.divergences, "witness_on_p", 2, real, real, fake)
            on_fake = _witness(self.divergences, fake, real, fake)
        elif self.critic.architecture.norm == "batch":
            # Each law by its own moments: those of a mixed batch would tell the two apart.
            on_real, on_fake = self._judge(critic, real), self._judge(critic, fake)
        else:
            both = self._judge(critic, torch.cat([real, fake], dim=1))
            on_real, on_fake = both.chunk(2, dim=1)
        charged = _less_cost(self.divergences, on_fake, latent, sampled)
        losses = total = _said(self.critic_losses, "critic_loss", 1, on_real, charged)
        diagnostics = {
            "critic_loss": losses,
            "real_logit": on_real.mean(-1),
            "fake_logit": on_fake.mean(-1),
        }
        penalty = self._penalty(critic, real, fake, noise)
        if penalty is not None:
            total = losses + penalty
            diagnostics["penalty"] = penalty
        return total, {**diagnostics, **slots}

    def _penalty(
        self, critic: Parameters, real: Tensor, fake: Tensor, noise: Noise
    ) -> Tensor | None:
        """The penalties of all constraints added up, `(pack,)`; None without any."""

        def gradient(x: Tensor) -> Tensor:
            slopes = inner_gradient(lambda x: self.critic.forward(critic, x).sum(), x)
            if not self.labels:
                return slopes
            return slopes.reshape(*x.shape[:-1], self.pac, -1)[..., : -self.labels].flatten(-2)

        total: Tensor | None = None
        for constraint, drawn in zip(self.constraints, noise, strict=True):
            if constraint.penalises:
                own = constraint.penalty(gradient, self._joined(real), self._joined(fake), drawn)
                if constraint.plugin:
                    _check(constraint, "penalty", own, real.shape[:1])
                total = own if total is None else total + own
        return total

    def _generator_loss(
        self,
        generator: Parameters,
        critic: Parameters,
        critic_state: PlayerState,
        real: Tensor,
        latent: Tensor,
        noise: Noise,
    ) -> Tensor:
        """The objective of each generator, `(pack,)`."""
        critic, _ = self._constrained(critic, critic_state.slots)
        sampled = self._generate(generator, latent)
        real, fake = self._perturbed(real, sampled, noise)
        if self.divergences.example.closed_form:
            logits = _witness(self.divergences, fake, real, fake.detach())
        else:
            logits = _less_cost(self.divergences, self._judge(critic, fake), latent, sampled)
        if self.divergences.example.paired:
            on_real = self._judge(critic, real)
            return _said(self.generator_losses, "paired_generator_loss", 1, on_real, logits)
        return _said(self.generator_losses, "generator_loss", 1, logits)


def _before_copies(player: Player, rows: int, measured: MeasuredT) -> MeasuredT:
    """Tensors of a pack, which is measured on so many rows a trial, with copies of the last trial
    behind: those of training are as many as its batches need.
    """
    copies = ballast(rows) if player.stacks else 0
    if not copies:
        return measured
    longer: MeasuredT = _pytree.tree_map(
        lambda own: torch.cat([own, own[-1:].expand(copies, *own.shape[1:])]), measured
    )
    return longer


def _witness(of: Stacked[Divergence], x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """Logits of the best critics, `(pack, count, *) -> (pack, count)`."""
    return _said(of, "witness", 2, x, real, fake)


def _said(of: Stacked[Divergence], method: str, axes: int, *inputs: Tensor) -> Tensor:
    """What a method of each trial's divergence says, in the shape of the first axes of its inputs.

    Errors  `ValueError` for a plug-in that says it in another shape.
    """

    def own(member: StackedMember[Divergence], *inputs: Tensor) -> Tensor:
        found: Tensor = getattr(member, method)(*inputs)
        if member.plugin:
            _check(member, method, found, inputs[0].shape[:axes])
        return found

    return of.select(own, *inputs)


def _check(member: StackedMember[Any], method: str, found: Tensor, shape: torch.Size) -> None:
    """Said of all trials at once it would be stretched over them, and depend on the pack."""
    if found.shape != shape:
        asked = "one number for each trial" if len(shape) == 1 else "one for each of its samples"
        raise ValueError(
            f"{member.name}: {method} gives shape {tuple(found.shape)}, not {asked}, {tuple(shape)}"
        )


def _laid_out(of: Stacked[Divergence], fake: Tensor) -> Tensor:
    """The same samples; where both what judges them and what their ways cost have gradients in
    them, the sum is laid out alike in any pack.
    """
    return with_gradient_laid_out(fake) if of.example.charged else fake


def _less_cost(of: Stacked[Divergence], logits: Tensor, latent: Tensor, fake: Tensor) -> Tensor:
    """Logits on samples of q, less what their ways cost, if they are charged for."""
    if not of.example.charged:
        return logits
    return logits - _said(of, "way_cost", 2, latent, fake)


def _displacement(player: PlayerState) -> Tensor:
    """How far a player moved in its last step; zero where that is not remembered."""
    return player.parameters - player.slots.get(PREVIOUS, player.parameters)
