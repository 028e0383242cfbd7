"""`rmsprop`: steps scaled by a running root mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.optimizers._base import Optimizer, match

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class RMSProp(Optimizer):
    r"""Gradient divided by a running root mean square of itself.

    Maths   $v \leftarrow \alpha v + (1 - \alpha) g^2$,
            $\theta \leftarrow \theta - \eta g / (\sqrt v + \epsilon)$
    Source  Tieleman & Hinton 2012, lecture 6.5; `torch.optim.RMSprop`, whose defaults these are.
    """

    slots: ClassVar[tuple[str, ...]] = ("second_moment",)

    alpha: float = Field(0.99, ge=0, lt=1, description="decay of the mean square")
    eps: float = Field(1e-8, gt=0, description="added to the root mean square")

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-lr g / (sqrt(v) + eps)."""
        kept, new = match(self.alpha, gradient), match(1 - self.alpha, gradient)
        second = kept * slots["second_moment"] + new * (gradient * gradient)
        direction = gradient / (second.sqrt() + match(self.eps, gradient))
        return -(match(lr, gradient) * direction), {"second_moment": second}
