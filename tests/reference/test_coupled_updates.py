"""Directions of update schemes against the game's Jacobian as a matrix, by NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny import trial

from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.equilibrium import field_jacobian
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.training import initial
from ganstudy.kinds.adversarial.updates import CoupledUpdates, family

Array = NDArray[np.float64]
CPU = torch.device("cpu")
RATES = (0.5, 2.0)


def _off_diagonal(jacobian: Array, size: int) -> Array:
    across = jacobian.copy()
    across[:size, :size] = across[size:, size:] = 0
    return across


def _consensus(v: Array, jacobian: Array, size: int, moved: Array) -> Array:
    return v + 0.1 * jacobian.T @ v


def _symplectic(v: Array, jacobian: Array, size: int, moved: Array) -> Array:
    return np.asarray(v + (jacobian.T - jacobian) @ v / 2)


def _competitive(v: Array, jacobian: Array, size: int, moved: Array) -> Array:
    """Both players' step at once: s = -rate (v + across s)."""
    rates = np.repeat(RATES, (size, len(v) - size))
    system = np.diag(1 / rates) + _off_diagonal(jacobian, size)
    return np.asarray(np.linalg.solve(system, v)) / rates


def _lead(v: Array, jacobian: Array, size: int, moved: Array) -> Array:
    rates = np.repeat(RATES, (size, len(v) - size))
    return np.asarray(v + 0.1 / rates * (_off_diagonal(jacobian, size) @ moved))


STATED: dict[str, tuple[dict[str, Any], Callable[[Array, Array, int, Array], Array]]] = {
    "consensus": ({}, _consensus),
    "symplectic_gradient_adjustment": ({}, _symplectic),
    "competitive_gradient_descent": ({"iterations": 80}, _competitive),
    "lead": ({}, _lead),
}


@pytest.mark.parametrize(
    "divergence",
    [
        "minimax",
        *(
            pytest.param(n, marks=pytest.mark.slow)
            for n in ("non_saturating", "relativistic_pairing")
        ),
    ],
)
@pytest.mark.parametrize(
    "name", [cls.name for cls in family if issubclass(cls, CoupledUpdates)], ids=str
)
def test_directions_are_those_of_the_matrix(name: str, divergence: str) -> None:
    """With rates and displacements that differ between the players, and a penalty in the loss."""
    parameters, stated = STATED[name]
    player = {"width": 3, "depth": 1, "activation": "tanh", "optimizer": "sgd"}
    own = trial(
        0,
        divergence=divergence,
        constraint="r1",
        generator={**player, "lr": RATES[0]},
        critic={**player, "lr": RATES[1]},
        updates={"name": name, **parameters},
    )
    game, state = initial([own, own], CPU)
    batch = next(batches([own, own], CPU))
    # Some way off the start, where the field is small.
    rng = np.random.default_rng(1)
    drawn = [
        torch.tensor(rng.normal(size=x.parameters.shape)) for x in (state.generator, state.critic)
    ]
    moved = [torch.tensor(rng.normal(size=x.shape)) for x in drawn]
    state = state._replace(
        generator=state.generator._replace(parameters=drawn[0]),
        critic=state.critic._replace(parameters=drawn[1]),
    )
    double = batch.double()
    coupled = game.coupled(state, double.d_step(0), double.m_step(0))
    coupled = replace(coupled, displacement=(moved[0], moved[1]))
    found = torch.cat(game.updates.directions(coupled)[:2], dim=1)
    # The field runs down the gradients.
    jacobians = -field_jacobian(game, state, [batch])
    v = torch.cat(coupled.gradients()[0], dim=1).numpy()
    size = drawn[0].shape[1]
    for row in range(2):
        expected = stated(v[row], jacobians[row], size, torch.cat(moved, dim=1)[row].numpy())
        np.testing.assert_allclose(found[row].numpy(), expected, rtol=1e-6, atol=1e-9)
        assert np.abs(expected - v[row]).max() > 1e-3 * np.abs(v[row]).max()


@pytest.mark.parametrize("level", [-150.0, 150.0])
@pytest.mark.parametrize("name", [*STATED, "unrolled"])
def test_a_confident_critic_ends_no_trial(name: str, level: float) -> None:
    """Beyond logits of 88, e^|a| is infinite; gradients of gradients are zero there."""
    player = {"optimizer": "sgd"}
    own = trial(3, divergence="minimax", generator=player, critic=player, updates=name)
    game, state = initial([own, own], CPU)
    parameters = game.critic.split(state.critic.parameters)
    parameters["bias_1"] = parameters["bias_1"] + level
    sure = torch.cat([value.flatten(1) for value in parameters.values()], dim=1)
    state = state._replace(critic=state.critic._replace(parameters=sure))
    batch = next(batches([own, own], CPU))
    after, told = game.updates.play(program("eager", "cpu"), game, state, batch)
    assert bool(after.alive.all())
    assert abs(float(told["fake_logit"][0])) > 100
