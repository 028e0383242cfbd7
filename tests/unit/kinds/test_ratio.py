"""Density ratios: the truth against SciPy, the estimators against what they must find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.spatial.distance import cdist
from tiny import write_study

from ganstudy.kinds.ratio import Ratio, classifiers, estimators, least_squares
from ganstudy.kinds.ratio.claims import checks
from ganstudy.kinds.ratio.kernels import median_distance
from ganstudy.kinds.ratio.laws import LAWS
from ganstudy.kinds.ratio.least_squares import relative_ratio
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.trial import Trial


def _samples(dimension: int = 1, shift: float = 1.0, count: int = 400) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(2, count, dimension))
    return 0.8 * p + shift, q


def test_a_law_and_itself_are_refused(tmp_path: Path) -> None:
    """Their log-ratio is 0 everywhere, and no error is relative to that."""
    text = "question: Ratio?\ntrial: {kind: ratio, KEYS}\nseeds: 2\n"
    with pytest.raises(StudyError, match="shift: 0 and scale: 1"):
        load(write_study(tmp_path, text.replace("KEYS", "shift: 0, scale: 1")))
    load(write_study(tmp_path, text.replace("KEYS", "shift: 0, scale: 1.5")))
    load(write_study(tmp_path, text.replace("KEYS", "laws: mixture_and_student, shift: 0")))


def test_an_error_that_is_no_number_holds_no_claim() -> None:
    """It is shown as one that was not checked."""
    neural, nothing = Ratio(estimator="neural"), (np.nan, np.nan, np.nan)
    found = checks(neural, _samples(dimension=2)[0], nothing, nothing)
    for name in ("gradients_worse", "worse_out_of_sample"):
        assert np.isnan(found[name][0]), name


@pytest.mark.filterwarnings("ignore:invalid value encountered in logaddexp")
def test_an_error_that_is_no_number_has_a_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """By which it is told from that of a claim that the trial cannot check."""

    def lost(*_: Any) -> Any:
        return lambda x: np.full(len(x), np.nan)

    monkeypatch.setitem(estimators.ESTIMATORS, "neural", lost)
    neural = Ratio(estimator="neural")
    (record,) = neural.train([Trial(neural, 0)])
    for name in ("gradients_worse", "worse_out_of_sample"):
        assert np.isnan(record.values[name][-1]), name
        assert record.values[f"{name}_tolerance"][-1] == 0, name


def test_the_truth_is_that_of_scipy() -> None:
    """Of normal laws: the log-ratio, and KL by quadrature in one dimension."""
    laws = Ratio(dimension=3).pair
    x = np.random.default_rng(1).normal(size=(20, 3))
    mean = np.full(3, 1 / np.sqrt(3))
    p = stats.multivariate_normal(mean, 0.64 * np.eye(3))
    q = stats.multivariate_normal(np.zeros(3), np.eye(3))
    np.testing.assert_allclose(laws.log_ratio(x), p.logpdf(x) - q.logpdf(x), rtol=1e-10)
    law = stats.norm(1, 0.8)
    expected = law.expect(lambda v: law.logpdf(v) - stats.norm.logpdf(v))
    assert Ratio(dimension=1).pair.kl == pytest.approx(expected, rel=1e-8)


def _mixture_and_student(laws: Any, x: Any) -> Any:
    """Log-densities by SciPy."""
    covariance = laws.scale**2 * np.eye(laws.dimension)
    modes = [stats.multivariate_normal(s * laws.mean, covariance).logpdf(x) for s in (-1, 1)]
    student = stats.multivariate_t(np.zeros(laws.dimension), np.eye(laws.dimension), 5)
    return np.logaddexp(*modes) - np.log(2), student.logpdf(x)


@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_the_truth_of_mixture_and_student_is_that_of_scipy(dimension: int) -> None:
    """The log-ratio, KL within five standard errors, and samples with the moments of the laws."""
    laws = Ratio(laws="mixture_and_student", dimension=dimension, shift=2.0, scale=0.5).pair
    p, q = laws.samples(40_000, np.random.default_rng(2))
    of_p, of_q = _mixture_and_student(laws, p)
    np.testing.assert_allclose(laws.log_ratio(p), of_p - of_q, rtol=1e-9, atol=1e-9)
    error = float((of_p - of_q).std() / np.sqrt(len(p)))
    assert laws.kl == pytest.approx(float((of_p - of_q).mean()), abs=5 * error)
    for sample, second in ((p, 4 + 0.25 * dimension), (q, 5 / 3 * dimension)):
        squares = (sample**2).sum(-1)
        error = float(squares.std() / np.sqrt(len(squares)))
        assert squares.mean() == pytest.approx(second, abs=5 * error)
        assert np.abs(sample.mean(0)).max() < 5 * sample.std() / np.sqrt(len(sample))


@pytest.mark.parametrize("laws", list(LAWS))
def test_kl_and_gradient_of_the_truth(laws: Any) -> None:
    """KL by SciPy's quadrature on the line; the gradient by differences of the log-ratio."""
    line = Ratio(laws=laws, dimension=1, shift=2.0, scale=0.5).pair
    p = stats.norm(2, 0.5).pdf

    def integrand(v: float) -> float:
        # Both modes have the same KL, and where there is one mode it is this.
        return float(p(v) * line.log_ratio(np.array([[v]]))[0])

    assert line.kl == pytest.approx(quad(integrand, -4, 8)[0], rel=1e-8)
    many = Ratio(laws=laws, dimension=3).pair
    x, h = np.random.default_rng(1).normal(size=(20, 3)), 1e-6
    slopes = [(many.log_ratio(x + h * e) - many.log_ratio(x - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(many.gradient(x), np.stack(slopes, -1), atol=1e-7)


@pytest.mark.parametrize("name", list(estimators.ESTIMATORS))
def test_estimates_follow_the_truth(name: str) -> None:
    """In one dimension, where both laws have mass, every estimator correlates with log p/q."""
    p, q = _samples()
    estimate = estimators.ESTIMATORS[name](p, q, 0)
    x = np.linspace(-1, 2, 60)[:, None]
    truth = stats.norm.logpdf(x[:, 0], 1, 0.8) - stats.norm.logpdf(x[:, 0])
    assert np.corrcoef(estimate(x), truth)[0, 1] > 0.9


@pytest.mark.parametrize("name", ["kliep", "lsif", "ulsif", "rulsif", "kernel_mean_matching"])
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


@pytest.mark.parametrize("relative", [0.0, 0.1, 0.5])
def test_cross_validation_is_that_of_refits(relative: float) -> None:
    """The closed form against as many fits as there are samples, each without one of both."""
    p, q = _samples(dimension=2, count=40)
    centres, width, ridge = p[:15], 0.8, 0.05

    def kernels(x: Any) -> Any:
        return np.exp(-(cdist(x, centres) ** 2) / (2 * width**2))

    scores = []
    for i in range(40):
        on_p, on_q = (kernels(np.delete(x, i, axis=0)) for x in (p, q))
        second = (relative * on_p.T @ on_p + (1 - relative) * on_q.T @ on_q) / 39
        model = np.maximum(np.linalg.solve(second + ridge * np.eye(15), on_p.mean(0)), 0)
        on_x, on_y = (float((kernels(x[i : i + 1]) @ model)[0]) for x in (p, q))
        scores.append(relative * on_x**2 / 2 + (1 - relative) * on_y**2 / 2 - on_x)
    found = least_squares.left_out(p, q, centres, width, ridge, relative)
    assert found == pytest.approx(np.mean(scores), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("relative", [0.1, 0.5])
def test_relative_ratio_is_that_of_the_laws(relative: float) -> None:
    """p/(a p + (1 - a) q) of two normal laws, and the relative Pearson divergence, by quadrature:
    what Yamada et al. estimate.
    """
    laws, x = Ratio(dimension=1).pair, np.linspace(-6, 7, 2000)[:, None]
    p, q = stats.norm.pdf(x[:, 0], 1, 0.8), stats.norm.pdf(x[:, 0])
    mixture = relative * p + (1 - relative) * q
    true = p / mixture
    pearson = np.trapezoid(mixture * (true - 1) ** 2, x[:, 0]) / 2
    for seed in range(2):
        found = relative_ratio(*laws.samples(500, np.random.default_rng(seed)), relative)(x)
        missed = np.sqrt(np.trapezoid(mixture * (found - true) ** 2, x[:, 0]))
        # The best constant is off by the root of twice the divergence.
        assert missed < 0.4 * np.sqrt(2 * pearson)
        estimate = np.trapezoid(p * found - mixture * found**2 / 2, x[:, 0]) - 0.5
        assert estimate == pytest.approx(pearson, abs=0.03)


@pytest.mark.slow
def test_ulsif_in_five_dimensions_is_that_of_its_grid() -> None:
    """The log-ratio's error hangs on the widths that cross-validation is offered: it minimises the
    ratio's own error, and cannot tell apart what the logarithm does. The grid of the package
    `densratio` 0.4.0, nine half-decades from 0.001 for widths and ridges, finds 0.35 here, as it
    does; that of widths a factor of two apart which we had, 0.7; ours, 0.5.
    """
    half_decades = tuple(10 ** np.linspace(-3, 1, 9))
    laws, errors = Ratio(dimension=5).pair, []
    for seed in range(3):
        stream = np.random.default_rng(seed)
        p, q = laws.samples(400, stream)
        x = np.concatenate(laws.samples(400, stream))
        truth, median = laws.log_ratio(x), median_distance(p, q)
        grids = (
            (tuple(width / median for width in half_decades), half_decades),
            ((0.1, 0.2, 0.5, 1.0, 2.0), least_squares.RIDGES),
            (least_squares.WIDTHS, least_squares.RIDGES),
        )
        ratios = [relative_ratio(p, q, 0.0, *grid)(x) for grid in grids]
        missed = [np.log(np.maximum(ratio, 1e-6)) - truth for ratio in ratios]
        errors.append([float(np.sqrt(np.mean(m**2) / truth.var())) for m in missed])
    package, coarse, own = np.mean(errors, axis=0)
    assert package == pytest.approx(0.35, abs=0.05)
    assert own < 0.6 < coarse


def test_chains_and_paths_reach_where_logistic_regression_does_not() -> None:
    """Two normal laws fifty nats apart; the truth is linear. Logistic regression finds half of KL;
    the errors of a chain of laws, or of scores along a path of them, add up to a sixth and a
    quarter of it at most, over three samples.
    """
    names = ("logistic", "telescoping", "dre_infinity")
    errors: dict[str, list[float]] = {name: [] for name in names}
    for seed in (3, 4, 5):
        rng = np.random.default_rng(seed)
        p, q = rng.normal(size=(2, 2000, 1))
        p = p + 10
        truth = 10 * p[:, 0] - 50
        for name, own in errors.items():
            missed = estimators.ESTIMATORS[name](p, q, 0)(p) - truth
            own.append(float(np.sqrt(np.mean(missed**2))))
    assert min(errors["logistic"]) > 20
    assert max(errors["telescoping"] + errors["dre_infinity"]) < 15
    assert all(np.mean(errors[name]) < 10 for name in names[1:])


def test_time_scores_of_normal_laws_integrate_to_their_ratio() -> None:
    """With the first two moments of samples set to those of the laws, what is left are their fourth
    moments and the polynomial in time. The log-ratio spans three nats here.
    """
    rng = np.random.default_rng(0)
    both = rng.normal(size=(4000, 2))
    both = both - both.mean(0)
    # Mirrored: no third moments, and the cross moments of both samples vanish.
    both = np.concatenate([both, -both, both * [1, -1], both * [-1, 1]])
    both /= both.std(0)
    p, q = 0.8 * both[:, :1] + 1, both[:, 1:]
    x = np.linspace(-1, 2, 30)[:, None]
    found = classifiers.dre_infinity(p, q, 0)(x)
    np.testing.assert_allclose(found, Ratio(dimension=1).pair.log_ratio(x), atol=0.05)


def test_mistakes_have_a_line(tmp_path: Path) -> None:
    text = "question: Can it be?\ntrial: {kind: ratio, estimator: logistc}\n"
    with pytest.raises(StudyError, match=r"tiny.yaml:2.*logistic"):
        load(write_study(tmp_path, text))
