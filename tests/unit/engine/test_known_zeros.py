import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from ganstudy.engine.known_zeros import remove_zeros

BMM = torch.ops.aten.bmm.default


def penalty_gradients(x: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
    """Of the mean squared gradient of a stacked perceptron with rectifiers."""
    weights = [w.detach().requires_grad_() for w in (first, second)]
    points = x.detach().requires_grad_()
    out = points
    for weight in weights:
        out = torch.bmm(out, weight).relu()
    (slope,) = torch.autograd.grad(out.sum(), points, create_graph=True)
    return torch.autograd.grad(slope.square().mean(), weights)


def products(graph: torch.fx.GraphModule) -> int:
    return sum(node.target is BMM for node in graph.graph.nodes)


def test_products_with_the_zeros_of_a_rectifiers_second_derivative_are_not_taken():
    generator = torch.Generator().manual_seed(0)
    given = [torch.randn(2, n, m, generator=generator) for n, m in ((5, 3), (3, 4), (4, 4))]
    traced = make_fx(penalty_gradients, tracing_mode="fake")(*given)
    before = products(traced)
    remove_zeros(traced)
    traced.recompile()
    # Two forward, two of the slope, and of its derivative two for the weights and one between.
    assert (before, products(traced)) == (11, 7)
    for found, expected in zip(traced(*given), penalty_gradients(*given), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + torch.zeros_like(x),
        lambda x: x + x.new_zeros(4, 1, 1),  # a sum of another form
        lambda x: x.double() + torch.zeros_like(x),
        lambda x: torch.zeros_like(x).sum(0) * x[0] + x[0],
        lambda x: torch.zeros_like(x) @ x.mT,
        lambda x: torch.add(torch.zeros_like(x), x, alpha=2),
        lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        lambda x: torch.zeros_like(x).copy_(x) + x,  # no longer zeros
    ],
)
def test_what_is_computed_stays(function):
    x = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(1))
    traced = make_fx(function, tracing_mode="fake")(x)
    remove_zeros(traced)
    traced.recompile()
    found = traced(x)
    assert torch.equal(found, function(x))
    assert found.dtype == function(x).dtype


def test_one_function_has_one_text():
    """Its digest is the name of a library, for all processes."""

    def several(x: Tensor) -> list[Tensor]:
        return [torch.logaddexp(x[i], torch.zeros_like(x[i]).neg() * i) for i in range(4)] * 2

    texts = set()
    for _ in range(8):
        traced = make_fx(several, tracing_mode="fake")(torch.ones(4, 3))
        remove_zeros(traced)
        traced.recompile()
        texts.add(traced.code)
    assert len(texts) == 1
