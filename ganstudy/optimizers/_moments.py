"""What Adam and its relatives share: two running moments, corrected for their start at zero."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.optimizers._base import Optimizer, root

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class MomentEstimation(Optimizer, ABC):
    r"""Moments of the gradient.

    Maths   $m \leftarrow \beta_1 m + (1 - \beta_1) g$,
            $v \leftarrow \beta_2 v + (1 - \beta_2) g^2$,
            $\hat m = m / (1 - \beta_1^t)$ and $\hat v = v / (1 - \beta_2^t)$
    Source  Kingma & Ba 2015, algorithm 1. The corrections $1 - \beta^t$ are not computed as powers:
            they are the moments of the constant 1, gathered by the same recursion.
    """

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    squares: ClassVar[tuple[str, ...]] = ("second_moment",)
    weights: ClassVar[tuple[str, ...]] = ("first_weight", "second_weight")

    beta1: float = Field(0.9, ge=0, lt=1, description="decay of the first moment")
    beta2: float = Field(0.999, ge=0, lt=1, description="decay of the second moment")
    eps: float = Field(1e-8, gt=0, description="added to the root of the second moment")

    def step(self, gradient: Tensor, slots: Slots, lr: Tensor) -> tuple[Tensor, Slots]:
        r"""$\eta \hat m / (\sqrt{\hat v} + \epsilon)$ and the new moments."""
        first = match(self.beta1, gradient) * slots["first_moment"]
        first = first + match(1 - self.beta1, gradient) * gradient
        second = match(self.beta2, gradient) * slots["second_moment"]
        second = second + match(1 - self.beta2, gradient) * (gradient * gradient)
        first_weight = self.beta1 * slots["first_weight"] + (1 - self.beta1)
        second_weight = self.beta2 * slots["second_weight"] + (1 - self.beta2)
        deviation = root(second) / match(second_weight.sqrt(), gradient)
        direction = first / (deviation + match(self.eps, gradient))
        return match(lr / first_weight, gradient) * direction, {
            "first_moment": first,
            "second_moment": second,
            "first_weight": first_weight,
            "second_weight": second_weight,
        }
