r"""Both players' losses around where they stand: gradients, and products with their derivatives.

With $\omega = (\theta, \phi)$, the generator's loss $L_M$ and the critic's $L_D$, players follow
$v = (\nabla_\theta L_M, \nabla_\phi L_D)$, and $J = \nabla v$ is no symmetric matrix. No matrix is
ever made: $J u$ is the gradient of $\langle \nabla L, u \rangle$, and $J^T v$ that of
$\frac12 |v|^2$. Vectors are pairs `(generator's, critic's)`, each `(pack, size)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.state import Diagnostics

    Loss = Callable[[Tensor, Tensor], tuple[Tensor, Diagnostics]]
    Pair = tuple[Tensor, Tensor]

__all__ = ["Coupled"]


@dataclass(frozen=True)
class Coupled:
    """What an update scheme sees that lets each player know of the other.

    of_generator, of_critic  losses, summed over the pack, of stacked parameters of both players
    players                  where they stand
    rates                    their learning rates, `(pack, 1)` each
    displacement             how far each moved in its last step; zero if that is not remembered
    """

    of_generator: Loss
    of_critic: Loss
    players: Pair
    rates: Pair
    displacement: Pair

    def gradients(self) -> tuple[Pair, Diagnostics]:
        """v, and the diagnostics of both losses."""
        d, m, diagnostics = self._gradients(*self.players)
        return (m, d), diagnostics

    def energy(self) -> tuple[Pair, Pair, Diagnostics]:
        r"""$J^T v$, v, and the diagnostics."""

        def energy(
            generator: Tensor, critic: Tensor
        ) -> tuple[Tensor, tuple[Tensor, Tensor, Diagnostics]]:
            d, m, diagnostics = self._gradients(generator, critic)
            return 0.5 * ((d * d).sum() + (m * m).sum()), (d, m, diagnostics)

        pull, (d, m, diagnostics) = torch.func.grad(energy, argnums=(0, 1), has_aux=True)(
            *self.players
        )
        return pull, (m, d), diagnostics

    def along(self, u: Pair) -> Pair:
        r"""$J u$."""
        return (
            torch.func.grad(self._slope(self.of_generator, u), argnums=0)(*self.players),
            torch.func.grad(self._slope(self.of_critic, u), argnums=1)(*self.players),
        )

    def across(self, u: Pair) -> Pair:
        r"""$(D^2_{\theta\phi} L_M u_\phi, D^2_{\phi\theta} L_D u_\theta)$: what the other player's
        step adds to each one's gradient.
        """
        still = torch.zeros_like(u[0]), torch.zeros_like(u[1])
        return (
            torch.func.grad(self._slope(self.of_generator, (still[0], u[1])), 0)(*self.players),
            torch.func.grad(self._slope(self.of_critic, (u[0], still[1])), 1)(*self.players),
        )

    def across_transposed(self, u: Pair) -> Pair:
        """The transpose of `across`."""
        still = torch.zeros_like(u[0]), torch.zeros_like(u[1])
        return (
            torch.func.grad(self._slope(self.of_critic, (still[0], u[1])), 0)(*self.players),
            torch.func.grad(self._slope(self.of_generator, (u[0], still[1])), 1)(*self.players),
        )

    def _gradients(self, generator: Tensor, critic: Tensor) -> tuple[Tensor, Tensor, Diagnostics]:
        d, of_critic = torch.func.grad(self.of_critic, 1, has_aux=True)(generator, critic)
        m, of_generator = torch.func.grad(self.of_generator, 0, has_aux=True)(generator, critic)
        return d, m, {**of_critic, **of_generator}

    @staticmethod
    def _slope(loss: Loss, u: Pair) -> Callable[[Tensor, Tensor], Tensor]:
        """The slope of a loss along u, as a function of where the players stand."""

        def slope(generator: Tensor, critic: Tensor) -> Tensor:
            gradients, _ = torch.func.grad(loss, argnums=(0, 1), has_aux=True)(generator, critic)
            total: Tensor = (gradients[0] * u[0]).sum() + (gradients[1] * u[1]).sum()
            return total

        return slope
