"""`adam`: momentum over a running root mean square, both corrected for their start at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.optimizers._moments import MomentEstimation

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class Adam(MomentEstimation):
    r"""Adaptive moment estimation.

    Maths   $\theta \leftarrow \theta - \eta \hat m / (\sqrt{\hat v} + \epsilon)$
    Source  Kingma & Ba 2015, algorithm 1; `torch.optim.Adam`, whose defaults these are.
    """

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-lr m_hat / (sqrt(v_hat) + eps)."""
        step, new = self.step(gradient, slots, lr)
        return -step, new
