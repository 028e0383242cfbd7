"""`adamw`: Adam with weight decay of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.optimizers._moments import MomentEstimation

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class AdamW(MomentEstimation):
    r"""Adam whose weight decay does not pass through the moments.

    Maths   $\theta \leftarrow (1 - \eta \lambda) \theta - \eta \hat m / (\sqrt{\hat v} + \epsilon)$
    Source  `torch.optim.AdamW`, whose defaults these are. Loshchilov & Hutter 2019, algorithm 2,
            multiply lambda by their schedule alone and not by the learning rate.
    """

    decay: float = Field(0.01, ge=0, description="lambda, the weight decay")

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-lr lambda theta - lr m_hat / (sqrt(v_hat) + eps)."""
        step, new = self.step(gradient, slots, lr)
        return -(match(lr * self.decay, gradient) * parameters) - step, new
