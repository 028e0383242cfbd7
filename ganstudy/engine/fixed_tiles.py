"""Fixed tiles: a GPU's products and sums in an order that does not ask how many trials there are.

A library of matrices chooses its kernel, and with it the order of each sum, by the whole shape that
it is given, the pack included. The kernels here are chosen by the shape of one trial.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FixedTiles"]

_aten = torch.ops.aten

AS_WRITTEN = {"num_warps": 4, "enable_fp_fusion": False}
"""How kernels are made. Products are fused multiply-adds either way; Triton's default changes."""


class FixedTiles(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
    """Stacked products, and sums within a trial, of single precision by kernels of our own.

    All else is torch's, whose other kernels compute each number of a trial by itself, and so is
    what lies on another device, as images do that features are computed of. Acts below autograd and
    `torch.func`, so that gradients of all orders are made of the same kernels.
    """

    def __init__(self, device: torch.device | str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has not typed it
        self._type = torch.device(device).type

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """To hide it from its compiler, torch would import that: two seconds of each process."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Called by torch for each operation."""
        if func is _aten.bmm.default:
            if self._takes(args[0]):
                return product(*args)
        elif func in (_aten.sum.dim_IntList, _aten.mean.dim) and self._takes(args[0]):
            axes = _axes(args[0], args[1])
            # Sums over the pack itself are no trial's numbers.
            if axes and 0 not in axes:
                keepdim = args[2] if len(args) > 2 else (kwargs or {}).get("keepdim", False)
                total = within(args[0], axes, keepdim)
                return total if func is _aten.sum.dim_IntList else total / _size(args[0], axes)
        elif func is _aten.logsumexp.default and self._takes(args[0]):
            return _log_total(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _takes(self, x: Tensor) -> bool:
        return x.dtype == torch.float32 and x.device.type == self._type


def product(a: Tensor, b: Tensor) -> Tensor:
    """`(pack, rows, inner)` by `(pack, inner, columns)`, each matrix by itself.

    Maths  inner products in blocks of 16 or 32, one after the other, by fused multiply-adds of
           single precision; no TF32.
    """
    from ganstudy.engine import gpu_kernels as kernels

    pack, rows, inner = a.shape
    columns = b.shape[2]
    out = torch.empty(pack, rows, columns, dtype=a.dtype, device=a.device)
    if not out.numel():
        return out
    tiles = {"ROWS": _tile(rows), "COLUMNS": _tile(columns), "INNER": min(_tile(inner), 32)}
    across = -(-rows // tiles["ROWS"])
    down = -(-columns // tiles["COLUMNS"])
    strides = (*a.stride(), *b.stride())
    kernels.product[(pack * across * down,)](
        a, b, out, rows, columns, inner, across, down, *strides, **tiles, **AS_WRITTEN
    )
    return out


def within(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    """The sum over some axes, none of which is the first."""
    from ganstudy.engine import gpu_kernels as kernels

    kept = [axis for axis in range(x.ndim) if axis not in axes]
    together = axes == tuple(range(axes[0], axes[-1] + 1))
    if not together:
        x = x.permute(*kept, *axes)
        shape, reduced = tuple(x.shape[: len(kept)]), x.shape[len(kept) :]
        outer, inner = math.prod(shape), 1
    else:
        before, after = x.shape[: axes[0]], x.shape[axes[-1] + 1 :]
        shape, reduced = (*before, *after), x.shape[axes[0] : axes[-1] + 1]
        outer, inner = math.prod(before), math.prod(after)
    count, x = math.prod(reduced), x.contiguous()
    out = torch.empty(shape, dtype=x.dtype, device=x.device)
    if out.numel():
        columns = min(_power(inner), 64)
        terms = min(_power(count), 2048 // columns)
        across = -(-inner // columns)
        kernels.total[(outer * across,)](
            x, out, count, inner, across, COUNT=terms, INNER=columns, **AS_WRITTEN
        )
    if not keepdim:
        return out
    for axis in axes:
        out = out.unsqueeze(axis)
    return out


def _log_total(x: Tensor, axes: Any, keepdim: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials over some axes, none of which is the first."""
    axes = _axes(x, axes)
    largest = x.amax(axes, keepdim=True)
    largest = torch.where(largest.isinf(), 0.0, largest)
    total = within((x - largest).exp(), axes, keepdim=True).log() + largest
    return total if keepdim else total.squeeze(axes)


def _axes(x: Tensor, axes: Any) -> tuple[int, ...]:
    given = [axes] if isinstance(axes, int) else axes or range(x.ndim)
    return tuple(sorted(axis % x.ndim for axis in given))


def _size(x: Tensor, axes: tuple[int, ...]) -> int:
    return math.prod(x.shape[axis] for axis in axes)


def _power(number: int) -> int:
    """The least power of two that is not below a number."""
    return 1 << max(number - 1, 0).bit_length()


def _tile(length: int) -> int:
    """A tile's edge: 16, which the least product takes, to 64."""
    return min(max(_power(length), 16), 64)
