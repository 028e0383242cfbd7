"""Exact fits on a line against SciPy and POT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ot
import pytest
from scipy import integrate, optimize, stats
from tiny import write_study

from ganstudy.kinds.fit import Fit
from ganstudy.kinds.fit.line import Model, Objective
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial


def _run(seed: int = 0, **settings: Any) -> Record:
    kind = Fit.model_validate({"steps": 200, **settings})
    (record,) = kind.train([Trial(kind, seed)])
    return record


def _p(x: Any) -> Any:
    return (stats.norm.pdf(x, -2, 0.5) + stats.norm.pdf(x, 2, 0.5)) / 2


def _objective(name: str, divergence: str = "minimax") -> tuple[Objective, np.ndarray[Any, Any]]:
    kind = Fit.model_validate({"divergence": divergence})
    x = kind.grid()
    q = Model(np.array([[0.7], [0.4], [0.0]])).density(x)
    return Objective(name, kind.divergence, x, kind.density(x)), q


@pytest.mark.parametrize(
    ("divergence", "integrand"),
    [
        ("forward_kl", lambda p, q: p * np.log(p / q)),
        ("reverse_kl", lambda p, q: q * np.log(q / p)),
        ("minimax", lambda p, q: p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))),
        ("f_squared_hellinger", lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2),
    ],
)
def test_values_are_integrals(divergence: str, integrand: Any) -> None:
    """Against adaptive quadrature of the written-out densities."""
    goal, q = _objective("divergence", divergence)
    expected = integrate.quad(
        lambda x: integrand(_p(x), stats.norm.pdf(x, 0.7, np.exp(0.4))), -12, 12, limit=300
    )[0]
    assert goal.value(q) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["wasserstein_1", "wasserstein_2"])
def test_transport_is_that_of_pot(name: str) -> None:
    """POT on the grid's cells; the grid's width is the tolerance."""
    goal, q = _objective(name)
    masses = [law / law.sum() for law in (goal.p, q)]
    order = 1 if name == "wasserstein_1" else 2
    cost = ot.wasserstein_1d(goal.x, goal.x, *masses, p=order)
    expected = cost if order == 1 else cost / 2
    assert goal.value(q) == pytest.approx(expected, abs=goal.dx)


def test_reverse_kl_reaches_the_minimum_of_a_general_solver() -> None:
    """Nelder-Mead on Gauss-Hermite quadrature, from the same side."""
    record = _run(seed=0, divergence="reverse_kl")

    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()

    def objective(theta: Any) -> float:
        mean, std = theta[0], np.exp(theta[1])
        values = mean + std * nodes
        logs = stats.norm.logpdf(values, mean, std) - np.log(_p(values))
        return float((weights * logs).sum())

    side = np.sign(record.values["mean"][-1])
    best = optimize.minimize(objective, [1.5 * side, -0.5], method="Nelder-Mead")
    assert record.values["mean"][-1] == pytest.approx(best.x[0], abs=1e-2)
    assert record.values["std"][-1] == pytest.approx(np.exp(best.x[1]), abs=1e-2)
    assert record.values["value"][-1] == pytest.approx(best.fun, abs=1e-4)


def test_forward_covers_and_reverse_seeks() -> None:
    assert _run(divergence="forward_kl").values["coverage"][-1] > 0.99
    assert _run(divergence="reverse_kl").values["coverage"][-1] < 0.01


def test_enough_components_fit_everything() -> None:
    """Two components on two modes: the divergence falls to zero."""
    record = _run(seed=1, divergence="forward_kl", components=2, steps=400)
    assert record.values["value"][-1] < 1e-3


def test_mistakes_have_a_line(tmp_path: Path) -> None:
    text = "question: Can it be?\ntrial: {kind: fit, objective: wasserstein}\n"
    with pytest.raises(StudyError, match=r"tiny.yaml:2.*wasserstein_1"):
        load(write_study(tmp_path, text))


def test_no_grid_is_finer_than_its_pairs_have_room_for(tmp_path: Path) -> None:
    """80 GB were asked for, where the divergence compares all pairs of cells, or may do so."""
    text = "question: Can it be?\ntrial:\n  kind: fit\n  divergence: {}\n  cells: 100000\n"
    load(write_study(tmp_path, text.format("f_kl")))
    with pytest.raises(
        StudyError, match=r"tiny.yaml:5: trial.cells.*may compare all pairs of cells.*4,000"
    ):
        load(write_study(tmp_path, text.format("mmd")))
