"""What several layers do with tensors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganstudy.elementary import distances


def _numbers(x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Distances of two clouds, and the slopes of a function of them."""

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return distances(x, y).sin().sum()

    return distances(x, y), *torch.func.grad(loss, argnums=(0, 1))(x, y)


@pytest.mark.parametrize("dimension", [1, 2, 9])
def test_distances_are_the_same_on_a_gpu(dimension: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """There they are written out, as torch's own slopes are added up by how many trials there are:
    of clouds with a point in common, where slopes are zero, and with near ones.
    """
    torch.manual_seed(0)
    x, y = torch.randn(3, 5, dimension), torch.randn(3, 4, dimension)
    y[:, 0], y[:, 1] = x[:, 0], x[:, 1] + 1e-5
    expected = _numbers(x, y)
    lost = torch.full_like(x, torch.nan)
    assert distances(lost, y).isnan().all()
    monkeypatch.setattr("ganstudy.tiles.on_gpu", lambda x: True)
    torch.testing.assert_close(_numbers(x, y), expected)
    # A cloud that is lost was as near as could be.
    assert distances(lost, y).isnan().all()
