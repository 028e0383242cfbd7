"""`sgd`: gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.elementary import match
from ganstudy.optimizers._base import Optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class SGD(Optimizer):
    r"""Stochastic gradient descent.

    Maths   $\theta \leftarrow \theta - \eta g$
    Source  Robbins & Monro 1951; `torch.optim.SGD`.
    """

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-lr g."""
        return -(match(lr, gradient) * gradient), {}
