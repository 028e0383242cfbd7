"""studies/dirac_gan.yaml against the published notebook's recursions, written out in plain Python.

The notebook calls large what is from q; its psi is minus ours, and its start (1, 1) is our (1, -1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganstudy.study import load
from ganstudy.trial import Trial

STUDY = Path(__file__).parents[2] / "studies" / "dirac_gan.yaml"
CONVERGE = {
    "instance noise",
    "R1",
    "R1, critical",
    "consensus",
    "non-saturating GAN with R1",
}
"""Of the paper's methods, by its section 3: the others do not reach the equilibrium."""
LOST = {("consensus", "five D-steps")}
"""From this start, five steps of size 0.2 along consensus are too many: the orbit runs away."""
Field = Callable[[float, float], tuple[float, float]]


def slope(x: float) -> float:
    """f'(x) of f(x) = -log(1 + e^(-x))."""
    return 1 / (1 + math.exp(x))


def bend(x: float) -> float:
    """f''(x)."""
    return -slope(x) * slope(-x)


def _consensus(theta: float, psi: float) -> tuple[float, float]:
    """The gradient of (psi^2 + theta^2) f'^2 / 2, whole: the notebook halves the term with f''."""
    f, g, size = slope(psi * theta), bend(psi * theta), psi**2 + theta**2
    return (
        -psi * f - (theta * f**2 + size * f * g * psi),
        theta * f - (psi * f**2 + size * f * g * theta),
    )


def _noisy(theta: float, psi: float) -> tuple[float, float]:
    """The expectation that the notebook takes from a thousand draws, on a fine grid."""
    z = np.linspace(-8, 8, 4001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    x, fake = 0.7 * z, theta + 0.7 * z
    pushed, held = 1 / (1 + np.exp(psi * fake)), 1 / (1 + np.exp(-psi * x))
    return float(-psi * weight @ pushed), float(weight @ (fake * pushed - x * held))


FIELDS: dict[str, Field] = {
    "GAN": lambda t, p: (-p * slope(p * t), t * slope(p * t)),
    "non-saturating GAN": lambda t, p: (-p * slope(-p * t), t * slope(p * t)),
    "WGAN": lambda t, p: (-p, t),
    "WGAN-GP": lambda t, p: (-p, t - 0.7 * (abs(p) - 1) * math.copysign(1, p)),
    "instance noise": _noisy,
    "R1": lambda t, p: (-p * slope(p * t), t * slope(p * t) - 0.3 * p),
    "R1, critical": lambda t, p: (-p * slope(p * t), t * slope(p * t) - p),
    "consensus": _consensus,
    "non-saturating GAN with R1": lambda t, p: (-p * slope(-p * t), t * slope(p * t) - 0.3 * p),
}


def _plain(name: str, schedule: str, rounds: int) -> list[tuple[float, float]]:
    """Orbit of the notebook, generator first."""
    field = FIELDS[name]
    bound = 1.0 if name == "WGAN" else math.inf
    theta, psi = 1.0, 1.0
    orbit = [(theta, psi)]
    for _ in range(rounds):
        if schedule == "simultaneous":
            a, b = field(theta, psi)
            theta, psi = theta + 0.2 * a, min(max(psi + 0.2 * b, -bound), bound)
        else:
            theta += 0.2 * field(theta, psi)[0]
            for _ in range(5 if schedule == "five D-steps" else 1):
                psi = min(max(psi + 0.2 * field(theta, psi)[1], -bound), bound)
        orbit.append((theta, psi))
    return orbit


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELDS)
def test_every_cell_is_that_of_the_notebook(name: str) -> None:
    """Orbits agree, and those converge that the paper says converge."""
    study = load(STUDY)
    algorithms, schedules = (axis.labels for axis in study.axes)
    assert set(algorithms) == set(FIELDS)
    for number, schedule in enumerate(schedules):
        configuration = study.points[(algorithms.index(name), number)]
        (record,) = configuration.train([Trial(configuration, 0)])
        # Orbits that do not converge part by rounding; some rounds are enough to tell rules apart.
        theirs = np.array(_plain(name, str(schedule), 120))
        for own, column in (("theta", theirs[:, 0]), ("psi", -theirs[:, 1])):
            np.testing.assert_allclose(record.values[own][:121], column, atol=2e-5)
        expected = name in CONVERGE and (name, schedule) not in LOST
        assert (record.values["distance"][-1] < 1e-3) == expected
