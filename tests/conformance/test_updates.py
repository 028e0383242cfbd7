"""Every coupled update scheme: a trial of a pack moves as it moves without the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tiny import variants

from ganstudy.engine.stacked import stack
from ganstudy.kinds.adversarial import updates
from ganstudy.kinds.adversarial.coupled import Coupled
from ganstudy.kinds.adversarial.updates import CoupledUpdates

CPU = torch.device("cpu")
SIZE = 5
"""Parameters of each player."""
SMALL: dict[str, dict[str, Any]] = {"competitive_gradient_descent": {"iterations": 2}}
COUPLED = [cls for cls in updates.family if issubclass(cls, CoupledUpdates)]


def _quadratic(rows: list[int]) -> Coupled:
    """Games with the losses x A x / 2 + x B y of each player, numbers of its own in each row."""
    drawn, places, rates = (
        torch.from_numpy(np.stack([np.random.default_rng(row).random(shape) for row in rows]))
        for shape in ((2, 2, SIZE, SIZE), (4, SIZE), (2, 1))
    )

    def loss(player: int) -> Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, Any]]:
        def own(*players: torch.Tensor) -> tuple[torch.Tensor, Any]:
            x, y = players[player], players[1 - player]
            along, across = drawn[:, player, 0], drawn[:, player, 1]
            slopes = (along @ x[..., None])[..., 0] / 2 + (across @ y[..., None])[..., 0]
            losses = (x * slopes).sum(-1)
            return losses.sum(), {("generator_loss", "critic_loss")[player]: losses}

        return own

    return Coupled(
        loss(0),
        loss(1),
        (places[:, 0], places[:, 1]),
        (rates[:, 0], rates[:, 1]),
        (places[:, 2], places[:, 3]),
    )


@pytest.mark.parametrize("cls", COUPLED, ids=lambda cls: cls.name)
def test_directions_in_a_pack_are_those_alone(cls: type[CoupledUpdates]) -> None:
    """A pack gives each trial the directions and the losses that it has with its double."""
    small = SMALL.get(cls.name, {})
    members = [own.model_copy(update=small) for own in (cls(), cls(), *variants(cls, 2))]

    def told(rows: list[int]) -> list[torch.Tensor]:
        ((scheme, _),) = stack([members[row] for row in rows], CPU, torch.float64).groups
        m, d, diagnostics = scheme.directions(_quadratic(rows))
        assert m.shape == d.shape == (len(rows), SIZE)
        return [m, d, diagnostics["generator_loss"], diagnostics["critic_loss"]]

    together = told([*range(len(members))])
    for row in (0, len(members) - 1):
        for whole, pair in zip(together, told([row, row]), strict=True):
            torch.testing.assert_close(whole[row], pair[0], rtol=1e-9, atol=1e-9)
