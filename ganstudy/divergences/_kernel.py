r"""Divergences with a critic in closed form: distances of kernel means.

The critic is the witness of the maximum mean discrepancy, $a(x) = 2 (E_p k(x, \cdot) - E_q k(x,
\cdot))$: the derivative of $MMD^2$ in p, and minus that in q. The generator's loss $-E_q a$ at the
witness held fixed thus has the gradient of $MMD^2$ (Gretton et al. 2012, lemma 6).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._base import Divergence
from ganstudy.elementary import distances

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class KernelDivergence(Divergence, ABC):
    r"""$MMD^2(p, q) = E k(x, x') - 2 E k(x, y) + E k(y, y')$ with x, x' from p and y, y' from q.

    In training the expectations are means over the batch, its pairs of equal samples included.
    """

    closed_form: ClassVar[bool] = True

    @abstractmethod
    def kernel(self, distance: Tensor) -> Tensor:
        """k as a function of distances, elementwise."""

    def witness(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """The witness at x."""
        on_p, on_q = self.kernel(distances(x, real)), self.kernel(distances(x, fake))
        return 2 * (on_p.mean(-1) - on_q.mean(-1))

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-MMD^2, as half of E_q a - E_p a at the witness."""
        return 0.5 * (fake.mean(-1) - real.mean(-1))

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q a."""
        return -fake.mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """MMD^2(p, q)."""
        return -self.critic_minimum(laws)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """The witness at the points."""
        return 2 * self._gram(laws) @ (laws.p - laws.q)

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """-MMD^2(p, q)."""
        difference = laws.p - laws.q
        return -float(difference @ self._gram(laws) @ difference)

    def _gram(self, laws: DiscreteLaws) -> Array:
        import torch

        x = torch.from_numpy(laws.positions)
        return np.asarray(self.kernel(distances(x, x)))
