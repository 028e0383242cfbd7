"""`f_kl`: the bound on KL(p || q)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FKL(VariationalDivergence):
    r"""f-GAN on KL(p || q); the bound descends KL(p || q), the trick KL(q || p).

    Maths   $f = u \log u$, $f^* = e^{t - 1}$, $g_f = v$, $T^* = 1 + \log p/q$, $f'(1) = 1$;
            companion $u - 1 - \log u$.
    Errors  infinite in float32 for logits beyond 88; the trial is then marked `diverged`.
    Source  Nowozin et al. 2016, tables 1, 2 and 6.
    """

    overflows: ClassVar[bool] = True

    def f(self, u: Array) -> Array:
        """u log u."""
        return u * np.log(u)

    def optimal(self, u: Array) -> Array:
        """1 + log u."""
        return 1 + np.log(u)

    def conjugate(self, t: Array) -> Array:
        """e^(t - 1)."""
        return np.exp(t - 1)

    def companion(self, u: Array) -> Array:
        """u - 1 - log u: KL(q || p)."""
        return u - 1 - np.log(u)

    def inverse(self, u: Array) -> Array:
        """1 + log u."""
        return 1 + np.log(u)

    def activation(self, logits: Tensor) -> Tensor:
        """v."""
        return logits

    def penalty(self, logits: Tensor) -> Tensor:
        """e^(v - 1)."""
        return (logits - 1).exp()
