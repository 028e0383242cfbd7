"""`rmsprop`: steps scaled by a running root mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.optimizers._base import Optimizer, root

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class RMSProp(Optimizer):
    r"""Gradient divided by a running root mean square of itself.

    Maths   $v \leftarrow \alpha v + (1 - \alpha) g^2$,
            $\theta \leftarrow \theta - \eta g / (\sqrt v + \epsilon)$
    Source  Tieleman & Hinton 2012, lecture 6.5; `torch.optim.RMSprop`, whose defaults these are.
            `tf.train.RMSPropOptimizer` of TensorFlow 1, which WGAN-GP's code uses, has alpha 0.9,
            eps 1e-10 under the root, and starts at a mean square of one.
    """

    slots: ClassVar[tuple[str, ...]] = ("second_moment",)
    squares: ClassVar[tuple[str, ...]] = ("second_moment",)

    alpha: float = Field(0.99, ge=0, lt=1, description="decay of the mean square")
    eps: float = Field(1e-8, gt=0, description="added to the root mean square")
    # They came after studies had been run: where they are not set, ids of trials do not know of
    # them.
    eps_in_root: bool = Field(
        False,
        exclude_if=lambda within: not within,
        description="whether eps is added to the mean square, under the root",
    )
    first: float = Field(
        0.0,
        ge=0,
        exclude_if=lambda first: first == 0,
        description="mean square before the first gradient",
    )

    def initial(self) -> dict[str, float | Tensor]:
        """The mean square before the first gradient."""
        return {"second_moment": self.first}

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-lr g / (sqrt(v) + eps)."""
        kept, new = match(self.alpha, gradient), match(1 - self.alpha, gradient)
        second = kept * slots["second_moment"] + new * (gradient * gradient)
        eps = match(self.eps, gradient)
        scale = (second + eps).sqrt() if self.eps_in_root else root(second) + eps
        direction = gradient / scale
        return -(match(lr, gradient) * direction), {"second_moment": second}
