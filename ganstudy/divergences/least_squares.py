"""`least_squares`: LSGAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from ganstudy.divergences._base import Divergence
from ganstudy.divergences._classifier import kullback_leibler

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class LeastSquares(Divergence):
    r"""Least squares on labels; descends (a-b)(a-c) KL(p || m) - (a-b)^2/8 Le Cam, m = (p+q)/2.

    Maths   critic loss $\frac12 E_p (D - b)^2 + \frac12 E_q (D - a)^2$ with D the raw output,
            generator loss $\frac12 E_q (D - c)^2$. $D^* = \frac{b p + a q}{p + q}$; the least
            critic loss is $\frac{(b - a)^2}4 - \frac{(b - a)^2}8 \Delta$ with Le Cam's
            $\Delta = \int \frac{(p - q)^2}{p + q}$. At $D^*$ held fixed, the generator loss has the
            gradient of $(a - b)(a - c) KL(p \| m) - \frac{(a - b)^2}8 \Delta$. It is an
            f-divergence if and only if $c \ge b$: the default labels 0, 1, 1 give
            $KL(p \| m) - \Delta / 8$.
    Source  Mao et al. 2017. Their result, that b - c = 1 and b - a = 2 (such as -1, 1, 0)
            minimise Pearson's $\chi^2(p + q \| 2q)$, is about the value at $D^*$ as a function of
            q, with $\frac12 E_p (D - c)^2$ added; gradient steps with the critic held fixed do not
            descend it. For -1, 1, 0 they descend $2 KL(p \| m) - \frac12 \Delta$,
            which is flat to second order at p = q and can be negative: it is no divergence.
    """

    a: float = Field(0.0, description="label of samples of q for the critic, below b")
    b: float = Field(1.0, description="label of samples of p for the critic")
    c: float = Field(1.0, description="value that the generator wants the critic to give")

    @model_validator(mode="after")
    def _labels_in_order(self) -> LeastSquares:
        if self.a >= self.b:
            raise ValueError("the label a of samples of q must be below the label b of those of p")
        return self

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E_p (D - b)^2/2 + E_q (D - a)^2/2."""
        return ((real - self.b) ** 2).mean(-1) / 2 + ((fake - self.a) ** 2).mean(-1) / 2

    def generator_loss(self, fake: Tensor) -> Tensor:
        """E_q (D - c)^2/2."""
        return ((fake - self.c) ** 2).mean(-1) / 2

    def exact(self, laws: DiscreteLaws) -> float:
        """(a - b)(a - c) KL(p || (p + q)/2) - (a - b)^2/8 Le Cam."""
        likelihood = kullback_leibler(laws.p, (laws.p + laws.q) / 2)
        reach = self.a - self.b
        return reach * (self.a - self.c) * likelihood - reach**2 / 8 * _le_cam(laws)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """(b p + a q)/(p + q)."""
        return (self.b * laws.p + self.a * laws.q) / (laws.p + laws.q)

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """(b - a)^2 (1/4 - Le Cam/8)."""
        return (self.b - self.a) ** 2 * (1 / 4 - _le_cam(laws) / 8)

    def uninformed_loss(self) -> float:
        """(b - a)^2/4: what the critic's loss falls short of it bounds (b - a)^2/8 Le Cam."""
        return (self.b - self.a) ** 2 / 4


def _le_cam(laws: DiscreteLaws) -> float:
    """The integral of (p - q)^2/(p + q); at most 2."""
    return float(np.sum((laws.p - laws.q) ** 2 / (laws.p + laws.q)))
