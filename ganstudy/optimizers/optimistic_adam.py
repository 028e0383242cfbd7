"""`optimistic_adam`: Adam that expects the next step to resemble the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ganstudy.optimizers._moments import MomentEstimation

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class OptimisticAdam(MomentEstimation):
    r"""Each step twice, and the step before taken back once: it damps the rotation of games.

    Maths   $\theta \leftarrow \theta - 2 s_t + s_{t-1}$ with Adam's steps
            $s_t = \eta \hat m_t / (\sqrt{\hat v_t} + \epsilon)$ and $s_0 = 0$
    Source  Daskalakis et al. 2018, "Training GANs with optimism".
    """

    slots: ClassVar[tuple[str, ...]] = (*MomentEstimation.slots, "last_step")

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-2 s_t + s_(t-1)."""
        step, new = self.step(gradient, slots, lr)
        return slots["last_step"] - 2 * step, {**new, "last_step": step}
