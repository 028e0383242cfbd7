"""`f_pearson`: the bound on Pearson's chi-square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FPearson(VariationalDivergence):
    r"""f-GAN on Pearson's chi-square, E_q (p/q - 1)^2; the trick descends 2 KL(p || q).

    Maths   $f = (u - 1)^2$, $f^* = t^2/4 + t$, $g_f = v$, $T^* = 2 (p/q - 1)$, $f'(1) = 0$;
            companion $2 (u \log u - u + 1)$.
    Source  Nowozin et al. 2016, tables 1, 2 and 6. Their f* is the conjugate of f on all of
            R. On u >= 0, where ratios live, f* = -1 for t < -2; there the bound of the tables is
            valid but looser, and keeps a slope. It is tight at T*, which is above -2.
    """

    def f(self, u: Array) -> Array:
        """(u - 1)^2."""
        return (u - 1) ** 2

    def optimal(self, u: Array) -> Array:
        """2 (u - 1)."""
        return 2 * (u - 1)

    def conjugate(self, t: Array) -> Array:
        """t^2/4 + t."""
        return t**2 / 4 + t

    def companion(self, u: Array) -> Array:
        """2 (u log u - u + 1): 2 KL(p || q)."""
        return 2 * (u * np.log(u) - u + 1)

    def inverse(self, u: Array) -> Array:
        """2 (u - 1)."""
        return 2 * (u - 1)

    def activation(self, logits: Tensor) -> Tensor:
        """v."""
        return logits

    def penalty(self, logits: Tensor) -> Tensor:
        """v^2/4 + v."""
        return logits * logits / 4 + logits
