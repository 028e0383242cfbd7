"""A function of one trial for a whole pack: one after the other, or several at once on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    One = Callable[[Mapping[str, Tensor], Tensor], Any]
    Own = Mapping[str, Tensor]

__all__ = ["TILE", "at_once", "of_pack", "on_gpu"]

ROWS = 256
"""Rows that are computed at once where nobody asks for gradients: memory bounds them."""

TILE = 8
"""Trials that are computed at once, always as many: a library chooses a convolution's kernel by its
shape, of which the trials of a tile are a part."""


def on_gpu(x: Tensor) -> bool:
    """Whether a GPU computes with it, some of whose kernels add up in any order."""
    return bool(x.is_cuda)


def at_once(x: Tensor) -> bool:
    """Whether trials are computed several at once: on a CPU that is slower."""
    return on_gpu(x)


def of_pack(one: One, own: Own, x: Tensor, *, whole: bool) -> Any:
    """What `one` makes of each trial's parameters and rows, a tensor or several by name, stacked.

    whole   whether rows know of each other; else a batch is computed in parts where gradients are
            not asked for
    Shapes  own `(pack, *)` each; x `(pack, batch, inputs)`.
    """
    import torch

    compute = _in_tiles if at_once(x) else _apart
    if whole or torch.is_grad_enabled():
        return compute(one, own, x)
    return torch.cat([compute(one, own, part) for part in torch.split(x, ROWS, dim=1)], dim=1)


def _apart(one: One, own: Own, x: Tensor) -> Any:
    """Trial after trial, each as if it were alone."""
    import torch

    # Not by indices, whose gradients are as large as the pack.
    apart = zip(*(value.unbind(0) for value in own.values()), strict=True)
    made = [
        one(dict(zip(own, values, strict=True)), rows)
        for values, rows in zip(apart, x.unbind(0), strict=True)
    ]
    return torch.utils._pytree.tree_map(lambda *each: torch.stack(each), *made)


def _in_tiles(one: One, own: Own, x: Tensor) -> Any:
    """Tile after tile, the last one filled up with copies of its last trial."""
    import torch

    lacking = -len(x) % TILE
    columns = [torch.split(_filled(value, lacking), TILE) for value in (*own.values(), x)]
    made = [
        torch.vmap(one)(dict(zip(own, values, strict=True)), rows)
        for *values, rows in zip(*columns, strict=True)
    ]
    return torch.utils._pytree.tree_map(lambda *each: torch.cat(each)[: len(x)], *made)


def _filled(value: Tensor, lacking: int) -> Tensor:
    """With copies behind it, which have no gradient."""
    from torch import cat

    if not lacking:
        return value
    return cat([value, value[-1:].detach().expand(lacking, *value.shape[1:])])
