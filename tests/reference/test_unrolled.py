"""Unrolled updates: a game that is solved by hand, differences of real D-steps, and dead units."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from tiny import trial

from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.state import Batches, PlayerState, State
from ganstudy.kinds.adversarial.step import Rules
from ganstudy.kinds.adversarial.training import initial, train

CPU = torch.device("cpu")
EAGER = program("eager", "cpu")


def _started(**settings: Any) -> tuple[Rules, State, Batches]:
    own = trial(3, **settings)
    game, state = initial([own, own], CPU)
    return game, state, next(batches([own, own], CPU))


def _doubled(player: PlayerState) -> PlayerState:
    slots = {name: value.double() for name, value in player.slots.items()}
    return PlayerState(player.parameters.double(), slots)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_bilinear_game_spirals_in_as_by_hand(steps: int) -> None:
    """All data and noise at zero leave V = w b: the critic's slope and the generator's bias.

    A round multiplies (b, w) by a matrix, whose powers shrink by sqrt(1 - (2K - 1) lr^2) a round.
    """
    lr, rounds = 0.1, 60
    player = {"depth": 0, "optimizer": "sgd", "lr": lr}
    game, state, batch = _started(
        target={"name": "gaussian", "mean": [0.0], "std": 1.0},
        divergence="wasserstein",
        constraint="none",
        generator={**player, "latent": 1},
        critic={**player, "steps": 1},
        updates={"name": "unrolled", "steps": steps, "order": "simultaneous"},
        record={"metrics": ["sliced_wasserstein"]},
    )
    still = Batches(torch.zeros_like(batch.real), torch.zeros_like(batch.latent), batch.noise)

    def told(state: State) -> tuple[float, float]:
        bias = game.generator.split(state.generator.parameters)["bias_0"][0, 0, 0]
        slope = game.critic.split(state.critic.parameters)["weight_0"][0, 0, 0]
        return float(bias), float(slope)

    matrix = np.array([[1 - 2 * steps * lr**2, lr], [-lr, 1.0]])
    expected = [np.array(told(state))]
    for _ in range(rounds):
        state, _ = game.updates.play(EAGER, game, state, still)
        expected.append(matrix @ expected[-1])
        np.testing.assert_allclose(told(state), expected[-1], rtol=1e-4, atol=1e-6)
    lengths = np.abs(np.linalg.eigvals(matrix))
    np.testing.assert_allclose(lengths, np.sqrt(1 - (2 * steps - 1) * lr**2))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "momentum"])
@pytest.mark.parametrize("divergence", ["minimax", "non_saturating"])
def test_the_gradient_is_that_of_what_real_d_steps_lead_to(optimizer: str, divergence: str) -> None:
    """Central differences of the generator's loss after K D-steps, in double precision.

    The D-steps are those of training: their fake samples come from the generator that is moved.
    """
    steps, width = 3, {"width": 5, "activation": "tanh"}
    game, state, batch = _started(
        divergence=divergence,
        generator={**width, "optimizer": "sgd", "lr": 1.0},
        critic={**width, "optimizer": optimizer, "lr": 0.05},
        updates={"name": "unrolled", "steps": steps},
    )
    # Some rounds first, so that the optimizer has a state.
    for _ in range(3):
        state, _ = game.updates.play(EAGER, game, state, batch)
    state = state._replace(generator=_doubled(state.generator), critic=_doubled(state.critic))
    real, latent, noise = batch.double().m_step(0)

    def loss(parameters: torch.Tensor) -> torch.Tensor:
        moved = state._replace(generator=state.generator._replace(parameters=parameters))
        for _ in range(steps):
            moved, _ = game.d_step(moved, real, latent, noise)
        fake = game.generator.forward(game.generator.split(parameters), latent)
        logits = game.critic.forward(game.critic.split(moved.critic.parameters), fake)[..., 0]
        return game.generator_losses.select(lambda member, a: member.generator_loss(a), logits)

    start = state.generator.parameters
    direction = torch.from_numpy(np.random.default_rng(0).standard_normal(tuple(start.shape)))
    h = 1e-5
    slope = (loss(start + h * direction) - loss(start - h * direction)) / (2 * h)
    after, told = game.m_step(state, real, latent, noise)
    gradient = start - after.generator.parameters  # of plain descent at a rate of one
    torch.testing.assert_close((gradient * direction).sum(1), slope, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(told["generator_loss"], loss(start))


@pytest.mark.parametrize("order", ["alternating", "simultaneous"])
def test_the_order_of_a_round(order: str) -> None:
    """The M-step sees the new critic, or the old one and the samples of the D-step."""
    game, state, batch = _started(updates={"name": "unrolled", "steps": 2, "order": order})
    after, _ = game.updates.play(EAGER, game, state, batch)
    d, _ = game.d_step(state, *batch.d_step(0))
    before, seen = (d, batch.m_step(0)) if order == "alternating" else (state, batch.d_step(0))
    m, _ = game.m_step(before, *seen)
    torch.testing.assert_close(after.generator.parameters, m.generator.parameters, rtol=0, atol=0)
    torch.testing.assert_close(after.critic.parameters, d.critic.parameters, rtol=0, atol=0)


@pytest.mark.parametrize(
    "optimizer",
    [
        "adam",
        "rmsprop",
        {"name": "adam", "beta2": 0.0},
        {"name": "rmsprop", "alpha": 0.0},
        {"name": "rmsprop", "alpha": 1e-9},
    ],
    ids=str,
)
def test_units_that_are_shut_do_no_harm(optimizer: str | dict[str, Any]) -> None:
    """The root of a mean square of zero has no derivative; what it multiplies is zero."""
    game, state, batch = _started(
        critic={"optimizer": optimizer}, updates={"name": "unrolled", "steps": 3}
    )
    parameters = game.critic.split(state.critic.parameters)
    parameters["bias_0"][..., :4] = -1e3
    shut = torch.cat([value.flatten(1) for value in parameters.values()], dim=1)
    state = state._replace(critic=state.critic._replace(parameters=shut))
    after, told = game.updates.play(EAGER, game, state, batch)
    assert after.alive.all()
    assert all(torch.isfinite(value).all() for value in told.values())
    moved = after.generator.parameters - state.generator.parameters
    assert float(moved.abs().max()) > 0


def test_unrolling_trains_a_mixture() -> None:
    """A dozen rounds, each on batches of their own, end alive."""
    own = trial(1, updates={"name": "unrolled", "steps": 2}, target={"name": "ring", "modes": 4})
    record = train([own])[0]
    assert record.status == "complete"
    assert all(np.isfinite(v).all() for v in itertools.islice(record.along("step").values(), 9))
