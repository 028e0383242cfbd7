"""`f_squared_hellinger`: the bound on the squared Hellinger distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FSquaredHellinger(VariationalDivergence):
    r"""f-GAN on the squared Hellinger distance, the integral of (sqrt p - sqrt q)^2.

    Maths   $f = (\sqrt u - 1)^2$, $f^* = t / (1 - t)$, $g_f = 1 - e^{-v}$, $T^* = 1 - \sqrt{q/p}$,
            $f'(1) = 0$; companion $(2 u^{-1/2} + u - 3) / 3$, so that the trick descends
            $\frac23 (E_q \sqrt{q/p} - 1)$. Without the factor 1/2 of some authors: at most 2.
    Errors  infinite in float32 for logits beyond 88 and below -88; the trial is then marked
            `diverged`.
    Source  Nowozin et al. 2016, tables 1, 2 and 6. Copies of table 6 circulate with
            $g_f = 1 - e^v$, which falls with v, against section 2.4 and table 2.
    """

    overflows: ClassVar[bool] = True

    def f(self, u: Array) -> Array:
        """(sqrt u - 1)^2."""
        return (np.sqrt(u) - 1) ** 2

    def optimal(self, u: Array) -> Array:
        """1 - 1/sqrt u."""
        return 1 - 1 / np.sqrt(u)

    def conjugate(self, t: Array) -> Array:
        """t/(1 - t), for t < 1."""
        return t / (1 - t)

    def companion(self, u: Array) -> Array:
        """(2/sqrt u + u - 3)/3."""
        return (2 / np.sqrt(u) + u - 3) / 3

    def inverse(self, u: Array) -> Array:
        """log(u)/2."""
        return np.log(u) / 2

    def activation(self, logits: Tensor) -> Tensor:
        """1 - e^(-v)."""
        return 1 - (-logits).exp()

    def penalty(self, logits: Tensor) -> Tensor:
        """e^v - 1."""
        return logits.exp() - 1
