"""Duality gap and eigenvalues of the game at the end, against closed forms and differences."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm
from tiny import trial
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.equilibrium import (
    duality_gap,
    field_jacobian,
    measured,
    spectrum,
)
from ganstudy.kinds.adversarial.state import Batches, State
from ganstudy.kinds.adversarial.step import Rules
from ganstudy.kinds.adversarial.training import initial, train

CPU = torch.device("cpu")
GAME = ("duality_gap", "jacobian_real", "jacobian_imaginary", "jacobian_rotation")


def _game(
    theta: list[float] | None, phi: list[float] | None, count: int = 2, **settings: Any
) -> tuple[Rules, State, list[Batches]]:
    """A pack of one trial and its double at given parameters, and batches."""
    pack = [trial(0, **settings)] * 2
    game, state = initial(pack, CPU)
    for player, values in (("generator", theta), ("critic", phi)):
        if values is not None:
            own = getattr(state, player)
            placed = own._replace(parameters=torch.tensor([values] * 2, dtype=torch.float32))
            assert placed.parameters.shape == own.parameters.shape
            state = state._replace(**{player: placed})
    return game, state, list(itertools.islice(batches(pack, CPU), count))


AFFINE: dict[str, Any] = {
    "target": {"name": "gaussian", "mean": [0.0], "std": 1.0},
    "generator": {"depth": 0, "latent": 1},
    "critic": {"depth": 0},
    "batch": 500,
}
DIRAC: dict[str, Any] = {
    **AFFINE,
    "target": {"name": "gaussian", "mean": [0.0], "std": 1e-12},
    "critic": {"depth": 0, "bias": False},
}


def _dirac_eigenvalues(**settings: Any) -> tuple[NDArray[np.complex128], float]:
    """Those at the equilibrium, and by how much the noise's scale makes the generator larger.

    The generator is x = w z + b at w = b = 0 and moves by both: where the mean of z in the batch is
    m, its one direction that matters is longer by the root of 1 + m^2.
    """
    game, state, judged = _game([0.0, 0.0], [0.0], count=1, **DIRAC, **settings)
    jacobian = field_jacobian(game, state, judged)[0]
    # Each player has noise of its own in its batch.
    means = [float(judged[0].latent[row, 0].double().mean()) for row in (0, 1)]
    return np.linalg.eigvals(jacobian), 1 + means[0] * means[1]


@pytest.mark.parametrize("divergence", ["minimax", "non_saturating"])
def test_dirac_gan_turns(divergence: str) -> None:
    """Mescheder et al. 2018, section 2: +-i f'(0) with f'(0) = 1/2, without a regulariser."""
    values, scale = _dirac_eigenvalues(divergence=divergence)
    expected = np.array([-0.5j, 0, 0.5j]) * np.sqrt(scale)
    np.testing.assert_allclose(values[np.argsort(values.imag)], expected, atol=1e-10)


@pytest.mark.parametrize("weight", [0.1, 3.0])
def test_dirac_gan_with_r1_is_attracted(weight: float) -> None:
    """Ibid., section 3: -gamma/2 +- sqrt(gamma^2/4 - f'(0)^2)."""
    values, scale = _dirac_eigenvalues(constraint={"name": "r1", "weight": weight})
    root = np.sqrt(weight**2 / 4 - scale / 4 + 0j)
    expected = np.sort_complex(np.array([-weight / 2 - root, -weight / 2 + root, 0]))
    np.testing.assert_allclose(np.sort_complex(values), expected, atol=1e-6)


CONVOLVED: dict[str, Any] = {"network": "dcgan", "depth": 1, "width": 2}
FEATURES: list[Any] = [
    {"divergence": "minimax"},
    {"divergence": "wasserstein", "constraint": "gradient_penalty"},
    {"divergence": "relativistic_average", "constraint": "r2"},
    {"divergence": "relativistic_pairing", "constraint": ["r1", "r2"]},
    {"critic": {"norm": "batch", "pac": 2}, "constraint": "instance_noise"},
    {"condition": True, "divergence": "f_squared_hellinger"},
    *(
        pytest.param(
            {
                "target": "digits",
                "batch": 6,
                "constraint": "r1",
                "generator": {**CONVOLVED, "norm": norm, "latent": 2},
                "critic": {**CONVOLVED, "norm": "layer", "depth": 2},
            },
            marks=pytest.mark.slow,
        )
        for norm in ("layer", "batch")
    ),
]


@pytest.mark.parametrize("features", FEATURES, ids=str)
def test_jacobian_is_the_derivative_of_the_field(features: dict[str, Any]) -> None:
    """Central differences of the gradients that the steps follow, in double precision."""
    smooth = {"activation": "tanh", "width": 5}
    own = {player: {**smooth, **features.get(player, {})} for player in ("generator", "critic")}
    settings = {**features, **own}
    game, state, judged = _game(None, None, **settings)
    found = field_jacobian(game, state, judged)[0]
    doubled = [(b.double().d_step(0), b.double().m_step(0)) for b in judged]
    slots = {name: value.double() for name, value in state.critic.slots.items()}
    steady = state._replace(critic=state.critic._replace(slots=slots))
    theta, phi = (p.parameters.double() for p in (state.generator, state.critic))

    def field(step: torch.Tensor) -> NDArray[np.float64]:
        moved = theta + step[: theta.shape[1]], phi + step[theta.shape[1] :]
        fields = [replace(game.coupled(steady, *b), players=moved).gradients()[0] for b in doubled]
        m, d = (sum(x) / 2 for x in zip(*fields, strict=True))
        return -torch.cat([m, d], dim=1)[0].numpy()

    h, size = 1e-5, theta.shape[1] + phi.shape[1]
    assert found.shape == (size, size)
    assert float(np.abs(found).max()) > 1e-2
    for column in range(0, size, 7):
        step = torch.zeros(size, dtype=torch.float64)
        step[column] = h
        difference = (field(step) - field(-step)) / (2 * h)
        np.testing.assert_allclose(found[:, column], difference, atol=1e-7, rtol=1e-5)


def test_jacobians_do_not_depend_on_the_pack() -> None:
    """With a norm that sums over batches the last of 91 rows, 15 at once of 17 trials, did."""
    pack = [trial(seed, generator={"norm": "batch"}) for seed in range(17)]
    few, many = (
        field_jacobian(*initial(own, CPU), list(itertools.islice(batches(own, CPU), 1)))
        for own in (pack[:2], pack)
    )
    np.testing.assert_array_equal(few, many[:2])


class _Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
    """How many numbers the largest tensor of double precision has that is made."""

    numbers = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for made in _pytree.tree_leaves(result):
            if isinstance(made, torch.Tensor) and made.dtype == torch.float64:
                self.numbers = max(self.numbers, made.numel())
        return result


def test_jacobians_of_a_large_pack_are_not_there_together() -> None:
    """Of the packs of a GPU they would fill the memory."""
    settings = {"generator": {"width": 3}, "critic": {"width": 3}, "batch": 10}
    record = {"samples": 10, "equilibrium": {"responses": 1}}
    pack = [trial(seed, record=record, **settings) for seed in range(16)]
    game, state = initial(pack, CPU)
    with _Largest() as largest:
        found = measured(pack, pack, game, state)
    size = sum(own.parameters.shape[1] for own in (state.generator, state.critic))
    assert largest.numbers < len(pack) * size**2
    assert all(values.shape == (16,) and np.isfinite(values).all() for values in found.values())


@pytest.mark.parametrize("angle", [0.0, 0.5, np.pi / 2])
def test_spectrum_of_a_spiral(angle: float) -> None:
    """A field that turns by an angle while it pulls, in any coordinates, zeros beside it."""
    turn = np.array([[-np.cos(angle), -np.sin(angle)], [np.sin(angle), -np.cos(angle)]])
    whole = np.zeros((5, 5))
    whole[:2, :2] = whole[2:4, 2:4] = 3 * turn
    basis = np.random.default_rng(0).normal(size=(5, 5))
    found = spectrum(basis @ whole @ np.linalg.inv(basis))
    assert found["jacobian_real"] == pytest.approx(max(-3 * np.cos(angle), 0.0), abs=1e-9)
    assert found["jacobian_imaginary"] == pytest.approx(3 * np.sin(angle), abs=1e-6)
    assert found["jacobian_rotation"] == pytest.approx(np.sin(angle), abs=1e-6)


def test_spectrum_of_nothing_is_unknown() -> None:
    for jacobian in (np.zeros((0, 0)), np.full((2, 2), np.nan)):
        assert all(np.isnan(value) for value in spectrum(jacobian).values())


def _jensen_shannon(shift: float) -> float:
    def part(a: Any, b: Any) -> float:
        return float(quad(lambda x: a(x) * np.log(2 * a(x) / (a(x) + b(x))), -12, 12)[0])

    p, q = norm(0).pdf, norm(shift).pdf
    return (part(p, q) + part(q, p)) / 2


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_gap_of_a_blind_critic_is_twice_the_divergence(shift: float) -> None:
    """Nobody gains on a logit of zero but the critic: max M - min M = 2 JS, and zero at p = q.

    Of two Gaussians of one width the best logit is affine, and the critic can find it.
    """
    critic = {"depth": 0, "lr": 0.02}
    settings = {**AFFINE, "critic": critic, "divergence": "minimax"}
    game, state, rounds = _game([1.0, shift], [0.0, 0.0], count=400, **settings)
    gap = duality_gap(game, state, rounds[:100], rounds[100:])[0]
    # 50,000 samples of each law, losses with a standard deviation below one.
    assert gap == pytest.approx(2 * _jensen_shannon(shift), abs=4 * np.sqrt(2 / 50_000))


def test_gap_of_a_clipped_linear_game_by_hand() -> None:
    """The best critic is a corner of the box; the generator's answer is a sum of its gradients."""
    bound, lr, shift, w = 0.5, 0.1, np.array([1.0, -2.0]), np.array([0.2, 0.1])
    game, state, rounds = _game(
        [1.0, 0.0, 0.0, 1.0, *shift],
        [*w],
        count=30,
        target={"name": "gaussian", "std": 1.0},
        divergence="wasserstein",
        constraint={"name": "clip", "bound": bound},
        generator={"depth": 0, "optimizer": "sgd", "lr": lr},
        critic={"depth": 0, "bias": False, "optimizer": "sgd", "lr": lr},
        batch=200,
    )
    judged, training = rounds[:10], rounds[10:]
    real = np.stack([b.real[0, 0].double().numpy().mean(0) for b in judged]).mean(0)
    noise = np.stack([b.latent[0, 0].double().numpy().mean(0) for b in judged]).mean(0)
    fake = noise + shift
    best = bound * np.sign(real - fake)
    moved = sum(np.outer(b.latent[0, 0].double().numpy().mean(0), w) for b in training)
    worst = noise @ (np.eye(2) + lr * moved) + shift + lr * len(training) * w
    expected = best @ (real - fake) - w @ (real - worst)
    found = duality_gap(game, state, judged, training)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_recorded_at_the_end_alone_and_only_where_asked() -> None:
    """A trial without it has the id and the numbers that it had; too many parameters are NaN."""
    plain, asked, bounded = (
        trial(1, record=record)
        for record in (
            {},
            {"equilibrium": {"responses": 5}},
            {"equilibrium": {"responses": 5, "parameters": 50}},
        )
    )
    assert "equilibrium" not in plain.settings
    assert plain.id != asked.id
    (without,), (whole,), (limited,) = train([plain]), train([asked]), train([bounded])
    assert set(whole.along("step")) - set(without.along("step")) == set(GAME)
    for name, values in without.along("step").items():
        np.testing.assert_array_equal(values, whole.values[name])
    for name in GAME:
        np.testing.assert_array_equal(np.isfinite(whole.values[name]), [False, False, True])
    assert np.isnan([limited.values[name][-1] for name in GAME[1:]]).all()
    assert limited.values["duality_gap"][-1] == whole.values["duality_gap"][-1]
    fixed = trial(1, constraint="spectral_norm", record={"equilibrium": {"responses": 5}})
    (unknown,) = train([fixed])
    assert np.isnan([unknown.values[name][-1] for name in GAME[1:]]).all()
    assert np.isfinite(unknown.values["duality_gap"][-1])
    why = [
        next(v.about["missing"] for v in own.configuration.variables() if v.name == "jacobian_real")
        for own in (fixed, bounded)
    ]
    assert "spectral_norm" in why[0]
    assert "50 parameters" in why[1]
