"""Two players against matrix exponentials, SciPy and finite differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from tiny import write_study

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
    field = DiracGAN(kind.divergence, np.array([0.3]), np.array([0.2]), np.array([noise]))
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
    field = DiracGAN(kind.divergence, zero, zero, noise)
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
    ],
)
def test_mistakes_have_a_line(settings: str, message: str, tmp_path: Path) -> None:
    text = f"question: Can it be?\ntrial: {{kind: game, {settings}}}\n"
    with pytest.raises(StudyError, match=rf"tiny.yaml:2.*{message}"):
        load(write_study(tmp_path, text))
