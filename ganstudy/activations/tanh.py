"""`tanh`: the hyperbolic tangent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.activations._base import Activation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Tanh(Activation):
    r"""Hyperbolic tangent.

    Maths   $\tanh s$
    Source  `torch.nn.Tanh`; smooth, as R1 and consensus optimization assume of a critic.
    """

    def apply(self, sums: Tensor) -> Tensor:
        """The hyperbolic tangent of s."""
        return sums.tanh()

    def module(self) -> torch.nn.Module:
        """`torch.nn.Tanh`."""
        from torch import nn

        return nn.Tanh()
