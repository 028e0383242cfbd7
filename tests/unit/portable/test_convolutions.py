"""Convolutions by products of matrices are torch's own, with their gradients of all orders."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import conv1d, conv2d, conv_transpose2d

from ganstudy.portable.functions import Portable

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "padded": {"padding": (1, 2)},
    "strided": {"stride": (2, 3), "padding": 1},
    "dilated": {"dilation": (2, 1), "padding": 2},
    "grouped": {"groups": 2, "stride": 2},
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("name", [*SETTINGS, "beyond"])
def test_gradients_of_two_orders_are_those_of_torch(
    name: str, transposed: bool, bias: bool
) -> None:
    """`beyond` has pixels behind its output that no window reaches."""
    if name == "beyond" and not transposed:
        pytest.skip("of a transposed one alone")
    settings = SETTINGS.get(name, {"stride": 3, "output_padding": (1, 2)})
    drawn = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=drawn, dtype=torch.float64).requires_grad_()

    groups = settings.get("groups", 1)
    images = normal(3, 4, 7, 6)
    weight = normal(4, 6 // groups, 3, 2) if transposed else normal(6, 4 // groups, 3, 2)
    inputs = [images, weight, *([normal(6)] if bias else [])]
    function = conv_transpose2d if transposed else conv2d

    def found() -> list[torch.Tensor]:
        output = function(*inputs, **settings)
        first = torch.autograd.grad(output.square().sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum(own.square().sum() for own in first), inputs)
        return [output, *first, *second]

    expected = found()
    with Portable():  # type: ignore[no-untyped-call]  # torch has not typed it
        own = found()
    for ours, theirs in zip(own, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-9)


def test_one_dimension_is_refused() -> None:
    with (
        Portable(),  # type: ignore[no-untyped-call]  # torch has not typed it
        pytest.raises(NotImplementedError, match="not 1 dimensions"),
    ):
        conv1d(torch.zeros(1, 1, 5), torch.zeros(1, 1, 3))
