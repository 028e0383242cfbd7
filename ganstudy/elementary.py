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

    From differences, though never of all pairs at once: |x|^2 + |y|^2 - 2 x y has no digits left
    where samples lie close together.
    """
    import torch

    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
