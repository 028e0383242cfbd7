r"""Divergences whose critic is a classifier trained with the log loss.

The critic's logit is $a(x) = \log \frac{D(x)}{1 - D(x)}$, and at the optimum
$D^* = \frac{p}{p + q}$, that is $a^* = \log p - \log q$
(Goodfellow et al. 2014, proposition 1; Thickstun, eq. 15).
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class ClassifierDivergence(Divergence, ABC):
    """A divergence defined by its generator loss; the critic is the Bayes classifier of p and q."""

    log_ratio: ClassVar[bool] = True

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        r"""$-E_p \log D - E_q \log(1 - D)$; equals $2 \log 2$ at p = q."""
        return self.softplus(-real).mean(-1) + self.softplus(fake).mean(-1)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        r"""$a^* = \log p - \log q$."""
        return np.log(laws.p) - np.log(laws.q)

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        r"""$\log 4 - 2 JS(p, q)$ (Goodfellow et al. 2014, theorem 1; Thickstun, eq. 19)."""
        return float(np.log(4) - 2 * jensen_shannon(laws.p, laws.q))

    def uninformed_loss(self) -> float:
        """2 log 2, so that log 4 - critic loss is a lower bound on 2 JS(p, q)."""
        return float(np.log(4))


def kullback_leibler(a: Array, b: Array) -> float:
    r"""$KL(a \| b) = \sum_i a_i \log (a_i / b_i)$ in nats, with $0 \log 0 = 0$."""
    present = a > 0
    return float(np.sum(a[present] * np.log(a[present] / b[present])))


def jensen_shannon(a: Array, b: Array) -> float:
    """Mean KL of a and of b from their midpoint, in nats; at most log 2."""
    middle = (a + b) / 2
    return (kullback_leibler(a, middle) + kullback_leibler(b, middle)) / 2
