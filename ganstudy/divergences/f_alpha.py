"""`f_alpha`: the bound on the alpha-divergences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, field_validator

from ganstudy.divergences._variational import VariationalDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array

# Nearer than this to 0 or 1, the formulas lose more digits than float32 can spare.
MARGIN = 0.01
# Beyond it, and below 1, the square of the critic's gradient is infinite at a logit of 1.
HIGHEST_BELOW_1 = 0.91
# log(1 + e^(-v)) is e^(-v) to float64 beyond this v, and its logarithm is -v.
TAIL = 40.0


class FAlpha(VariationalDivergence):
    r"""f-GAN on the alpha-divergence (E_q (p/q)^alpha - 1)/(alpha (alpha - 1)).

    Maths   $f = \frac{u^\alpha - 1 - \alpha (u - 1)}{\alpha (\alpha - 1)}$,
            $f^* = \frac{(1 + (\alpha - 1) t)_+^{\alpha / (\alpha - 1)} - 1}{\alpha}$,
            $T^* = \frac{(p/q)^{\alpha - 1} - 1}{\alpha - 1}$, $f'(1) = 0$,
            $g_f = \frac1{1 - \alpha} - \log(1 + e^{-v})$ for $\alpha < 1$, $v$ for $\alpha > 1$.
            Since $f'' = u^{\alpha - 2}$, the trick descends the divergence of order $\alpha - 1$.
            Twice the divergence is Pearson's chi-square for 2, Neyman's for -1; half of it is the
            squared Hellinger distance for 1/2. The limits 0 and 1 are KL(q || p), KL(p || q).
    Errors  for $0 < \alpha < 1$ infinite in float32 for logits of q beyond
            $88 (1 - \alpha) / \alpha + \log(1 - \alpha)$. From 0.91 to 1, which is refused, that
            holds of the gradient of a new critic, whose logits reach 1. Near above 1 they are
            infinite for logits of q beyond
            $(e^{88 (\alpha - 1) / \alpha} - 1) / (\alpha - 1)$, which is 139 at 1.01. For
            $\alpha < 0$ a sample of q costs the critic $-1/\alpha$ at most, and pulls no more.
    Source  Nowozin et al. 2016, tables 5 and 6. For $\alpha > 1$ they give f* without the positive
            part, where it is no real number for most $\alpha$ if $v < -1/(\alpha - 1)$.
    """

    overflows: ClassVar[bool] = True

    alpha: float = Field(
        0.5,
        description="order of the divergence; not within 0.01 of 0, nor from 0.91 to 1.01",
        json_schema_extra={"not": {"enum": [0, 1]}},
    )

    @field_validator("alpha")
    @classmethod
    def _no_limit(cls, alpha: float) -> float:
        if abs(alpha) < MARGIN:
            limit, near = 0, f"{math.copysign(MARGIN, alpha)} and f_reverse_kl"
        elif HIGHEST_BELOW_1 < alpha < 1 + MARGIN:
            limit, near = 1, f"{HIGHEST_BELOW_1}, {1 + MARGIN} and f_kl"
        else:
            return alpha
        raise ValueError(f"{alpha} is too near {limit} for single precision; valid near it: {near}")

    def f(self, u: Array) -> Array:
        """(u^alpha - 1 - alpha (u - 1))/(alpha (alpha - 1))."""
        return _power(self.alpha, u)

    def optimal(self, u: Array) -> Array:
        """(u^(alpha - 1) - 1)/(alpha - 1)."""
        return (u ** (self.alpha - 1) - 1) / (self.alpha - 1)

    def conjugate(self, t: Array) -> Array:
        """((1 + (alpha - 1) t)_+^(alpha/(alpha - 1)) - 1)/alpha; t < 1/(1 - alpha) if alpha < 1."""
        base = np.maximum(1 + (self.alpha - 1) * t, 0)
        return np.asarray((base ** (self.alpha / (self.alpha - 1)) - 1) / self.alpha)

    def companion(self, u: Array) -> Array:
        """The f of order alpha - 1."""
        return _power(self.alpha - 1, u)

    def inverse(self, u: Array) -> Array:
        """The optimal T for alpha > 1; else v with log(1 + e^(-v)) = u^(alpha - 1)/(1 - alpha)."""
        if self.alpha > 1:
            return self.optimal(u)
        depth = u ** (self.alpha - 1) / (1 - self.alpha)
        return np.asarray(-depth - np.log(-np.expm1(-depth)))

    def activation(self, logits: Tensor) -> Tensor:
        """1/(1 - alpha) - log(1 + e^(-v)) for alpha < 1; v for alpha > 1."""
        alpha = self._order(logits)
        return (1 / (1 - alpha) - self.softplus(-logits)).where(alpha < 1, logits)

    def penalty(self, logits: Tensor) -> Tensor:
        """(b^(alpha/(alpha - 1)) - 1)/alpha with b = 1 + (alpha - 1) g_f(v), by its logarithm.

        Each branch is finite, with finite slope, also where the other one is meant.
        """
        alpha = self._order(logits)
        tail = self.softplus(-logits.clamp(max=TAIL)).log()
        below = (1 - alpha).abs().log() + tail.where(logits < TAIL, -logits)
        above = (1 + (alpha - 1) * logits).clamp(min=1e-30).log()
        return (alpha / (alpha - 1) * below.where(alpha < 1, above)).expm1() / alpha

    def _order(self, like: Tensor) -> Tensor:
        """Alpha as a tensor, be it a number or a column of a pack."""
        return like.new_zeros(()) + self.alpha


def _power(order: float, u: Array) -> Array:
    """The f of the alpha-divergence, and its limit u log u - u + 1 at order 1."""
    if abs(order - 1) < 1e-6:
        return u * np.log(u) - u + 1
    return (u**order - 1 - order * (u - 1)) / (order * (order - 1))
