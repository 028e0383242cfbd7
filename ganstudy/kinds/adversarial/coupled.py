r"""Both players' losses around where they stand: gradients, and products with their derivatives.

With $\omega = (\theta, \phi)$, the generator's loss $L_M$ and the critic's $L_D$, players follow
$v = (\nabla_\theta L_M, \nabla_\phi L_D)$, and $J = \nabla v$ is no symmetric matrix. No matrix is
ever made: $J u$ is the gradient of $\langle \nabla L, u \rangle$, and $J^T v$ that of
$\frac12 |v|^2$. Vectors are pairs `(generator's, critic's)`, each `(pack, size)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ganstudy.engine.gradients import gradients

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.state import Diagnostics

    Loss = Callable[[Tensor, Tensor], tuple[Tensor, Diagnostics]]
    Pair = tuple[Tensor, Tensor]

__all__ = ["Coupled"]

_GENERATOR, _CRITIC = "generator", "critic"
_OF_M, _OF_D = "gradient of the generator", "gradient of the critic"
"""Among diagnostics, and no name of a constraint's slot."""


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

    def gradients(self, *, within: bool = False) -> tuple[Pair, Diagnostics]:
        """v, and the diagnostics of both losses.

        within  whether gradients of another loss flow through v
        """
        (d,), of_critic = _slopes(self.of_critic, self.players, _CRITIC, within=within)
        (m,), of_generator = _slopes(self.of_generator, self.players, _GENERATOR, within=within)
        return (m, d), {**of_critic, **of_generator}

    def energy(self) -> tuple[Pair, Pair, Diagnostics]:
        r"""$J^T v$, v, and the diagnostics."""

        def energy(generator: Tensor, critic: Tensor) -> tuple[Tensor, Diagnostics]:
            (m, d), diagnostics = replace(self, players=(generator, critic)).gradients(within=True)
            return 0.5 * ((d * d).sum() + (m * m).sum()), {**diagnostics, _OF_M: m, _OF_D: d}

        (to_generator, to_critic), found = _slopes(energy, self.players, _GENERATOR, _CRITIC)
        return (to_generator, to_critic), (found.pop(_OF_M), found.pop(_OF_D)), found

    def along(self, u: Pair) -> Pair:
        r"""$J u$."""
        return self._bent(self.of_generator, u, _GENERATOR), self._bent(self.of_critic, u, _CRITIC)

    def across(self, u: Pair) -> Pair:
        r"""$(D^2_{\theta\phi} L_M u_\phi, D^2_{\phi\theta} L_D u_\theta)$: what the other player's
        step adds to each one's gradient.
        """
        still = torch.zeros_like(u[0]), torch.zeros_like(u[1])
        return (
            self._bent(self.of_generator, (still[0], u[1]), _GENERATOR),
            self._bent(self.of_critic, (u[0], still[1]), _CRITIC),
        )

    def across_transposed(self, u: Pair) -> Pair:
        """The transpose of `across`."""
        still = torch.zeros_like(u[0]), torch.zeros_like(u[1])
        return (
            self._bent(self.of_critic, (still[0], u[1]), _GENERATOR),
            self._bent(self.of_generator, (u[0], still[1]), _CRITIC),
        )

    def _bent(self, loss: Loss, u: Pair, player: str) -> Tensor:
        """Gradient in one player of the slope of a loss along u."""

        def slope(generator: Tensor, critic: Tensor) -> tuple[Tensor, Diagnostics]:
            (m, d), _ = _slopes(loss, (generator, critic), _GENERATOR, _CRITIC, within=True)
            return (m * u[0]).sum() + (d * u[1]).sum(), {}

        (bent,), _ = _slopes(slope, self.players, player)
        return bent


def _slopes(
    loss: Loss, players: Pair, *of: str, within: bool = False
) -> tuple[list[Tensor], Diagnostics]:
    """Gradients of a loss in the parameters of some players, and what else it returns."""
    there = dict(zip((_GENERATOR, _CRITIC), players, strict=True))

    def total(at: Mapping[str, Tensor]) -> tuple[Tensor, Diagnostics]:
        return loss(*{**there, **at}.values())

    # Values alone come from the same kernels: torch has others where no gradient flows, of norms.
    found, aside = gradients(total, {player: there[player] for player in of}, within=True)
    if within:
        return found, aside
    return [x.detach() for x in found], {name: x.detach() for name, x in aside.items()}
