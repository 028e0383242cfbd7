"""`leaky_relu`: a rectifier that lets a little through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.activations._base import Activation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class LeakyReLU(Activation):
    r"""Rectified linear unit with a slope for negative sums.

    Maths   $\max(\alpha s, s)$
    Source  Maas et al. 2013; `torch.nn.LeakyReLU`. The default slope is that of Radford et al.
            2016, DCGAN, and of the GAN literature since; PyTorch's is 0.01.
    """

    slope: float = Field(0.2, ge=0, lt=1, description="alpha, the slope for negative sums")

    def apply(self, sums: Tensor) -> Tensor:
        """max(slope s, s)."""
        return sums.maximum(self.slope * sums)

    def module(self) -> torch.nn.Module:
        """`torch.nn.LeakyReLU`."""
        from torch import nn

        return nn.LeakyReLU(self.slope)
