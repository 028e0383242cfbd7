"""`hinge`: the geometric GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class Hinge(Divergence):
    r"""Hinge loss; descends twice the total variation distance, the integral of |p - q|.

    Maths   critic loss $E_p (1 - a)_+ + E_q (1 + a)_+$, generator loss $-E_q a$. The optimum is
            $a^* = sign(p - q)$, and any value in [-1, 1] where p = q; the least critic loss is
            $2 \int \min(p, q) = 2 - \int |p - q|$. At $a^*$ held fixed the generator loss has the
            gradient of $\int |p - q|$: zero-sum at the optimum, though not elsewhere.
    Source  Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, eqs. 16-17, who add spectral
            normalisation, which is a constraint here and not implied.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E_p max(0, 1 - a) + E_q max(0, 1 + a)."""
        return (1 - real).clamp(min=0).mean(-1) + (1 + fake).clamp(min=0).mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q a."""
        return -fake.mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """The integral of |p - q|."""
        return float(np.sum(np.abs(laws.p - laws.q)))

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """The sign of p - q."""
        return np.sign(laws.p - laws.q)

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """Twice the mass that p and q share."""
        return float(2 * np.sum(np.minimum(laws.p, laws.q)))

    def uninformed_loss(self) -> float:
        """2, so that 2 - critic loss is a lower bound on the integral of |p - q|."""
        return 2.0
