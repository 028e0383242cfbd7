"""Thin products as sums: the same numbers, and their gradients, as a library's."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from ganstudy.engine.thin_products import AS_SUMS, THIN, product

SIZES = [1, 2, 3, 8]


@pytest.mark.parametrize(("m", "k", "n"), [*itertools.product(SIZES, repeat=3)])
def test_a_thin_product_is_that_of_the_library(m: int, k: int, n: int) -> None:
    """In double precision; what is not thin, or is one number, is left to the library."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(3, m, k, dtype=torch.float64, generator=generator)
    b = torch.randn(3, k, n, dtype=torch.float64, generator=generator)
    found = product(a, b)
    if min(m, k, n) > THIN or m == n == 1:
        assert found is NotImplemented
    else:
        torch.testing.assert_close(found, a.bmm(b), rtol=1e-14, atol=1e-14)


def test_a_factor_that_stands_across_memory_is_put_along_it() -> None:
    """The same bits; a compiled loop over rows has vectors, over columns none."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, 16, n, generator=generator) for n in (2, 2))
    across = b.mT
    assert torch.equal(product(a, across), product(a, across.contiguous()))
    for factor, put in [(across, True), (across.contiguous(), False)]:
        graph = make_fx(product)(a, factor).graph
        assert any("stack" in str(node.target) for node in graph.nodes) == put


def test_a_tracer_puts_sums_in_its_place_in_both_directions() -> None:
    """The product of a last layer and both of its gradients are sums; a whole one stays."""

    def loss(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return x.bmm(weight).tanh().sum()

    def products(columns: int) -> list[str]:
        weight, x = torch.randn(2, 8, columns), torch.randn(2, 16, 8)
        gradient = torch.func.grad(loss, argnums=(0, 1))
        graph = make_fx(gradient, decomposition_table=AS_SUMS)(weight, x)
        for mine, theirs in zip(graph(weight, x), gradient(weight, x), strict=True):
            torch.testing.assert_close(mine, theirs)
        return [str(node.target) for node in graph.graph.nodes if "bmm" in str(node.target)]

    assert products(1) == []
    assert products(5) == ["aten.bmm.default"] * 3
