"""`relu`: the rectifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.activations._base import Activation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class ReLU(Activation):
    r"""Rectified linear unit.

    Maths   $\max(0, s)$
    Source  Nair & Hinton 2010; `torch.nn.ReLU`.
    """

    def apply(self, sums: Tensor) -> Tensor:
        """max(0, s)."""
        return sums.relu()

    def module(self) -> torch.nn.Module:
        """`torch.nn.ReLU`."""
        from torch import nn

        return nn.ReLU()
