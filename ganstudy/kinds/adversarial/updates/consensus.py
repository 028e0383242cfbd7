"""`consensus`: both players also make the gradients smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.kinds.adversarial.updates._base import CoupledUpdates

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.coupled import Coupled
    from ganstudy.kinds.adversarial.state import Diagnostics


class Consensus(CoupledUpdates):
    r"""Simultaneous steps on losses to which the squared norm of all gradients is added.

    Maths   $v = (\nabla_\theta L_M, \nabla_\phi L_D)$; the steps follow
            $v + \gamma \nabla \frac12 |v|^2$, whose fixed points attract where those of v rotate.
    Source  Mescheder, Nowozin & Geiger 2017, "The numerics of GANs", consensus optimization.
    """

    weight: float = Field(0.1, gt=0, description="gamma, the factor on the squared norm")

    @property
    def products(self) -> int:
        """That of the squared norm."""
        return 1

    def directions(self, game: Coupled) -> tuple[Tensor, Tensor, Diagnostics]:
        """v and the gradient of half its squared norm."""
        (to_generator, to_critic), (m, d), diagnostics = game.energy()
        factor = match(self.weight, d)
        return m + factor * to_generator, d + factor * to_critic, diagnostics
