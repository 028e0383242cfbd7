"""`extragradient`: a step with the gradient of where the step would lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ganstudy.kinds.adversarial.updates._base import Updates

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, State, Steps
    from ganstudy.kinds.adversarial.updates._base import RulesT


class Extragradient(Updates):
    r"""Both players look one step ahead, and move from where they stand by the gradients there.

    Maths   $\omega_{1/2} = \omega - \eta v(\omega)$, $\omega' = \omega - \eta v(\omega_{1/2})$ for
            both players' parameters $\omega = (\theta, \phi)$ and gradients v. The optimizers shape
            both steps, and see both gradients: with Adam it is Extra-Adam.
    Source  Korpelevich 1976; Gidel et al. 2019, "A variational inequality perspective on GANs",
            algorithms 2 and 4.
    """

    passes: ClassVar[int] = 2
    single: ClassVar[bool] = True

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """Four gradients, each on latent points of its own; the M-step's share a batch of p."""
        after_d, _ = steps.d_step(rules, state, *batches.d_step(0))
        after_m, _ = steps.m_step(rules, state, *batches.m_step(0))
        ahead = after_m.with_critic(after_d).looking_ahead_from(state)
        after_d, critic = steps.d_step(rules, ahead, *batches.d_step(1), state.critic.parameters)
        after_m, generator = steps.m_step(
            rules, ahead, *batches.m_step(1), state.generator.parameters
        )
        return after_m.with_critic(after_d), {**critic, **generator}
