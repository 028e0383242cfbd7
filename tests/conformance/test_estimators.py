"""Every estimator: its ratio against known ones, and the members against solvers of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls
from scipy.spatial.distance import cdist
from scipy.stats import norm
from tiny import trial

from ganstudy import divergences, estimators
from ganstudy.estimators import Estimator
from ganstudy.kinds.adversarial.training import train
from ganstudy.networks import Architecture, Ends, Side

Array = NDArray[np.float64]

every_estimator = pytest.mark.parametrize("cls", list(estimators.family), ids=lambda cls: cls.name)
ARCHITECTURE = Architecture()
ENDS = Ends(Side(2), Side(1))


def _gaussians(pack: int, batch: int, dimension: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples of N(0, I) and of N(1, I), in each dimension: log p/q is the sum of 1/2 - x."""
    rng = np.random.default_rng([batch, dimension])
    shape = (pack, batch, dimension)
    real, fake = rng.normal(size=shape), rng.normal(1, 1, size=shape)
    return torch.from_numpy(real).float(), torch.from_numpy(fake).float()


def _logits(estimator: Estimator, parameters: dict[str, torch.Tensor], x: Any) -> torch.Tensor:
    return estimator.apply(ARCHITECTURE, ENDS, parameters, torch.as_tensor(x).float())[..., 0]


@every_estimator
@pytest.mark.parametrize("dimension", [1, 3])
def test_parameters_and_first_values(cls: type[Estimator], dimension: int) -> None:
    """A fit gives the shapes that are announced; before the first one no sample is told apart."""
    estimator, ends = cls(centres=5), Ends(Side(dimension), Side(1))
    shapes = estimator.shapes(ARCHITECTURE, ends)
    fitted = estimator.fit(*_gaussians(3, 40, dimension))
    assert {name: value.shape[1:] for name, value in fitted.items()} == shapes
    assert all(value.shape[0] == 3 and value.dtype == torch.float32 for value in fitted.values())
    first = estimator.initialise(ARCHITECTURE, ends, np.random.default_rng(0))
    assert list(first) == list(shapes)
    start = {name: torch.from_numpy(value)[None] for name, value in first.items()}
    logits = _logits(estimator, start, 100 * torch.randn(1, 7, dimension))
    torch.testing.assert_close(logits, torch.zeros(1, 7), atol=1e-6, rtol=0)


@every_estimator
def test_ratio_has_mean_one_over_q(cls: type[Estimator]) -> None:
    """As p/q has; on the samples of the fit it is exact but for the least coefficient."""
    estimator = cls(centres=20)
    real, fake = _gaussians(2, 300)
    logits = _logits(estimator, estimator.fit(real, fake), fake)
    torch.testing.assert_close(logits.exp().mean(-1), torch.ones(2), atol=1e-3, rtol=0)


@every_estimator
def test_log_ratio_of_two_gaussians(cls: type[Estimator]) -> None:
    """Within a fifth of log p/q on samples of p, in the mean over 20 fits, and of the right slope.

    The zero function is one away, the log-ratio of p and q exchanged two.
    """
    estimator = cls.model_validate({"centres": 50, "bandwidth": 0.5})
    parameters = estimator.fit(*_gaussians(20, 1000))
    x = np.linspace(-1, 2, 31)[None, :, None].repeat(20, axis=0)
    found = _logits(estimator, parameters, x).numpy().mean(0)
    truth = norm.logpdf(x[0, :, 0]) - norm.logpdf(x[0, :, 0], 1)
    assert float(np.abs(found - truth).mean()) < 0.2
    assert np.polyfit(x[0, :, 0], found, 1)[0] == pytest.approx(-1, abs=0.2)


@every_estimator
def test_every_place_has_a_value_and_a_slope(cls: type[Estimator]) -> None:
    """A sample that no kernel reaches in float32 is pulled to the nearest centre."""
    estimator = cls(centres=10)
    parameters = estimator.fit(*_gaussians(1, 50, 2))
    x = torch.tensor([[[1e3, 0.0], [0.0, -1e3], [0.5, 0.5]]], requires_grad=True)
    logits = estimator.apply(ARCHITECTURE, ENDS, parameters, x)
    (slope,) = torch.autograd.grad(logits.sum(), x)
    assert bool(torch.isfinite(logits).all())
    assert bool(torch.isfinite(slope).all())
    assert float(slope[0, 0, 0]) < -1
    assert float(slope[0, 1, 1]) > 1


@every_estimator
def test_slopes_are_those_of_the_function(cls: type[Estimator]) -> None:
    """Against differences, in double precision: what is held fixed in the sum cancels."""
    estimator = cls(centres=10)
    fitted = estimator.fit(*_gaussians(1, 50, 2))
    parameters = {name: value.double() for name, value in fitted.items()}
    x = torch.randn(1, 6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: estimator.apply(ARCHITECTURE, ENDS, parameters, x), x.requires_grad_()
    )


@every_estimator
def test_coinciding_samples_can_be_told(cls: type[Estimator]) -> None:
    """A law at one point, and two laws at one point: finite, and the second a ratio of one."""
    estimator = cls(centres=4)
    same = torch.zeros(2, 8, 2)
    apart = torch.cat([same[:1], same[:1] + 1])
    parameters = estimator.fit(same, apart)
    for x in (same, apart, same + 3):
        assert bool(torch.isfinite(_logits(estimator, parameters, x)).all())
    logits = _logits(estimator, parameters, same)
    torch.testing.assert_close(logits[0], torch.zeros(8), atol=1e-5, rtol=0)
    assert bool((logits[1] > 1).all())


@every_estimator
def test_trials_do_not_see_each_other(cls: type[Estimator]) -> None:
    """Each trial of a pack has the fit that it has with its double, a lost neighbour or not."""
    estimator = cls(centres=8)
    real, fake = _gaussians(3, 64, 2)
    fake[1] = torch.nan
    together = estimator.fit(real, fake)
    for row in (0, 2):
        alone = estimator.fit(real[[row, row]], fake[[row, row]])
        for name, value in alone.items():
            assert torch.equal(value[0], together[name][row]), name


def _kernels(real: torch.Tensor, fake: torch.Tensor, centres: int) -> tuple[Array, Array]:
    """Kernels on p and on q by SciPy, with half the lower median distance as their width."""
    p, q = real[0].double().numpy(), fake[0].double().numpy()
    between = np.sort(cdist(p[:centres], q[:centres]).ravel())
    width = between[(len(between) - 1) // 2] / 2
    on_p, on_q = (np.exp(-(cdist(x, p[:centres]) ** 2) / (2 * width**2)) for x in (p, q))
    return on_p, on_q


ITERATIONS = (1, 3, 10, 30, 3000)


def _fits(name: str, centres: int, real: torch.Tensor, fake: torch.Tensor) -> list[Array]:
    """Coefficients after more and more steps."""
    found = []
    for iterations in ITERATIONS:
        settings = {"centres": centres, "bandwidth": 0.5, "iterations": iterations}
        own = estimators.family[name].model_validate(settings)
        found.append(own.fit(real, fake)["coefficients"][0, :, 0].double().numpy())
    return found


def test_lsif_descends_to_the_least_squares_of_scipy() -> None:
    """The loss falls with the steps, and ends where SciPy's least non-negative solution is.

    Coefficients are scaled at the end; the scale of each is undone by the best one for the loss.
    """
    real, fake = _gaussians(1, 200)
    on_p, on_q = _kernels(real, fake, 12)
    second, first = on_q.T @ on_q / 200 + 0.01 * np.eye(12), on_p.mean(0)
    root = np.linalg.cholesky(second)
    best = nnls(root.T, np.linalg.solve(root, first))[0]
    assert (best == 0).any()

    def loss(c: Array) -> float:
        return -float((first @ c) ** 2 / (c @ second @ c) / 2)

    assert loss(best) == pytest.approx(float(best @ second @ best / 2 - first @ best), rel=1e-9)
    reached = [loss(c) for c in _fits("lsif", 12, real, fake)]
    assert sorted(reached, reverse=True) == reached
    assert reached[0] - loss(best) > 1e-2
    assert reached[-1] == pytest.approx(loss(best), abs=1e-4)


def test_kliep_climbs_to_the_likelihood_of_a_general_solver() -> None:
    """E_p log r never falls with the steps of EM, and ends where SciPy's SLSQP does."""
    real, fake = _gaussians(1, 200)
    on_p, on_q = _kernels(real, fake, 6)

    def loss(c: Array) -> float:
        return -float(np.log(on_p @ c).mean())

    start = np.full(6, 1 / on_q.mean(0).sum())
    unit = {"type": "eq", "fun": lambda c: on_q.mean(0) @ c - 1}
    best = minimize(loss, start, bounds=[(0, None)] * 6, constraints=unit, tol=1e-10).fun
    reached = [loss(c) for c in _fits("kliep", 6, real, fake)]
    assert sorted(reached, reverse=True) == reached
    assert reached[0] - best > 1e-3
    assert reached[-1] == pytest.approx(best, abs=1e-4)


TRAINED = [(cls, "alternating") for cls in estimators.family]
TRAINED += [(TRAINED[-1][0], updates) for updates in ("simultaneous", "extragradient")]
"""Every estimator, and every way to take turns with one: turns know nothing of how it fits."""


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "updates"), TRAINED, ids=lambda own: getattr(own, "name", own))
def test_a_generator_finds_a_gaussian(cls: type[Estimator], updates: str) -> None:
    """An affine generator under reverse KL ends with the mean and the width of p, nearly.

    Kernels smooth p and q: widths agree within a fifth. Critics are held against log p/q as trained
    ones are; what they do not have, a gradient, is not recorded.
    """
    estimator = {"name": cls.name, "centres": 32, "bandwidth": 0.5}
    own = trial(
        divergence="reverse_kl",
        target={"name": "gaussian", "std": 0.5},
        generator={"depth": 0, "lr": 0.02},
        critic={"estimator": estimator},
        updates=updates,
        batch=256,
        steps=150,
        record={"every": 10, "samples": 2000, "metrics": ["wasserstein_1"]},
    )
    record = train([own])[0]
    assert record.status == "complete"
    assert "samples" in record.values
    assert abs(float(record.values["samples"].mean())) < 0.1
    assert float(record.values["samples"].std()) == pytest.approx(0.5, rel=0.2)
    assert "critic_gradient_norm" not in record.along("step")
    assert float(record.values["critic_error"][-5:].mean()) < 0.6


def test_slow_players_leave_an_estimator_as_it_was_fitted() -> None:
    """Between two fits there is no way: a mean of centres is no estimate of anything."""
    settings: dict[str, Any] = {
        "divergence": "reverse_kl",
        "critic": {"estimator": "kliep"},
        "batch": 128,
        "steps": 4,
        "record": {"every": 1, "samples": 50},
        "generator": {"lr": 1e-12},
    }
    fast, slow = (
        train([trial(0, updates=updates, **settings)])[0].along("step")
        for updates in ("alternating", {"name": "lookahead", "rounds": 2})
    )
    np.testing.assert_allclose(slow["critic_loss"], fast["critic_loss"], rtol=1e-4)


def test_divergences_that_take_an_estimate() -> None:
    """Classifiers, and the f-divergences whose activation makes v the log-ratio."""
    taking = {member.name for member in divergences.family if member.log_ratio}
    assert {"non_saturating", "minimax", "reverse_kl", "forward_kl", "f_gan"} <= taking
    assert not taking & {"wasserstein", "hinge", "mmd", "relativistic_average", "f_pearson"}
