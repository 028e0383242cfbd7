"""`elu`: linear above zero, exponential below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.activations._base import Activation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class ELU(Activation):
    r"""Exponential linear unit.

    Maths   $s$ for $s > 0$ and $\alpha (e^s - 1)$ else
    Source  Clevert, Unterthiner & Hochreiter 2016; `torch.nn.ELU`.
    """

    alpha: float = Field(1.0, gt=0, description="minus the value that very negative sums approach")

    def apply(self, sums: Tensor) -> Tensor:
        """The exponential sees no positive sums, whose overflow would be NaN in the gradient."""
        return sums.relu() + self.alpha * sums.clamp(max=0).expm1()

    def module(self) -> torch.nn.Module:
        """`torch.nn.ELU`."""
        from torch import nn

        return nn.ELU(self.alpha)
