"""`consensus`: both players also make the gradients smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.kinds.adversarial.updates._base import Updates

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, State, Steps
    from ganstudy.kinds.adversarial.updates._base import RulesT


class Consensus(Updates):
    r"""Simultaneous steps on losses to which the squared norm of all gradients is added.

    Maths   $v = (\nabla_\theta L_M, \nabla_\phi L_D)$; the steps follow
            $v + \gamma \nabla \frac12 |v|^2$, whose fixed points attract where those of v rotate.
    Source  Mescheder, Nowozin & Geiger 2017, "The numerics of GANs", algorithm 2.
    """

    single: ClassVar[bool] = True
    weighs_gradients: ClassVar[bool] = True

    weight: float = Field(0.1, gt=0, description="gamma, the factor on the squared norm")

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """One joint step, which needs second derivatives."""
        return steps.joint_step(rules, state, batches, self.weight)
