"""`lead`: steps that feel the other player's velocity."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.kinds.adversarial.updates._base import CoupledUpdates

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.coupled import Coupled
    from ganstudy.kinds.adversarial.state import Diagnostics


class Lead(CoupledUpdates):
    r"""Least-action dynamics: simultaneous steps with a force that the other player's motion makes.

    Maths   $\theta_{k+1} = \theta_k + \beta \Delta\theta_k - \eta \nabla_\theta L_M
            - \alpha D^2_{\theta\phi} L_M \Delta\phi_k$ with $\Delta\phi_k = \phi_k - \phi_{k-1}$,
            and the same for the critic. $\beta$ is the momentum of the optimizer: zero with `sgd`.
            Nesterov's is refused: it would multiply the force too.
    Source  Hemmat et al. 2023, "LEAD: min-max optimization from a physical perspective", for a
            zero-sum game, written here for two losses. Their LEAD-Adam is left out.
    """

    remembers: ClassVar[tuple[str, ...]] = ("previous",)
    optimizers: ClassVar[tuple[str, ...]] = ("sgd", "momentum")

    weight: float = Field(0.1, gt=0, description="alpha, the factor on the other player's force")

    @property
    def products(self) -> int:
        """The force."""
        return 1

    def directions(self, game: Coupled) -> tuple[Tensor, Tensor, Diagnostics]:
        """v and the force, in units of the step."""
        v, diagnostics = game.gradients()
        force = game.across(game.displacement)
        m, d = (
            own + match(self.weight, own) / rate.to(own.dtype) * push
            for own, push, rate in zip(v, force, game.rates, strict=True)
        )
        return m, d, diagnostics
