"""What several layers do with tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["distances", "match"]


def match(value: float | Tensor, like: Tensor) -> Tensor:
    """A parameter, a number or a column of a pack, in the precision of what it multiplies."""
    import torch

    return torch.as_tensor(value, dtype=like.dtype, device=like.device)


def distances(x: Tensor, y: Tensor) -> Tensor:
    """Distances, `(*, n, d), (*, m, d) -> (*, n, m)`, with slope zero at zero.

    From differences: |x|^2 + |y|^2 - 2 x y has no digits left where samples lie close together. Of
    all pairs at once on a GPU alone, where torch adds up the slopes of its own function in an order
    that depends on how many trials there are.
    """
    import torch

    from ganstudy.tiles import on_gpu

    if not on_gpu(x):
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    squares = (x.mT.unsqueeze(-1) - y.mT.unsqueeze(-2)).square().sum(-3)
    apart = squares != 0  # and where a sample is NaN
    return torch.where(apart, torch.where(apart, squares, 1.0).sqrt(), 0.0)
