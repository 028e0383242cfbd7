"""`f_reverse_kl`: the bound on KL(q || p)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FReverseKL(VariationalDivergence):
    r"""f-GAN on KL(q || p); the trick descends half of Neyman's chi-square.

    Maths   $f = -\log u$, $f^* = -1 - \log(-t)$, $g_f = -e^{-v}$, $T^* = -q/p$, $f'(1) = -1$;
            companion $(1 - u)^2 / (2 u)$.
    Errors  infinite in float32 for logits below -88; the trial is then marked `diverged`.
    Source  Nowozin et al. 2016, tables 1, 2 and 6. Copies of table 6 circulate with
            $g_f = -e^v$, which falls with v, against section 2.4 and table 2; the sign here rises.
    """

    overflows: ClassVar[bool] = True
    log_ratio: ClassVar[bool] = True

    def f(self, u: Array) -> Array:
        """-log u."""
        return -np.log(u)

    def optimal(self, u: Array) -> Array:
        """-1/u."""
        return -1 / u

    def conjugate(self, t: Array) -> Array:
        """-1 - log(-t), for t < 0."""
        return -1 - np.log(-t)

    def companion(self, u: Array) -> Array:
        """(1 - u)^2 / (2u): half of Neyman's chi-square."""
        return (1 - u) ** 2 / (2 * u)

    def inverse(self, u: Array) -> Array:
        """log u."""
        return np.log(u)

    def activation(self, logits: Tensor) -> Tensor:
        """-e^(-v)."""
        return -(-logits).exp()

    def penalty(self, logits: Tensor) -> Tensor:
        """v - 1."""
        return logits - 1
