"""What an optimizer is: one update of a whole pack, each trial with its own hyper-parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ganstudy.family import Member
from ganstudy.settings import TINIEST

if TYPE_CHECKING:
    from torch import Tensor

    Slots = dict[str, Tensor]


class Optimizer(Member, ABC):
    """A first-order update.

    Law of the arithmetic: sums, products, quotients and square roots only, one operation at a
    time. Each of these is rounded correctly wherever an element stands in memory, so that a trial's
    update has the same bits in any pack; powers and fused operations promise no such thing.

    The hyper-parameters of a stacked optimizer are float64 tensors of shape `(*pack, 1)`, since
    `1 - beta` loses digits in float32; `match` brings them to the parameters' type.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    """State tensors of the parameters' shape; they start at zero, or where `initial` says."""
    squares: ClassVar[tuple[str, ...]] = ()
    """Slots of which an update takes the root."""
    weights: ClassVar[tuple[str, ...]] = ()
    """State tensors of shape `(*pack, 1)` in float64; they start at zero."""

    def initial(self) -> dict[str, float | Tensor]:
        """First values of slots that do not start at zero: numbers, or columns `(*pack, 1)`."""
        return {}

    @abstractmethod
    def update(
        self, gradient: Tensor, slots: Slots, lr: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Slots]:
        """The change of the parameters, and the new state.

        Shapes  gradient, parameters and slots `(*pack, size)`; weights and lr `(*pack, 1)`.
        """


def root(square: Tensor) -> Tensor:
    """The square root of a mean square, with a derivative at zero, too: a unit that rectifiers have
    shut has no gradient, and unrolled steps are differentiated through. That of the least number is
    nothing beside an epsilon of 1e-12.
    """
    return square.clamp(min=TINIEST).sqrt()
