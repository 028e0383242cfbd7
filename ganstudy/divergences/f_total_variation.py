"""`f_total_variation`: the bound on the total variation distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FTotalVariation(VariationalDivergence):
    r"""f-GAN on the total variation distance, half the integral of |p - q|; the trick is the bound.

    Maths   $f = |u - 1| / 2$, $f^* = t$ on $[-\frac12, \frac12]$, $g_f = \frac12 \tanh v$,
            $T^* = \frac12 sign(p - q)$, $f'(1) = 0$ (of the subgradients $[-\frac12, \frac12]$).
            Since f* is the identity, -E f*(T) and -E T are one loss. No finite logit is optimal:
            T* is approached as v goes to infinity.
    Errors  the critic's loss lies within [-1, 1]: samples on its wrong side soon stop pulling.
    Source  Nowozin et al. 2016, tables 5 and 6.
    """

    saturates: ClassVar[bool] = True
    attained: ClassVar[bool] = False

    def f(self, u: Array) -> Array:
        """|u - 1|/2."""
        return np.abs(u - 1) / 2

    def optimal(self, u: Array) -> Array:
        """sign(u - 1)/2."""
        return np.sign(u - 1) / 2

    def conjugate(self, t: Array) -> Array:
        """t, for |t| <= 1/2."""
        return t

    def companion(self, u: Array) -> Array:
        """f itself: all curvature sits at u = 1."""
        return np.abs(u - 1) / 2

    def inverse(self, u: Array) -> Array:
        """+-20, where tanh is +-1 in float64."""
        return 20 * np.sign(u - 1)

    def activation(self, logits: Tensor) -> Tensor:
        """tanh(v)/2."""
        return logits.tanh() / 2

    def penalty(self, logits: Tensor) -> Tensor:
        """tanh(v)/2."""
        return logits.tanh() / 2
