"""`alternating`: the generator answers the critic that has just been trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.kinds.adversarial.updates._base import Updates

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, State, Steps
    from ganstudy.kinds.adversarial.updates._base import RulesT


class Alternating(Updates):
    r"""All D-steps, then all M-steps against the new critic.

    Maths   $\phi' = \phi - \eta \nabla_\phi L_D(\theta, \phi)$, then
            $\theta' = \theta - \eta \nabla_\theta L_M(\theta, \phi')$
    Source  Goodfellow et al. 2014, algorithm 1; Bouman, "Algorithm 2: practical algorithm".
    """

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """D-steps on batches of their own, then M-steps on latent points of their own."""
        state, critic = steps.d_steps(rules, state, batches)
        state, generator = steps.m_steps(rules, state, batches)
        return state, {**critic, **generator}
