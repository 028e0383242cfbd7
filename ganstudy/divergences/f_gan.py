"""`f_gan`: the GAN's own f."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FGAN(VariationalDivergence):
    r"""f-GAN on 2 JS(p, q) - log 4, the GAN itself; the trick is its -log D trick.

    Maths   $f = u \log u - (u + 1) \log(u + 1)$, $f^* = -\log(1 - e^t)$,
            $g_f = -\log(1 + e^{-v}) = \log D$, $T^* = \log \frac{p}{p + q}$, $f'(1) = -\log 2$;
            companion $(u + 1) \log \frac{u + 1}{2u} + u - 1$. Since $f(1) = -\log 4$, the
            value that is zero at p = q is 2 JS. `bound` is `minimax`; `trick` is
            `non_saturating`.
    Source  Nowozin et al. 2016, tables 1, 2 and 6; Thickstun, eqs. 12-13.
    """

    log_ratio: ClassVar[bool] = True

    def f(self, u: Array) -> Array:
        """u log u - (u + 1) log(u + 1)."""
        return u * np.log(u) - (u + 1) * np.log(u + 1)

    def optimal(self, u: Array) -> Array:
        """log u/(u + 1)."""
        return np.log(u / (u + 1))

    def conjugate(self, t: Array) -> Array:
        """-log(1 - e^t), for t < 0."""
        return -np.log(-np.expm1(t))

    def companion(self, u: Array) -> Array:
        """(u + 1) log((u + 1)/(2u)) + u - 1: 2 KL((p + q)/2 || p)."""
        return (u + 1) * np.log((u + 1) / (2 * u)) + u - 1

    def inverse(self, u: Array) -> Array:
        """log u."""
        return np.log(u)

    def activation(self, logits: Tensor) -> Tensor:
        """log D = -log(1 + e^(-v))."""
        return -self.softplus(-logits)

    def penalty(self, logits: Tensor) -> Tensor:
        """-log(1 - D) = log(1 + e^v)."""
        return self.softplus(logits)
