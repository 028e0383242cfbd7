"""Gradients as `torch.func.grad` gives them, bit for bit, where torch's own engine can do it.

That function costs each process a second, in which it imports the front of torch's compiler, and
its levels a fifth of a small step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

__all__ = ["gradients", "inner_gradient", "with_gradient_laid_out"]


def gradients(
    loss: Callable[[Mapping[str, Tensor]], tuple[Tensor, Mapping[str, Tensor]]],
    at: Mapping[str, Tensor],
    *,
    within: bool = False,
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Of a loss, a number, in each of the tensors; and what else the loss returns.

    within  whether they are a part of another loss, whose gradients flow through them; otherwise
            these are values alone
    """
    if within and _of_torchs_function():
        slopes, aside = torch.func.grad(loss, has_aux=True)(at)
        return [slopes[name] for name in at], dict(aside)
    own = {name: _apart(value, within) for name, value in at.items()}
    with torch.enable_grad():
        total, aside = loss(own)
    found: Any = [torch.zeros_like(value) for value in at.values()]
    if total.requires_grad:
        found = torch.autograd.grad(
            total, [*own.values()], create_graph=within, materialize_grads=True
        )
    if within:
        return [*found], dict(aside)
    return [*found], {name: value.detach() for name, value in aside.items()}


def inner_gradient(total: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Of a number in x, in the shape of x, where it is a part of a loss: gradients flow through it.

    Where that loss is differentiated by `torch.func`, so is this, since neither sees through the
    other's graph.
    """
    (found,), _ = gradients(lambda at: (total(at["x"]), {}), {"x": x}, within=True)
    return found


def _of_torchs_function() -> bool:
    return torch._C._functorch.maybe_current_level() is not None


def _apart(x: Tensor, within: bool) -> Tensor:
    """What stands for x in a loss: not x itself, on which more of it may depend than it says."""
    return x.view_as(x) if within and x.requires_grad else x.detach().requires_grad_()


def with_gradient_laid_out(x: Tensor) -> Tensor:
    """The same, but its gradient has no gaps, whatever it is the sum of.

    A gradient of gradients may come as a transposed product, and the layout of a sum is that of its
    first part: what else a pack computes would decide in which order a batch is summed.
    """
    same: Tensor = _WithGradientLaidOut.apply(x)  # type: ignore[no-untyped-call]  # as of torch
    return same


class _WithGradientLaidOut(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> Tensor:
        return gradient[0].contiguous()
