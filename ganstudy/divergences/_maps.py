r"""Generators that are maps: $\max_a \min_T E_z [c(z, T(z)) - a(T(z))] + E_p a$.

The generator T pays the cost of moving a latent point z to a sample, so that the logit of a sample
of q counts less that cost: all a loss sees of q is $a(T(z)) - c(z, T(z))$. The best T answers a
with the largest of these, and the game is then the semi-dual of transport from the law of the
latent points to p.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class TransportMap(Divergence, ABC):
    r"""$E_z \Psi(a(T(z)) - c(z, T(z))) + E_p \Psi(-a)$ for the critic, which descends it.

    Maths   $c(z, x) = w |x - z|^2$ and a convex $\Psi$. On discrete laws q is the law of the latent
            points, and the generator the best answer to each critic.
    """

    charged: ClassVar[bool] = True

    weight: float = Field(0.5, gt=0, description="w, of the squared distance of the way")

    @abstractmethod
    def rise(self, x: Tensor) -> Tensor:
        r"""$\Psi$, elementwise."""

    @abstractmethod
    def best_logits(self, laws: DiscreteLaws, cost: Array) -> Array:
        """`optimal_logits`, from the cost of each way `(from q, to p)`."""

    @property
    def descends_exact(self) -> bool:
        """The generator looks for the map of the transport; its law is no part of `exact`."""
        return False

    def way_cost(self, latent: Tensor, sample: Tensor) -> Tensor:
        """c, `(*pack, batch, dimension) -> (*pack, batch)`."""
        way = sample - latent
        return self.weight * (way * way).sum(-1)

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The sum of both means; logits on q are less the cost."""
        return self.rise(fake).mean(-1) + self.rise(-real).mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """The mean of c - a."""
        return -fake.mean(-1)

    # --- on discrete laws -----------------------------------------------------------------------

    def answers(self, laws: DiscreteLaws, logits: Array) -> Array:
        """Logits on q, less the cost, of the generator that answers best."""
        return np.asarray((logits - self._costs(laws)).max(axis=1))

    def expected_losses(self, laws: DiscreteLaws, logits: Array) -> tuple[float, float]:
        """With the generator that answers best."""
        import torch

        answers = self.answers(laws, logits)
        on_q, on_p = (self.rise(torch.from_numpy(x)).numpy() for x in (answers, -logits))
        return float(laws.q @ on_q + laws.p @ on_p), -float(laws.q @ answers)

    def exact(self, laws: DiscreteLaws) -> float:
        """The least cost of transport from q to p."""
        return -self.critic_minimum(laws)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """The potential of the transport on p."""
        return self.best_logits(laws, self._costs(laws))

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """Minus the least cost, by duality."""
        return self.expected_losses(laws, self.optimal_logits(laws))[0]

    def _costs(self, laws: DiscreteLaws) -> Array:
        way = laws.positions[:, None] - laws.positions
        return np.asarray(self.weight * (way * way).sum(-1))


def ways(points: int) -> Array:
    """For every way from a point of q to one of p, which potentials its cost bounds the sum of.

    Shapes  `(points^2, 2 points)`; potentials on p stand before those on q.
    """
    each = np.eye(points)
    return np.hstack([np.tile(each, (points, 1)), np.repeat(each, points, axis=0)])
