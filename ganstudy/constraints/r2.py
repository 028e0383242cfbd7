"""`r2`: a critic that is flat on the generator's samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.constraints._zero_centred import ZeroCentredPenalty

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.constraints._base import InputGradient


class R2(ZeroCentredPenalty):
    r"""Penalty on the critic's gradient at samples of q.

    Maths   $\frac\gamma2 E_q |\nabla a(x)|^2$
    Source  Mescheder, Geiger & Nowozin 2018, the other "simplified gradient penalty".
    """

    def penalty(self, gradient: InputGradient, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
        """The penalty on q."""
        return self.at(gradient, fake)
