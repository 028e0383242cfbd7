"""Two players against matrix exponentials, SciPy and finite differences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from tiny import write_study

from ganstudy import divergences
from ganstudy.kinds.game import Game
from ganstudy.kinds.game.fields import DiracGAN
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial


def _run(**settings: Any) -> Record:
    kind = Game.model_validate({"steps": 100, **settings})
    (record,) = kind.train([Trial(kind, 0)])
    return record


def test_xy_spirals_as_the_text_says() -> None:
    """Player A adds h y to x, player B takes h x from y: the plain recursion, written out."""
    record = _run(lr=0.1)
    x, y = float(record.values["psi"][0]), float(record.values["theta"][0])
    for step in range(1, 101):
        x, y = x + 0.1 * y, y - 0.1 * x
        assert record.values["psi"][step] == pytest.approx(x, abs=1e-5)
        assert record.values["theta"][step] == pytest.approx(y, abs=1e-5)
    assert record.values["distance"][-1] > 1.6


def test_small_steps_follow_the_flow() -> None:
    """The quadratic game's matrix exponential; Euler's error is of the order of h."""
    record = _run(game="quadratic", curvature=0.2, lr=1e-3, steps=1000)
    flow = expm(-np.array([[0.2, 1.0], [-1.0, 0.2]]))
    start = np.array([record.values["theta"][0], record.values["psi"][0]])
    end = np.array([record.values["theta"][-1], record.values["psi"][-1]])
    np.testing.assert_allclose(end, flow @ start, atol=1e-3)


@pytest.mark.slow
def test_small_steps_of_the_dirac_gan_follow_its_flow() -> None:
    """Mescheder's vector field (-f'(theta psi) psi, f'(theta psi) theta), by SciPy."""
    record = _run(game="dirac_gan", divergence="minimax", lr=1e-2, steps=300)

    def field(_: float, s: Any) -> list[float]:
        slope = 1 / (1 + np.exp(-s[0] * s[1]))  # derivative of log(1 + e^t)
        return [slope * s[1], -slope * s[0]]

    start = [float(record.values[name][0]) for name in ("theta", "psi")]
    solved = solve_ivp(field, (0, 3), start, rtol=1e-9, atol=1e-9).y[:, -1]
    end = [float(record.values[name][-1]) for name in ("theta", "psi")]
    np.testing.assert_allclose(end, solved, atol=0.03)


@pytest.mark.parametrize("noise", [0.0, 0.7])
@pytest.mark.parametrize("divergence", ["non_saturating", "f_pearson", "least_squares"])
def test_jacobian_is_the_derivative_of_the_gradient(divergence: str, noise: float) -> None:
    """Central differences away from the equilibrium."""
    kind = Game.model_validate({"game": "dirac_gan", "divergence": divergence})
    settings = (np.array([value]) for value in (0.3, 0.2, noise, 1.0))
    field = DiracGAN(kind.divergence, *settings)
    state, h = np.array([[0.4, 0.3]]), 1e-5
    columns = [
        (field.gradient(state + h * unit) - field.gradient(state - h * unit))[0] / (2 * h)
        for unit in np.eye(2)
    ]
    np.testing.assert_allclose(field.jacobian(state)[0], np.stack(columns, -1), atol=1e-8)


def test_instance_noise_is_the_expectation_over_noise() -> None:
    """Gradients by quadrature against a large sample; five standard errors."""
    kind = Game.model_validate({"game": "dirac_gan", "divergence": "minimax"})
    zero, noise = np.zeros(1), np.array([0.7])
    field = DiracGAN(kind.divergence, zero, zero, noise, zero)
    theta, psi = 0.5, 0.8
    draws = 0.7 * np.random.default_rng(0).normal(size=200_000)
    pulls = -psi / (1 + np.exp(-psi * (theta + draws)))
    generator = field.gradient(np.array([[theta, psi]]))[0, 0]
    assert abs(generator - pulls.mean()) < 5 * pulls.std() / np.sqrt(len(pulls))


@pytest.mark.parametrize(
    ("settings", "converges"),
    [
        ({"regularizer": "none"}, False),
        ({"regularizer": "r1"}, True),
        ({"regularizer": "instance_noise"}, True),
        ({"regularizer": "gradient_penalty"}, False),
        ({"method": "consensus"}, True),
    ],
)
@pytest.mark.slow
def test_which_dirac_gans_converge(settings: dict[str, Any], converges: bool) -> None:
    """The table of Mescheder et al. 2018."""
    record = _run(game="dirac_gan", divergence="minimax", steps=600, radius=0.5, **settings)
    assert (record.values["distance"][-1] < 0.05) == converges


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("method: extragradient, order: alternating", "simultaneous steps only"),
        ("regularizer: r1", "needs the game dirac_gan"),
        ("method: extragradent", "extragradient"),
        ("method: lead, order: alternating", "simultaneous steps only"),
        ("critic: {steps: 2}", "order: alternating"),
        ("game: dirac_gan, regularizer: [none, r1]", "none means no regularizer"),
        ("game: dirac_gan, regularizer: [r1, r1]", "twice"),
        ("game: dirac_gan, regularizer: [r1, r3]", "r3"),
        (
            "game: dirac_gan, divergence: relativistic_pairing, regularizer: instance_noise",
            "relativistic_pairing compares",
        ),
        (
            "game: dirac_gan, divergence: mmd, regularizer: r1",
            "trial.divergence: mmd has its critic in closed form; dirac_gan trains one",
        ),
        ("start: [0.0, 0.0]", "equilibrium"),
        ("start: [1.0]", "start"),
        ("divergence: relativistic_average, kind: tabular", "compares logits"),
    ],
)
def test_mistakes_have_a_line(settings: str, message: str, tmp_path: Path) -> None:
    kind = "" if "kind:" in settings else "kind: game, "
    text = f"question: Can it be?\ntrial: {{{kind}{settings}}}\n"
    with pytest.raises(StudyError, match=rf"tiny.yaml:2.*{message}"):
        load(write_study(tmp_path, text))


def _rates(**settings: Any) -> np.ndarray[Any, np.dtype[np.complex128]]:
    """Eigenvalues of the flow at the equilibrium, as a record keeps them."""
    values = _run(game="dirac_gan", steps=2, **settings).values["samples"][4:]
    return np.sort_complex(values[:, 0] + 1j * values[:, 1])


@pytest.mark.parametrize("divergence", ["relativistic_pairing", "non_saturating"])
def test_r1_and_r2_damp_twice(divergence: str) -> None:
    """-gamma ± sqrt(gamma^2 - 1/4) with both, critical at 1/2; R1 alone is critical at 1."""
    for gamma in (0.1, 0.3, 0.5, 0.8):
        both = _rates(divergence=divergence, regularizer=["r1", "r2"], weight=gamma)
        root = np.sqrt(complex(gamma**2 - 0.25))
        np.testing.assert_allclose(both, np.sort_complex([-gamma - root, -gamma + root]), atol=1e-6)
        alone = _rates(divergence=divergence, regularizer="r1", weight=2 * gamma)
        np.testing.assert_allclose(both, alone, atol=1e-6)


def test_turns_are_taken_as_they_are_told() -> None:
    """Two D-steps before or after each M-step, by the plain recursion, with clipped weights."""
    for first in ("critic", "generator"):
        record = _run(
            game="dirac_gan",
            divergence="wasserstein",
            order="alternating",
            first=first,
            critic={"steps": 2},
            start=[1.0, 0.5],
            regularizer="clip",
            bound=0.6,
            lr=0.2,
            steps=40,
        )
        theta, psi = 1.0, 0.5
        for step in range(1, 41):
            for player in ("ccg", "gcc")[first == "generator"]:
                if player == "c":
                    psi = min(max(psi - 0.2 * theta, -0.6), 0.6)
                else:
                    theta = theta + 0.2 * psi
            assert record.values["theta"][step] == pytest.approx(theta, abs=1e-5)
            assert record.values["psi"][step] == pytest.approx(psi, abs=1e-5)
        assert float(np.abs(record.values["psi"]).max()) == pytest.approx(0.6, abs=1e-6)


def test_gradient_penalty_pulls_to_the_asked_slope() -> None:
    """At theta = 0 the critic's equilibrium is where |psi| is the target; at 0 it is the origin."""
    for slope in (0.0, 0.7):
        record = _run(
            game="dirac_gan",
            divergence="wasserstein",
            regularizer="gradient_penalty",
            weight=2.0,
            slope=slope,
            start=[1e-9, 1.0],
            lr=1e-2,
            steps=5,
        )
        theta, psi = (record.values[name] for name in ("theta", "psi"))
        # Ahead of the penalty goes the gradient of psi times theta.
        step = 1e-2 * (2 * 2.0 * (psi[:-1] - slope) + theta[:-1])
        np.testing.assert_allclose(psi[1:], psi[:-1] - step, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("lr", [0.1, 0.95, 1.025, 1.9, 2.05, 2.5])
def test_alternating_steps_are_on_an_ellipse_where_there_is_one(steps: int, lr: float) -> None:
    """Beyond h = 2/sqrt(n) the conserved form bounds nothing: the orbit leaves for infinity."""
    record = _run(order="alternating", critic={"steps": steps}, lr=lr, steps=500)
    if lr * np.sqrt(steps) < 2:
        errors, tolerance = (record.values[f"ellipse{end}"] for end in ("", "_tolerance"))
        assert errors[-1] <= tolerance[-1]
        assert record.values["distance"][-1] < 20
    else:
        assert "ellipse" not in record.values
        assert np.nanmax(record.values["distance"]) > 1e3


PLAYABLE = [
    member.name for member in divergences.family if not member.charged and not member.closed_form
]


@pytest.mark.parametrize("divergence", PLAYABLE)
def test_the_critic_starts_from_its_best_logit_where_p_is_q(divergence: str) -> None:
    """There p and q push it equally: with the label of q there, `least_squares` had no game."""
    kind = Game.model_validate({"game": "dirac_gan", "divergence": divergence})
    none = np.zeros(1)
    field = DiracGAN(kind.divergence, none, none, none, none)
    logits = torch.full((2,), field.level, dtype=torch.float64, requires_grad=True)
    loss = kind.divergence.critic_loss(logits[:1], logits[1:])
    (slopes,) = torch.autograd.grad(loss, logits)
    held, pushed = slopes.tolist()
    assert pushed == pytest.approx(-held, rel=1e-12)
    assert field.jacobian(np.zeros((1, 2)))[0, 1, 0] == pushed > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("turn", "losses"),
    [
        (0.5, ["minimax", "non_saturating", "least_squares"]),
        (0.5**0.5, ["reverse_kl", "forward_kl"]),
        (1.0, ["hinge", "wasserstein", "f_pearson"]),
    ],
)
def test_dirac_gans_turn_as_the_claim_says(turn: float, losses: list[str]) -> None:
    """±√(ℓ′c′) of every loss of dirac_stabilizers; under R1 −γ/2 until γ² reaches −4ℓ′c′."""
    for divergence in losses:
        stated = [complex(0, -turn), complex(0, turn)]
        np.testing.assert_allclose(_rates(divergence=divergence), stated, atol=1e-7)
        for gamma in (0.9 * 2 * turn, 1.1 * 2 * turn):
            real = _rates(divergence=divergence, regularizer="r1", weight=gamma).real
            assert np.allclose(real, -gamma / 2, atol=1e-6) == (gamma < 2 * turn)


def test_the_claim_names_the_losses_of_the_study() -> None:
    """What the page of dirac_stabilizers prints is told of each of its losses."""
    study = load(Path(__file__).parents[3] / "studies" / "dirac_stabilizers.yaml")
    (axis,) = (axis for axis in study.axes if axis.name == "divergence")
    (claim,) = (claim for claim in Game.claims if claim.name == "jacobian")
    assert all(re.search(rf"\b{name}\b", claim.claim) for name in axis.labels)
