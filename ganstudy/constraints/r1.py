"""`r1`: a critic that is flat on the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.constraints._zero_centred import ZeroCentredPenalty

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.constraints._base import InputGradient


class R1(ZeroCentredPenalty):
    r"""Penalty on the critic's gradient at samples of p.

    Maths   $\frac\gamma2 E_p |\nabla a(x)|^2$
    Source  Mescheder, Geiger & Nowozin 2018, one of their "simplified gradient penalties"
            (gamma = 10); Roth et al. 2017 derive it from instance noise.
    """

    def penalty(self, gradient: InputGradient, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
        """The penalty on p."""
        return self.at(gradient, real)
