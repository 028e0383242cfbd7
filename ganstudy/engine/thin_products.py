"""Thin products: those that a library of matrices is slow at, written as sums in a traced step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["AS_SUMS", "product"]

THIN = 2
"""Most rows, columns or terms of a thin product. A batched product of so few takes a library as
long as one of thirty-two; its sums join the loops of a compiler that stand beside it."""


def product(a: Tensor, b: Tensor) -> Tensor:
    r"""A thin product of matrices as a sum; `NotImplemented` for any other.

    Maths   $C_{mn} = \sum_k A_{mk} B_{kn}$ with at most two m, n or k. What has one row and one
            column is left to the library too: nothing in it could be reused, and its order of
            summation there is one that no neighbour changes.
    Shapes  `(pack, m, k), (pack, k, n) -> (pack, m, n)`.
    """
    rows, terms, columns = a.shape[1], a.shape[2], b.shape[2]
    if rows == columns == 1 or min(rows, terms, columns) > THIN:
        return NotImplemented  # type: ignore[no-any-return]  # what tracers ask for
    if terms <= THIN:
        if b.stride(2) != 1:
            # Rows that stand together in memory: across its columns a loop has no vectors.
            b = torch.stack([b[:, k] for k in range(terms)], 1)
        parts = [a[:, :, k : k + 1] * b[:, k : k + 1, :] for k in range(terms)]
        return parts[0] if terms == 1 else parts[0] + parts[1]
    if columns <= THIN:
        return torch.stack([(a * b[:, None, :, n]).sum(2) for n in range(columns)], 2)
    return torch.stack([(a[:, m, :, None] * b).sum(1) for m in range(rows)], 1)


AS_SUMS: dict[Any, Callable[..., Any]] = {torch.ops.aten.bmm.default: product}
"""What a tracer puts in place of a product."""
