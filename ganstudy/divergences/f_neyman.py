"""`f_neyman`: the bound on Neyman's chi-square."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class FNeyman(VariationalDivergence):
    r"""f-GAN on Neyman's chi-square, E_p (q/p - 1)^2; the trick descends (E_p (q/p)^3 - 1)/3.

    Maths   $f = (1 - u)^2 / u$, $f^* = 2 - 2 \sqrt{1 - t}$, $g_f = 1 - e^{-v}$,
            $T^* = 1 - (q/p)^2$, $f'(1) = 0$; companion $(u^{-2} + 2u - 3) / 3$.
    Errors  infinite in float32 for logits below -88; the trial is then marked `diverged`. A sample
            of q with a large logit costs the critic 2 at most, and pulls no more.
    Source  Nowozin et al. 2016, tables 5 and 6. The activation here rises with v, as section 2.4
            asks, so that a larger logit means that x is likelier to come from p.
    """

    overflows: ClassVar[bool] = True
    saturates: ClassVar[bool] = True

    def f(self, u: Array) -> Array:
        """(1 - u)^2 / u."""
        return (1 - u) ** 2 / u

    def optimal(self, u: Array) -> Array:
        """1 - 1/u^2."""
        return 1 - 1 / u**2

    def conjugate(self, t: Array) -> Array:
        """2 - 2 sqrt(1 - t), for t < 1."""
        return 2 - 2 * np.sqrt(1 - t)

    def companion(self, u: Array) -> Array:
        """(1/u^2 + 2u - 3)/3."""
        return (1 / u**2 + 2 * u - 3) / 3

    def inverse(self, u: Array) -> Array:
        """2 log u."""
        return 2 * np.log(u)

    def activation(self, logits: Tensor) -> Tensor:
        """1 - e^(-v)."""
        return 1 - (-logits).exp()

    def penalty(self, logits: Tensor) -> Tensor:
        """2 - 2 e^(-v/2)."""
        return 2 - 2 * (-logits / 2).exp()
