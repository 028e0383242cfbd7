"""What an activation is: a nonlinearity between two layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ganstudy.family import Member

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Activation(Member, ABC):
    """A function of the sums of a hidden layer; its parameters are those of the architecture."""

    @property
    def inputs(self) -> int:
        """Sums that the activation takes for each unit."""
        return 1

    @abstractmethod
    def apply(self, sums: Tensor) -> Tensor:
        """Shapes  `(*, width * inputs) -> (*, width)`."""

    def module(self) -> torch.nn.Module:
        """The same of rows `(batch, width * inputs)` as a module: by default as torch traces it."""
        import torch

        activation = self

        class Applied(torch.nn.Module):
            def forward(self, sums: Tensor) -> Tensor:
                return activation.apply(sums)

        return torch.fx.symbolic_trace(Applied())
