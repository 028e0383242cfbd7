"""Density ratios: the truth against SciPy, the estimators against what they must find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from tiny import write_study

from ganstudy.kinds.ratio import Ratio, estimators
from ganstudy.study import load
from ganstudy.study.document import StudyError


def _samples(dimension: int = 1, shift: float = 1.0, count: int = 400) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(2, count, dimension))
    return 0.8 * p + shift, q


def test_the_truth_is_that_of_scipy() -> None:
    """log-ratio, its gradient by differences, and KL by quadrature in one dimension."""
    kind = Ratio(dimension=3)
    x = np.random.default_rng(1).normal(size=(20, 3))
    mean = np.full(3, 1 / np.sqrt(3))
    p = stats.multivariate_normal(mean, 0.64 * np.eye(3))
    q = stats.multivariate_normal(np.zeros(3), np.eye(3))
    np.testing.assert_allclose(kind.log_ratio(x), p.logpdf(x) - q.logpdf(x), rtol=1e-10)
    h = 1e-6
    slopes = [(kind.log_ratio(x + h * e) - kind.log_ratio(x - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(kind.gradient(x), np.stack(slopes, -1), atol=1e-7)
    one = Ratio(dimension=1)
    law = stats.norm(1, 0.8)
    expected = law.expect(lambda v: law.logpdf(v) - stats.norm.logpdf(v))
    assert one.kl == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", list(estimators.ESTIMATORS))
def test_estimates_follow_the_truth(name: str) -> None:
    """In one dimension, where both laws have mass, every estimator correlates with log p/q."""
    p, q = _samples()
    estimate = estimators.ESTIMATORS[name](p, q, 0)
    x = np.linspace(-1, 2, 60)[:, None]
    truth = stats.norm.logpdf(x[:, 0], 1, 0.8) - stats.norm.logpdf(x[:, 0])
    assert np.corrcoef(estimate(x), truth)[0, 1] > 0.9


@pytest.mark.parametrize(
    "name", ["kliep", "lsif", "relative_lsif", "ulsif", "kernel_mean_matching"]
)
def test_equal_laws_have_ratio_one(name: str) -> None:
    """The kernel methods on two samples of one law; their mean ratio over q is one."""
    rng = np.random.default_rng(2)
    p, q = rng.normal(size=(2, 400, 1))
    ratio = np.exp(estimators.ESTIMATORS[name](p, q, 0)(q))
    assert ratio.mean() == pytest.approx(1, abs=0.15)


def test_kliep_is_normalised_and_beats_every_single_kernel() -> None:
    """E_q r = 1 exactly, and the likelihood of the whole model exceeds that of its parts."""
    p, q = _samples()
    log_ratio = estimators.kliep(p, q, 0)
    assert np.exp(log_ratio(q)).mean() == pytest.approx(1, rel=1e-6)
    width = np.median(cdist(p[:100], q[:100]))
    kernels, on_q = (np.exp(-(cdist(x, p[:20]) ** 2) / (2 * width**2)) for x in (p, q))
    norms = on_q.mean(0)
    assert log_ratio(p).mean() >= np.log(kernels / norms).mean(0).max() - 1e-6


def test_cross_validation_is_that_of_refits() -> None:
    """The closed form against as many fits as there are samples, each without one of both."""
    p, q = _samples(dimension=2, count=40)
    centres, width, ridge = p[:15], 0.8, 0.05

    def kernels(x: Any) -> Any:
        return np.exp(-(cdist(x, centres) ** 2) / (2 * width**2))

    scores = []
    for i in range(40):
        on_p, on_q = (kernels(np.delete(x, i, axis=0)) for x in (p, q))
        system = on_q.T @ on_q / 39 + ridge * np.eye(15)
        model = np.maximum(np.linalg.solve(system, on_p.mean(0)), 0)
        on_x, on_y = (float((kernels(x[i : i + 1]) @ model)[0]) for x in (p, q))
        scores.append(on_y**2 / 2 - on_x)
    found = estimators.left_out(p, q, centres, width, ridge)
    assert found == pytest.approx(np.mean(scores), rel=1e-9)


def test_telescoping_reaches_where_logistic_regression_does_not() -> None:
    """Two normal laws fifty nats apart; the truth is linear. Logistic regression finds half of KL;
    the errors of a chain add up to a sixth of it, over three samples.
    """
    errors: dict[str, list[float]] = {"logistic": [], "telescoping": []}
    for seed in (3, 4, 5):
        rng = np.random.default_rng(seed)
        p, q = rng.normal(size=(2, 2000, 1))
        p = p + 10
        truth = 10 * p[:, 0] - 50
        for name, own in errors.items():
            missed = estimators.ESTIMATORS[name](p, q, 0)(p) - truth
            own.append(float(np.sqrt(np.mean(missed**2))))
    assert min(errors["logistic"]) > 20
    assert max(errors["telescoping"]) < 15
    assert np.mean(errors["telescoping"]) < 10


def test_mistakes_have_a_line(tmp_path: Path) -> None:
    text = "question: Can it be?\ntrial: {kind: ratio, estimator: logistc}\n"
    with pytest.raises(StudyError, match=r"tiny.yaml:2.*logistic"):
        load(write_study(tmp_path, text))
