"""What an activation is: a nonlinearity between two layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ganstudy.family import Member

if TYPE_CHECKING:
    from torch import Tensor, nn


class Activation(Member, ABC):
    """A function of the sums of a hidden layer; its parameters are those of the architecture."""

    @property
    def inputs(self) -> int:
        """Sums that the activation takes for each unit."""
        return 1

    @abstractmethod
    def apply(self, sums: Tensor) -> Tensor:
        """Shapes  `(*, width * inputs) -> (*, width)`."""

    def module(self) -> nn.Module | None:
        """The same in `torch.nn`, with the layout of `apply`; None if torch has none like it."""
        return None
