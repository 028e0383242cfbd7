"""`competitive_gradient_descent`: each player answers the other's step in advance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.kinds.adversarial.updates._base import CoupledUpdates

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.coupled import Coupled
    from ganstudy.kinds.adversarial.state import Diagnostics

    Pair = tuple[Tensor, Tensor]


class CompetitiveGradientDescent(CoupledUpdates):
    r"""Steps to the equilibrium of the game's bilinear approximation, with a price on length.

    Maths   $\Delta\theta = -\eta_\theta (\nabla_\theta L_M + D^2_{\theta\phi} L_M \Delta\phi)$ and
            $\Delta\phi = -\eta_\phi (\nabla_\phi L_D + D^2_{\phi\theta} L_D \Delta\theta)$, solved
            together. On $V = c \theta \phi$ the distance shrinks by $(1 + \eta^2 c^2)^{-1/2}$.
    Source  Schäfer & Anandkumar 2019, "Competitive gradient descent", with a step size
            for each player. They solve for one player by conjugate gradients, for zero-sum games;
            here both are solved for at once by conjugate gradients on the normal equations, of the
            same condition there and right for any two losses. `iterations` bounds them.
    """

    optimizers: ClassVar[tuple[str, ...]] = ("sgd",)

    iterations: int = Field(10, ge=1, le=1000, description="of the linear solver")

    @property
    def products(self) -> int:
        """The system and its transpose in each iteration, and the transpose once before."""
        return 2 * self.iterations + 1

    def directions(self, game: Coupled) -> tuple[Tensor, Tensor, Diagnostics]:
        r"""$-\Delta\theta / \eta_\theta$ and $-\Delta\phi / \eta_\phi$."""
        v, diagnostics = game.gradients()
        m, d = _solved(game, (v[0].detach(), v[1].detach()), self.iterations)
        return m, d, diagnostics


def _solved(game: Coupled, v: Pair, iterations: int) -> Pair:
    r"""u with $M u = v$, where $M u = u + H (\eta u)$ and H is `across`, by CGNR.

    A trial whose residual is zero stays where it is.
    """
    rates = tuple(rate.to(own.dtype) for rate, own in zip(game.rates, v, strict=True))

    def system(u: Pair) -> Pair:
        pushed = game.across((rates[0] * u[0], rates[1] * u[1]))
        return u[0] + pushed[0], u[1] + pushed[1]

    def transposed(u: Pair) -> Pair:
        pushed = game.across_transposed(u)
        return u[0] + rates[0] * pushed[0], u[1] + rates[1] * pushed[1]

    u = v
    first = system(u)
    residual = v[0] - first[0], v[1] - first[1]
    slope = transposed(residual)
    direction, size = slope, _square(slope)
    for _ in range(iterations):
        moved = system(direction)
        length = _ratio(size, _square(moved))
        u = _added(u, length, direction)
        residual = _added(residual, -length, moved)
        slope = transposed(residual)
        new = _square(slope)
        direction = _added(slope, _ratio(new, size), direction)
        size = new
    return u


def _square(u: Pair) -> Tensor:
    """Squared length of each trial's vector, `(pack, 1)`: products whose order is fixed."""
    one, other = ((own[:, None, :] @ own[:, :, None])[:, 0] for own in u)
    return one + other


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """Zero where there is nothing to divide by."""
    return (above / below.where(below > 0, 1.0)).where(below > 0, 0.0)


def _added(u: Pair, factor: Tensor, other: Pair) -> Pair:
    return u[0] + factor * other[0], u[1] + factor * other[1]
