"""The finite game against closed forms, SciPy and POT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ot
import pytest
from pydantic import ValidationError
from scipy import optimize, stats
from tiny import Unstated, write_study

from ganstudy.divergences.minimax import Minimax
from ganstudy.kinds.tabular import Tabular
from ganstudy.kinds.tabular import finite_game as game
from ganstudy.kinds.tabular.claims import checks
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial


def _run(seed: int = 0, **settings: Any) -> Record:
    kind = Tabular.model_validate({"points": 6, "steps": 80, **settings})
    (record,) = kind.train([Trial(kind, seed)])
    return record


def _random(points: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(points, 3.0), size=2)
    return p, q / p


def test_no_constraint_is_told_of_a_member_that_states_none() -> None:
    """Of a plug-in it was said to constrain its critic; the descent takes it."""
    said = r"does not say that its own is \(`uninformed_loss`\); use algorithm descent"
    with pytest.raises(ValidationError, match=said):
        Tabular.model_validate({"algorithm": "practical", "divergence": Unstated()})
    own, other = (_run(divergence=member) for member in (Minimax(), Unstated()))
    np.testing.assert_allclose(own.values["cost"], other.values["cost"])


def test_best_critic_of_the_log_loss() -> None:
    """f = 1/(1 + R), the slides' discriminator."""
    p, ratio = _random(7, 0)
    logits = game.best_logits(Tabular().divergence, p[None], ratio[None])
    np.testing.assert_allclose(1 / (1 + np.exp(-logits[0])), 1 / (1 + ratio), rtol=1e-12)


def test_projection_of_the_gradient_keeps_the_mean_of_the_ratio() -> None:
    """P0 as printed: d - E[d]/E[p] p, whose mean under p is zero."""
    p, d = _random(9, 1)
    projected = game.project_gradient(p[None], d[None])[0]
    np.testing.assert_allclose(projected, d - (p @ d) / (p @ p) * p, rtol=1e-12)
    assert abs(p @ projected) < 1e-15


@pytest.mark.parametrize("seed", range(5))
def test_projection_onto_the_simplex_is_the_nearest_point(seed: int) -> None:
    """Against a general solver."""
    p, _ = _random(6, seed)
    far = np.random.default_rng(seed).normal(1, 3, size=6)
    far[0] = -1.0
    nearest = optimize.minimize(
        lambda r: ((r - far) ** 2).sum(),
        np.ones(6),
        bounds=[(0, None)] * 6,
        constraints={"type": "eq", "fun": lambda r: p @ r - 1},
        options={"ftol": 1e-14},
    ).x
    np.testing.assert_allclose(game.project_ratio(p[None], far[None])[0], nearest, atol=1e-5)


def test_total_variation_and_cost_of_the_start() -> None:
    """The recorded laws give the recorded numbers, by SciPy's entropy."""
    record = _run(divergence="reverse_kl")
    assert "samples" in record.values
    p, start, _ = record.values["samples"].astype(float).T
    assert record.values["total_variation"][0] == pytest.approx(abs(p - start).sum() / 2, rel=1e-5)
    assert record.values["cost"][0] == pytest.approx(stats.entropy(start, p), rel=1e-5)


def test_wasserstein_cost_is_the_transport_cost() -> None:
    """W1 of the last laws on the unit interval, by POT."""
    record = _run(divergence="wasserstein", steps=20)
    assert "samples" in record.values
    p, _, last = record.values["samples"].astype(float).T
    positions = np.linspace(0, 1, 6)
    expected = ot.wasserstein_1d(positions, positions, p, last)
    assert record.values["cost"][-1] == pytest.approx(expected, abs=1e-6)


def test_descent_reaches_the_equilibrium_and_alternating_does_not() -> None:
    """R = 1 at the end of algorithm 2; a point mass at the end of algorithm 1."""
    assert _run(lr=1.5).values["total_variation"][-1] < 1e-4
    alternating = _run(algorithm="alternating")
    assert alternating.values["support"][-1] == pytest.approx(1.0)


@pytest.mark.slow
def test_more_critic_steps_follow_algorithm_2_more_closely() -> None:
    """The distance from the exact critic's orbit shrinks with N_d."""
    apart = [
        _run(algorithm="practical", critic={"steps": n, "lr": 0.05}).values["from_descent"][-20:]
        for n in (1, 5, 25)
    ]
    distances = [float(x.mean()) for x in apart]
    assert distances[0] > 2 * distances[1] > 4 * distances[2]


def test_a_critic_that_runs_away_is_marked() -> None:
    """Far too large a critic step: `diverged`, with the step, and NaN from there on."""
    record = _run(
        algorithm="practical", divergence="f_squared_hellinger", critic={"steps": 20, "lr": 5.0}
    )
    assert record.status == "diverged"
    assert np.isnan(record.values["total_variation"][-1])
    assert record.diverged_at >= 1


@pytest.mark.parametrize(
    ("divergence", "said"),
    [
        ("wasserstein", "needs a critic without a constraint"),
        ("mmd", "mmd has its critic in closed form; algorithm practical trains one"),
    ],
)
def test_what_practical_gradients_cannot_train_is_a_mistake_with_a_line(
    divergence: str, said: str, tmp_path: Path
) -> None:
    text = (
        "question: Can it be?\n"
        f"trial: {{kind: tabular, algorithm: practical, divergence: {divergence}}}\n"
    )
    with pytest.raises(StudyError, match=rf"tiny.yaml:2.*{said}"):
        load(write_study(tmp_path, text))


def test_slopes_that_are_no_numbers_hold_no_claim() -> None:
    """They are shown as not checked; numbers beside them make them no better."""
    p, ratio = _random(5, 0)
    kind = Tabular.model_validate({"points": 5, "algorithm": "alternating"})
    error, tolerance = checks(kind, p, np.stack([ratio] * 3), 0.1)["descends"]
    assert 0 < error <= tolerance
    with np.errstate(invalid="ignore"):
        error, _ = checks(kind, p, np.full((3, 5), np.nan), 0.1)["descends"]
    assert np.isnan(error)
