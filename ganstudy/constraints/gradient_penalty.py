"""`gradient_penalty`: slopes of the critic near one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ganstudy.constraints._base import Constraint

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.constraints._base import InputGradient

_EPSILON = 1e-12
"""Added to the squared norm, whose root has no derivative at zero: a critic of rectifiers can be
exactly flat at a point."""


class GradientPenalty(Constraint):
    r"""Penalty on the norm of the critic's gradient between the samples of p and of q.

    Maths   $\lambda E (|\nabla a(\hat x)| - 1)^2$ with `sides: two`, and
            $\lambda E \max(0, |\nabla a(\hat x)| - 1)^2$ with `sides: one`, at
            $\hat x = u x + (1 - u) \tilde x$ with x from p, $\tilde x$ from q, u uniform on [0, 1].
            With labels $\hat x$ lies between the labels too, and slopes are those in the sample
            alone: p and q are laws of both, whose labels are drawn independently.
    Source  Gulrajani et al. 2017, WGAN-GP, eq. 3 and algorithm 1 (lambda = 10); one-sided: ibid.,
            section 4, and Petzka et al. 2018, WGAN-LP.
    """

    weight: float = Field(10.0, gt=0, description="lambda, the factor on the penalty")
    slope: float = Field(1.0, gt=0, description="the norm that is asked for: 1 in the papers")
    sides: Literal["two", "one"] = Field(
        "two", description="`two`: slopes below are penalised too; `one`: only those above"
    )

    def clash(self, other: Constraint) -> str:
        """With penalties on slopes below its own, unless it leaves those alone."""
        if self.sides == "one" or other.name not in ("r1", "r2"):
            return ""
        asked = f"gradient_penalty asks for slopes of {self.slope:g}, and {other.name} for none"
        return f"{asked}; with `sides: one` it leaves small slopes alone"

    def penalty(self, gradient: InputGradient, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
        """The penalty at random points between samples of p and of q."""
        slopes = gradient(noise * real + (1 - noise) * fake)
        norm = ((slopes * slopes).sum(-1) + _EPSILON).sqrt()
        excess = norm - self.slope
        if self.sides == "one":
            excess = excess.relu()
        return (self.weight * excess * excess).mean(-1)

    def draw(
        self,
        rng: np.random.Generator,
        progress: NDArray[np.float64],
        shape: tuple[int, int, int],
        groups: int,
    ) -> NDArray[np.float32]:
        """u, one for each input of the critic."""
        return rng.random((len(progress), shape[0], groups, 1), dtype=np.float32)
