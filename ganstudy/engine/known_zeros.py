"""Known zeros: taken out of a traced step, with the products that they would go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.fx import Node

if TYPE_CHECKING:
    from torch.fx import GraphModule

__all__ = ["remove_zeros"]

_aten = torch.ops.aten

_MADE = {_aten.zeros_like.default, _aten.new_zeros.default, _aten.zeros.default}

_OF_THE_FIRST = {
    *(_aten.view.default, _aten._unsafe_view.default, _aten.reshape.default, _aten.expand.default),
    *(_aten.transpose.int, _aten.t.default, _aten.permute.default, _aten.unsqueeze.default),
    *(_aten.squeeze.dim, _aten.select.int, _aten.slice.Tensor, _aten.alias.default),
    *(_aten.clone.default, _aten._to_copy.default, _aten.neg.default, _aten.mul.Scalar),
    *(_aten.div.Scalar, _aten.sum.default, _aten.sum.dim_IntList),
    *(_aten.mean.default, _aten.mean.dim, _aten.threshold_backward.default),
}
"""Zero where their first argument is."""

_OF_EITHER = {_aten.mul.Tensor, _aten.bmm.default, _aten.mm.default}
"""Zero where one of the two arguments is."""


def remove_zeros(traced: GraphModule) -> None:
    """Put zeros for all that is a sum of products with zeros, and nothing for adding them.

    torch gives the derivative of a rectifier's derivative as zeros, and multiplies on: a gradient
    penalty's step then has a fifth of its products for nothing. Where the other factor is
    infinite, the product is zero too, and not NaN. What writes into a tensor is left as it is.
    """
    called = [node for node in traced.graph.nodes if isinstance(node.target, torch._ops.OpOverload)]
    # In the order of the graph, whose text is the name of its library.
    zeros: dict[Node, None] = {}
    for node in [] if any(node.target._schema.is_mutable for node in called) else called:
        if node.target in _MADE or _is_zero(node, zeros):
            zeros[node] = None
        elif node.target is _aten.add.Tensor and (other := _other_term(node, zeros)) is not None:
            node.replace_all_uses_with(other)
    for node in zeros:
        if node.target not in _MADE and any(user not in zeros for user in node.users):
            _make(traced, node)
    traced.graph.eliminate_dead_code()


def _is_zero(node: Node, zeros: dict[Node, None]) -> bool:
    if node.target in _OF_THE_FIRST:
        return node.args[0] in zeros
    if node.target in _OF_EITHER:
        return any(term in zeros for term in node.args)
    return node.target is _aten.add.Tensor and all(term in zeros for term in node.args)


def _other_term(node: Node, zeros: dict[Node, None]) -> Node | None:
    """What is left of a sum of which a term is zero; None if it differs from the sum in form."""
    first, second = node.args
    known, other = (first, second) if first in zeros else (second, first)
    if known not in zeros or node.kwargs or not isinstance(other, Node):
        return None
    of_sum, own = node.meta["val"], other.meta["val"]
    return other if (of_sum.shape, of_sum.dtype) == (own.shape, own.dtype) else None


def _make(traced: GraphModule, node: Node) -> None:
    value = node.meta["val"]
    # Unsaid where it is the processor: a library is named by its graph, and kept by that name.
    elsewhere = {} if value.device.type == "cpu" else {"device": value.device}
    with traced.graph.inserting_before(node):
        made = traced.graph.call_function(
            _aten.full.default, (list(value.shape), 0), {"dtype": value.dtype, **elsewhere}
        )
        made.meta["val"] = value
    node.replace_all_uses_with(made)
