"""A GPU's own kernels against the same products and sums in double precision on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import DEVICE

from ganstudy.engine import fixed_tiles

pytestmark = pytest.mark.skipif(DEVICE == "cpu", reason="runs where `make gpu-check` runs it")

SHAPES = [(33, 2, 16), (256, 32, 1), (256, 128, 128), (64, 1, 64), (7, 2, 5), (70, 65, 66)]
PACKS = (1, 2, 3, 5, 8, 64, 500)


def _normal(*shape: int) -> torch.Tensor:
    rng = np.random.default_rng(sum(shape))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)).to(DEVICE)


def _assert_near(found: torch.Tensor, expected: torch.Tensor, terms: int) -> None:
    """Rounding of a sum of so many terms, each of about one."""
    error = (found.double().cpu() - expected).abs().max().item()
    assert error < 8 * terms**0.5 * 2**-23 * max(expected.abs().max().item(), 1.0)


@pytest.mark.parametrize(("rows", "inner", "columns"), SHAPES)
def test_products(rows: int, inner: int, columns: int) -> None:
    """Forward, and both gradients with their transposed operands; the same in every pack."""
    x, w, g = _normal(500, rows, inner), _normal(500, inner, columns), _normal(500, rows, columns)
    for a, b in ((x, w), (x.mT, g), (g, w.mT)):
        whole = fixed_tiles.product(a, b)
        _assert_near(whole, a.double().cpu().bmm(b.double().cpu()), a.shape[2])
        for pack in PACKS:
            assert torch.equal(fixed_tiles.product(a[:pack], b[:pack]), whole[:pack])


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        *(((256, 1), (1,)), ((256,), (1,)), ((256, 32), (1,)), ((33, 128), (2,))),
        *(((3, 4, 5), (1, 2)), ((3, 4, 5), (1, 3)), ((1300,), (1,))),
    ],
)
def test_sums(shape: tuple[int, ...], axes: tuple[int, ...], keepdim: bool) -> None:
    """Over one axis or several, which stand together or apart; the same in every pack."""
    x = _normal(500, *shape)
    whole = fixed_tiles.within(x, axes, keepdim)
    expected = x.double().cpu().sum(axes, keepdim=keepdim)
    assert whole.shape == expected.shape
    _assert_near(whole, expected, int(np.prod([x.shape[axis] for axis in axes])))
    for pack in PACKS:
        assert torch.equal(fixed_tiles.within(x[:pack], axes, keepdim), whole[:pack])
