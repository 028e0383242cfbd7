"""`unrolled`: the generator answers the critic that would come of further D-steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ganstudy.kinds.adversarial.updates._base import Updates

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, State, Steps
    from ganstudy.kinds.adversarial.updates._base import RulesT


class Unrolled(Updates):
    r"""M-steps down the loss against the critic K D-steps ahead, through which they differentiate.

    Maths   $\phi_0 = \phi$ and $\phi_{k+1} = \phi_k - \eta \nabla_\phi L_D(\theta, \phi_k)$, by the
            critic's own optimizer and on the batch of the M-step; the generator follows
            $\frac{d}{d\theta} L_M(\theta, \phi_K(\theta))$, and the critic makes one step as usual.
            On $V = c \theta \phi$, with both moving at once, a round multiplies by
            $\pmatrix{1 - 2K\eta^2c^2 & -\eta c \cr \eta c & 1}$, whose eigenvalues have the length
            $\sqrt{1 - (2K - 1) \eta^2 c^2}$ while they are complex: K = 0 spirals out, K > 0 in.
    Source  Metz et al. 2017, "Unrolled generative adversarial networks", section 2; the order of
            their notebook is `simultaneous`, on one batch for everything.
    """

    single: ClassVar[bool] = True
    weighs_gradients: ClassVar[bool] = True

    steps: int = Field(5, ge=1, le=100, description="K, D-steps that are unrolled")
    order: Literal["alternating", "simultaneous"] = Field(
        "alternating",
        description="whether the M-step sees the D-step of its round; simultaneous ones share a "
        "batch",
    )

    @property
    def products(self) -> int:
        """One for each step that is differentiated through."""
        return self.steps

    @property
    def unrolled(self) -> int:
        """K."""
        return self.steps

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """One D-step, and one M-step that looks ahead."""
        after_d, critic = steps.d_step(rules, state, *batches.d_step(0))
        if self.order == "alternating":
            after_m, generator = steps.m_step(rules, after_d, *batches.m_step(0))
            return after_m, {**critic, **generator}
        after_m, generator = steps.m_step(rules, state, *batches.d_step(0))
        return after_m.with_critic(after_d), {**critic, **generator}
