"""`symplectic_gradient_adjustment`: steps turned against the rotation of the game."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.kinds.adversarial.updates._base import CoupledUpdates

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.coupled import Coupled
    from ganstudy.kinds.adversarial.state import Diagnostics


class SymplecticGradientAdjustment(CoupledUpdates):
    r"""Simultaneous steps, adjusted by the part of the game that turns without pulling.

    Maths   the steps follow $v + \lambda A^T v$, where $A = \frac12 (J - J^T)$ is the antisymmetric
            part of the field's Jacobian. It vanishes in potential games, which consensus bends too.
            On $V = c \theta \phi$ a gradient step of size $\eta$ changes the distance by
            $\sqrt{(1 - \eta \lambda c^2)^2 + \eta^2 c^2}$.
    Source  Balduzzi et al. 2018, "The mechanics of n-player differentiable games", algorithm 1;
            Letcher et al. 2019. Their alignment, which may turn the sign of $\lambda$, is optional
            there and left out here.
    """

    weight: float = Field(1.0, gt=0, description="lambda, the factor on the adjustment")

    @property
    def products(self) -> int:
        """J and its transpose, once each."""
        return 2

    def directions(self, game: Coupled) -> tuple[Tensor, Tensor, Diagnostics]:
        """v and the adjustment."""
        pull, v, diagnostics = game.energy()
        turn = game.along((v[0].detach(), v[1].detach()))
        m, d = (
            own + 0.5 * match(self.weight, own) * (back - forth)
            for own, back, forth in zip(v, pull, turn, strict=True)
        )
        return m, d, diagnostics
