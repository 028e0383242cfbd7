"""Every target: its samples against the truths it states."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import chisquare, multivariate_normal
from tiny import variants

from ganstudy import targets
from ganstudy.targets import Target

Array = NDArray[np.float64]

COUNT = 20_000
LIMIT = 5.0
"""Standard errors; a few dozen scores exceed it by chance once in 10^5 choices of the seed."""

TARGETS: list[Target] = [cls() for cls in targets.family]
TARGETS += [variant for cls in targets.family for variant in variants(cls, 1)]
TARGETS += [
    targets.from_config({"name": "ring", "modes": 1}),
    targets.from_config({"name": "ring", "modes": 5, "std": 0.3}),
    targets.from_config({"name": "grid", "side": 2, "std": 0.5}),
]

every_target = pytest.mark.parametrize("target", TARGETS, ids=repr)


def _sample(target: Target, seed: int = 0) -> Array:
    return target.sample(np.random.default_rng(seed), COUNT).astype(np.float64)


def _moment_score(sample: Array, target: Target) -> float:
    """The worst of the first two moments, in standard errors."""
    mean, covariance = np.asarray(target.mean()), np.asarray(target.covariance())
    root = np.sqrt(len(sample))
    first = (sample.mean(axis=0) - mean) / (np.sqrt(np.diag(covariance)) / root)
    centred = sample - mean
    products = centred[:, :, None] * centred[:, None, :]
    second = (products.mean(axis=0) - covariance) / (products.std(axis=0) / root)
    return float(max(np.abs(first).max(), np.abs(second).max()))


def _mode_counts(sample: Array, target: Target) -> NDArray[np.int64]:
    """How many samples belong to each mode, by likelihood."""
    mixture = target.mixture()
    scores = [
        np.log(weight) + multivariate_normal(mean, std**2).logpdf(sample)
        for weight, mean, std in zip(mixture.weights, mixture.means, mixture.stds, strict=True)
    ]
    return np.bincount(np.argmax(scores, axis=0), minlength=len(mixture.weights))


@every_target
def test_moments_are_those_stated(target: Target) -> None:
    """Mean and covariance within five standard errors."""
    assert _moment_score(_sample(target), target) < LIMIT


@every_target
def test_wrong_samples_fail_the_test_of_moments(target: Target) -> None:
    """The test of the test: a tenth of a standard deviation off, or a tenth too wide."""
    sample = _sample(target)
    spread = np.sqrt(np.diag(np.asarray(target.covariance())))
    assert _moment_score(sample + 0.1 * spread, target) > LIMIT
    centre = np.asarray(target.mean())
    assert _moment_score(centre + 1.1 * (sample - centre), target) > LIMIT


@every_target
def test_density_integrates_to_one(target: Target) -> None:
    """Quadrature in the plane; importance sampling from a widened target in other dimensions."""
    mixture = target.mixture()
    if target.dimension == 2:
        # A trapezoid rule with step s/2 integrates Gaussians of width s to machine precision.
        step = float(mixture.stds.min()) / 2
        low, high = mixture.means.min() - 20 * step, mixture.means.max() + 20 * step
        ticks = np.arange(low, high, step)
        total = 0.0
        for x in ticks:
            line = np.stack([np.full_like(ticks, x), ticks], axis=-1)
            total += float(np.exp(target.log_prob(line)).sum()) * step**2
        assert total == pytest.approx(1, abs=1e-6)
        return
    rng = np.random.default_rng(0)
    mode = rng.choice(len(mixture.weights), COUNT, p=mixture.weights)
    noise = 1.5 * mixture.stds[mode, None] * rng.standard_normal((COUNT, target.dimension))
    x = mixture.means[mode] + noise
    log_proposal = logsumexp(
        [
            np.log(w) + multivariate_normal(m, (1.5 * s) ** 2).logpdf(x)
            for w, m, s in zip(mixture.weights, mixture.means, mixture.stds, strict=True)
        ],
        axis=0,
    )
    ratio = np.exp(target.log_prob(x) - log_proposal)
    assert abs(ratio.mean() - 1) < LIMIT * ratio.std() / np.sqrt(COUNT)


@every_target
def test_density_is_that_of_the_stated_mixture(target: Target) -> None:
    """log_prob against scipy, on samples and far away, where a naive density underflows."""
    mixture = target.mixture()
    rng = np.random.default_rng(1)
    x = np.concatenate([_sample(target)[:200], 5 * rng.normal(size=(200, target.dimension))])
    expected = logsumexp(
        [
            np.log(w) + multivariate_normal(m, s**2).logpdf(x)
            for w, m, s in zip(mixture.weights, mixture.means, mixture.stds, strict=True)
        ],
        axis=0,
    )
    np.testing.assert_allclose(target.log_prob(x), expected, rtol=1e-9)
    folded = target.log_prob(x.reshape(4, -1, target.dimension))
    np.testing.assert_array_equal(folded.ravel(), target.log_prob(x))


@every_target
def test_every_mode_is_reached_in_proportion(target: Target) -> None:
    """Chi-square of the modes' counts under their weights."""
    mixture = target.mixture()
    assert mixture.weights.sum() == pytest.approx(1, abs=1e-12)
    counts = _mode_counts(_sample(target), target)
    assert counts.min() > 0
    gap = np.inf if len(counts) == 1 else _gap(np.asarray(mixture.means, np.float64))
    if 8 * mixture.stds.max() < gap < np.inf:
        assert chisquare(counts, COUNT * mixture.weights).pvalue > 1e-6


def _gap(means: Array) -> float:
    distance = np.linalg.norm(means[:, None] - means[None], axis=-1)
    return float(distance[~np.eye(len(means), dtype=bool)].min())


@pytest.mark.parametrize("cls", list(targets.family), ids=lambda cls: cls.name)
def test_a_lost_mode_fails_the_test_of_modes(cls: type[Target]) -> None:
    """The test of the test: a tenth of one mode moved to another."""
    target = cls()
    weights = target.mixture().weights
    counts = _mode_counts(_sample(target), target)
    counts[0], counts[1] = counts[0] * 1.4, counts[1] - counts[0] * 0.4
    assert chisquare(counts, counts.sum() * weights).pvalue < 1e-6


@every_target
def test_samples_follow_the_stream_alone(target: Target) -> None:
    """Equal generators give equal samples; the state is all there is, and dtype is float32."""
    first, again, other = (target.sample(np.random.default_rng(s), 50) for s in (3, 3, 4))
    assert first.dtype == np.float32
    assert first.shape == (50, target.dimension)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.asarray(target.mean()).shape == (target.dimension,)
    assert np.asarray(target.covariance()).shape == (target.dimension, target.dimension)


def test_grid_has_twenty_five_modes_two_apart() -> None:
    """The lattice of the literature: side 5, spacing 2, centred, std 0.05."""
    mixture = targets.from_config("grid").mixture()
    expected = {(float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}
    assert {(float(x), float(y)) for x, y in mixture.means} == expected
    np.testing.assert_array_equal(mixture.stds, 0.05)


def test_ring_has_eight_modes_on_the_unit_circle() -> None:
    """Neighbours stand 45 degrees apart."""
    means = targets.from_config("ring").mixture().means
    angles = np.sort(np.degrees(np.arctan2(means[:, 1], means[:, 0])) % 360)
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1.0)
    np.testing.assert_allclose(np.diff(angles), 45.0)
