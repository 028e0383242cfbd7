"""Disjoint supports against POT and written-out logistic regression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ot
import pytest
from tiny import Unstated, write_study

from ganstudy.divergences.minimax import Minimax
from ganstudy.kinds.supports import Supports
from ganstudy.kinds.supports.clouds import laws, masses
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Record, Trial


def _run(**settings: Any) -> Record:
    kind = Supports.model_validate({"steps": 50, "samples": 4, **settings})
    (record,) = kind.train([Trial(kind, 0)])
    return record


def test_points_that_coincide_are_one() -> None:
    """At distance zero JS is zero: the claim of log 2 can fail."""
    points = np.random.default_rng(0).random((5, 3))
    p, q = masses(points, points)
    np.testing.assert_allclose(p, q)
    shifted = laws(points, points + np.array([1.0, 0, 0]))
    assert len(shifted.p) == 10
    assert not (shifted.p * shifted.q).any()


def test_w1_is_that_of_pot() -> None:
    record = _run(distance=0.7, ambient=4, manifold=2)
    points = np.random.default_rng(1).random((4, 4))
    shifted = points + np.array([0.7, 0, 0, 0])
    expected = ot.emd2([], [], ot.dist(points, shifted, metric="euclidean"))
    assert record.values["w1"][-1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_critic_loss_falls_and_minimax_gradient_vanishes() -> None:
    """The better the critic, the less the zero-sum generator sees; -log D sees more."""
    zero_sum = _run(divergence="minimax", steps=800)
    assert zero_sum.values["critic_loss"][-1] < 0.05
    assert zero_sum.values["generator_gradient"][-1] < 0.2
    assert _run(divergence="non_saturating", steps=800).values["generator_gradient"][-1] > 5


def test_critic_is_logistic_regression() -> None:
    """One step of the minimax critic, by hand."""
    kind = Supports.model_validate({"steps": 1, "samples": 3})
    trial = Trial(kind, 0)
    (record,) = kind.train([trial])
    z = trial.stream("data").random((3, 1))
    w, b = 0.1 * trial.stream("init").normal(size=2), 0.0
    real = np.concatenate([np.zeros((3, 1)), z], 1)
    fake = np.concatenate([np.ones((3, 1)), z], 1)
    miss = -1 / (1 + np.exp(real @ w + b))
    hit = 1 / (1 + np.exp(-(fake @ w + b)))
    w, b = w - 0.5 * (miss @ real + hit @ fake) / 3, b - 0.5 * (miss + hit).mean()
    loss = np.log1p(np.exp(-(real @ w + b))).mean() + np.log1p(np.exp(fake @ w + b)).mean()
    assert record.values["critic_loss"][-1] == pytest.approx(loss, rel=1e-6)


def test_no_critic_but_that_of_w1_is_kept_in_a_ball() -> None:
    """One that bounds nothing is trained as the loss has it, and claims nothing of slopes."""
    own, other = (_run(divergence=member) for member in (Minimax(), Unstated()))
    np.testing.assert_array_equal(
        own.values["generator_gradient"], other.values["generator_gradient"]
    )
    assert "wasserstein_signal" not in other.values
    assert "wasserstein_signal" in _run(divergence="wasserstein").values


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("manifold: 3, ambient: 3", "smaller dimension than the space"),
        *(
            (f"divergence: {name}", f"{name} has its critic in closed form; this kind trains one")
            for name in ("mmd", "energy_distance", "sinkhorn_divergence")
        ),
        ("divergence: otm", "charges for the way"),
        ("divergence: relativistic_average", "compares logits"),
    ],
)
def test_mistakes_have_a_line(keys: str, said: str, tmp_path: Path) -> None:
    text = f"question: Can it be?\ntrial: {{kind: supports, {keys}}}\n"
    with pytest.raises(StudyError, match=rf"tiny.yaml:2.*{said}"):
        load(write_study(tmp_path, text))
