"""`f_jensen_shannon`: the bound on 2 JS(p, q)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FJensenShannon(VariationalDivergence):
    r"""f-GAN on 2 JS(p, q); the trick descends 2 KL((p + q)/2 || p).

    Maths   $f = u \log u - (u + 1) \log \frac{u + 1}2$, $f^* = -\log(2 - e^t)$,
            $g_f = \log 2 - \log(1 + e^{-v})$, $T^* = \log \frac{2p}{p + q}$, $f'(1) = 0$; companion
            $(u + 1) \log \frac{u + 1}{2u} + u - 1$. Up to constants, `bound` is `minimax` and
            `trick` is `non_saturating`.
    Source  Nowozin et al. 2016, tables 1, 2 and 6. Table 1 writes the divergence with
            a factor 1/2 that its f has not: this f gives 2 JS.
    """

    log_ratio: ClassVar[bool] = True

    def f(self, u: Array) -> Array:
        """u log u - (u + 1) log((u + 1)/2)."""
        return u * np.log(u) - (u + 1) * np.log((u + 1) / 2)

    def optimal(self, u: Array) -> Array:
        """log 2u/(u + 1)."""
        return np.asarray(np.log(2 * u / (u + 1)))

    def conjugate(self, t: Array) -> Array:
        """-log(2 - e^t), for t < log 2."""
        return np.asarray(-np.log(2 - np.exp(t)))

    def companion(self, u: Array) -> Array:
        """(u + 1) log((u + 1)/(2u)) + u - 1: 2 KL((p + q)/2 || p)."""
        return (u + 1) * np.log((u + 1) / (2 * u)) + u - 1

    def inverse(self, u: Array) -> Array:
        """log u."""
        return np.log(u)

    def activation(self, logits: Tensor) -> Tensor:
        """log 2 - log(1 + e^(-v))."""
        return float(np.log(2)) - self.softplus(-logits)

    def penalty(self, logits: Tensor) -> Tensor:
        """log(1 + e^v) - log 2."""
        return self.softplus(logits) - float(np.log(2))
