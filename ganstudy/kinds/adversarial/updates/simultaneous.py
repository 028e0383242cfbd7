"""`simultaneous`: both players move at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.kinds.adversarial.updates._base import Updates

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, State, Steps
    from ganstudy.kinds.adversarial.updates._base import RulesT


class Simultaneous(Updates):
    r"""One D-step and one M-step, both from where the players stand.

    Maths   $(\theta', \phi') = (\theta - \eta \nabla_\theta L_M(\theta, \phi),
            \phi - \eta \nabla_\phi L_D(\theta, \phi))$
    Source  Mescheder, Nowozin & Geiger 2017, "The numerics of GANs", their simultaneous
            gradient ascent. One batch for
            both gradients is what a graph computes that is run once a step: the public codes of
            Metz et al. 2017, PacGAN and GDPP.
    """

    single: ClassVar[bool] = True

    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    shared: bool = Field(
        False,
        exclude_if=lambda shared: not shared,
        description="whether both gradients are taken on the samples of one batch",
    )

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """The M-step does not see the D-step."""
        after_d, critic = steps.d_step(rules, state, *batches.d_step(0))
        own = batches.d_step(0) if self.shared else batches.m_step(0)
        after_m, generator = steps.m_step(rules, state, *own)
        return after_m.with_critic(after_d), {**critic, **generator}
