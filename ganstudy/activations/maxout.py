"""`maxout`: the largest of several sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.activations._base import Activation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Maxout(Activation):
    r"""Each unit is the largest of several linear functions of its inputs.

    Maths   $\max_{j \le k} s_j$; the layer before it has k times as many sums.
    Source  Goodfellow et al. 2013, "Maxout networks"; the discriminator of the first GAN and of
            PacGAN's toy experiments (Lin et al. 2018, section 4.1).
    """

    pieces: int = Field(5, ge=2, le=100, description="k, linear functions for each unit")

    @property
    def inputs(self) -> int:
        """One sum for each piece."""
        return self.pieces

    def apply(self, sums: Tensor) -> Tensor:
        """The largest sum of each unit."""
        pieces: Tensor = sums.unflatten(-1, (-1, self.pieces))  # type: ignore[no-untyped-call]  # torch has not typed it
        return pieces.amax(-1)

    def module(self) -> torch.nn.Module:
        """Of rows `(batch, sums)`: the largest of every few."""
        from torch import nn

        return nn.MaxPool1d(self.pieces)
