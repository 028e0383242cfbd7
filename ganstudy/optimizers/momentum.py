"""`momentum`: gradient descent with inertia."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ganstudy.elementary import match
from ganstudy.optimizers._base import Optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.optimizers._base import Slots


class Momentum(Optimizer):
    r"""Heavy ball, or Nesterov's form of it.

    Maths   $v \leftarrow \mu v + g$, $\theta \leftarrow \theta - \eta v$; with `nesterov`
            $\theta \leftarrow \theta - \eta (g + \mu v)$. A negative $\mu$ damps the rotation of
            games.
    Source  Polyak 1964; Sutskever et al. 2013; `torch.optim.SGD`. Negative momentum: Gidel et al.
            2019, "Negative momentum for improved game dynamics".
    """

    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    momentum: float = Field(0.9, gt=-1, lt=1, description="mu, share of the velocity that is kept")
    nesterov: bool = Field(False, description="look ahead along the velocity")

    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """-lr v, or -lr (g + mu v)."""
        kept = match(self.momentum, gradient)
        velocity = kept * slots["velocity"] + gradient
        direction = gradient + kept * velocity if self.nesterov else velocity
        return -(match(lr, gradient) * direction), {"velocity": velocity}
