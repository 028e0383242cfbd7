"""`lookahead`: slow players that follow fast ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.kinds.adversarial.updates._base import Updates

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, PlayerState, State, Steps
    from ganstudy.kinds.adversarial.updates._base import RulesT


class Lookahead(Updates):
    r"""Alternating rounds; every k of them both players go back towards where they stood before.

    Maths   $\tilde\omega \leftarrow \tilde\omega + \alpha (\omega - \tilde\omega)$ and
            $\omega \leftarrow \tilde\omega$ after every k rounds, for both players' parameters
            $\omega = (\theta, \phi)$ at once. An eigenvalue $\lambda$ of the round becomes
            $1 - \alpha + \alpha \lambda^k$ of k rounds. An estimator in place of the critic stays
            as it was fitted.
    Source  Zhang et al. 2019, "Lookahead optimizer: k steps forward, 1 step back";
            Chavdarova et al. 2021, "Taming GANs with lookahead-minmax". Optimizers keep their
            state, as there; `generator.average` follows the fast players.
    """

    remembers: ClassVar[tuple[str, ...]] = ("slow",)

    rounds: int = Field(5, ge=1, description="k, rounds of the fast players")
    share: float = Field(0.5, gt=0, le=1, description="alpha, the share of the way that is kept")

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """A round of the fast players, after which the slow ones follow if it is the k-th."""
        state, critic = steps.d_steps(rules, state, batches)
        state, generator = steps.m_steps(rules, state, batches)
        # By the M-steps that a trial has made: one that has died makes none.
        period = self.rounds * (len(batches.latent) - len(batches.real))
        due = (state.alive & (state.survived % period == 0))[:, None]
        state = state._replace(
            generator=self._follow(state.generator, due), critic=self._follow(state.critic, due)
        )
        return state, {**critic, **generator}

    def _follow(self, player: PlayerState, due: Tensor) -> PlayerState:
        if "slow" not in player.slots:
            return player
        slow, fast = player.slots["slow"], player.parameters
        followed = (slow + match(self.share, fast) * (fast - slow)).where(due, slow)
        parameters = followed.where(due, fast)
        return player._replace(parameters=parameters, slots={**player.slots, "slow": followed})
