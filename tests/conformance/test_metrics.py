"""Every metric: how it reads samples, whatever it measures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy

from ganstudy import metrics, targets
from ganstudy.metrics import Metric
from ganstudy.targets import Target

CLOUDS, SAMPLES = 60, 2000
LIMIT = 5.0
TARGETS = [cls() for cls in targets.family]

BIASES: dict[str, Callable[[Target], float]] = {
    "modes_covered": lambda target: 0.0,
    "high_quality": lambda target: 0.0,
    # The plug-in estimate of a KL divergence over K cells exceeds it by (K - 1)/(2 n) on average.
    "mode_kl": lambda target: (len(target.mixture().weights) - 1) / (2 * SAMPLES),
}
"""By how much the mean over finite clouds exceeds the value at equality; each metric owes one."""

every_metric = pytest.mark.parametrize("cls", list(metrics.family), ids=lambda cls: cls.name)
every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def _clouds(target: Target, count: int = CLOUDS, samples: int = SAMPLES) -> NDArray[np.float32]:
    flat = target.sample(np.random.default_rng(0), count * samples)
    return flat.reshape(count, samples, target.dimension)


def _score(values: NDArray[np.floating], expected: float) -> float:
    """Distance of a mean from its expectation, in standard errors."""
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    distance = abs(float(values.mean()) - expected)
    return distance / error if error else float(np.inf if distance > 1e-12 else 0)


@every_metric
@every_target
def test_value_of_a_perfect_generator(cls: type[Metric], target: Target) -> None:
    """The mean over clouds from the target is the stated value, up to the documented bias."""
    metric = cls()
    values = metric.compute(_clouds(target), target)
    expected = metric.reading(target).value_at_equality + BIASES[metric.name](target)
    assert _score(values, expected) < LIMIT


@every_metric
@every_target
def test_wrong_clouds_fail_the_test_of_equality(cls: type[Metric], target: Target) -> None:
    """The test of the test: a generator without one half-plane is noticed."""
    metric = cls()
    clouds = _clouds(target)
    clouds[..., 0] = np.abs(clouds[..., 0]) + target.mixture().stds.max()
    values = metric.compute(clouds, target)
    expected = metric.reading(target).value_at_equality + BIASES[metric.name](target)
    assert _score(values, expected) > LIMIT


@every_metric
@every_target
def test_order_of_samples_is_of_no_account(cls: type[Metric], target: Target) -> None:
    """A cloud is a set."""
    cloud = _clouds(target, 1, 300)[0]
    shuffled = np.random.default_rng(1).permutation(cloud)
    metric = cls()
    assert metric.compute(cloud, target) == metric.compute(shuffled, target)


@every_metric
@every_target
def test_leading_axes_are_a_loop(cls: type[Metric], target: Target) -> None:
    """A pack of clouds is measured as each cloud is alone."""
    rng = np.random.default_rng(2)
    clouds = _clouds(target, 6, 100) + 0.03 * rng.normal(size=(6, 1, 1)).astype(np.float32)
    metric = cls()
    packed = metric.compute(clouds.reshape(2, 3, 100, target.dimension), target)
    assert packed.shape == (2, 3)
    np.testing.assert_array_equal(
        packed.ravel(), [metric.compute(cloud, target) for cloud in clouds]
    )


@every_metric
@every_target
@pytest.mark.parametrize("value", [0.0, 1e3, 1e20, 3e38, np.inf, -np.inf, np.nan])
def test_bounds_hold_for_any_samples(cls: type[Metric], target: Target, value: float) -> None:
    """Samples far away or not finite are bad, never out of bounds, and never a warning."""
    metric = cls()
    reading = metric.reading(target)
    low, high = reading.bounds
    assert low <= reading.value_at_equality <= high
    cloud = _clouds(target, 1, 50)[0]
    spoilt = cloud.copy()
    spoilt[::2] = value
    for samples in (np.full_like(cloud, value), spoilt):
        measured = float(metric.compute(samples, target))
        assert low <= measured <= high


@every_metric
@every_target
@pytest.mark.parametrize("value", [1e20, np.inf, np.nan])
def test_bad_samples_do_not_help(cls: type[Metric], target: Target, value: float) -> None:
    """A cloud that is nowhere on the target has the worst value of the metric's bounds."""
    metric = cls()
    reading = metric.reading(target)
    worst = reading.bounds[0] if reading.direction == "higher" else reading.bounds[1]
    cloud = np.full((50, target.dimension), value, np.float32)
    assert float(metric.compute(cloud, target)) == pytest.approx(worst)


@every_metric
@every_target
def test_direction_points_to_the_better_generator(cls: type[Metric], target: Target) -> None:
    """A generator that has collapsed between two modes scores worse than a perfect one."""
    metric = cls()
    perfect = _clouds(target, 1)[0]
    between = np.broadcast_to(target.mixture().means[:2].mean(axis=0), perfect.shape)
    good, bad = (float(metric.compute(x, target)) for x in (perfect, between))
    assert good > bad if metric.reading(target).direction == "higher" else good < bad


@pytest.mark.parametrize("name", ["modes_covered", "mode_kl"])
@every_target
def test_collapse_to_one_mode_is_seen(name: str, target: Target) -> None:
    """The metrics of coverage read one mode as one mode."""
    mixture = target.mixture()
    rng = np.random.default_rng(3)
    noise = mixture.stds[0] * rng.normal(size=(500, target.dimension))
    cloud = (mixture.means[0] + noise).astype(np.float32)
    expected = {"modes_covered": 1.0, "mode_kl": -np.log(mixture.weights[0])}[name]
    value = float(metrics.family[name]().compute(cloud, target))
    assert value == pytest.approx(expected)


@every_target
def test_mode_kl_agrees_with_scipy(target: Target) -> None:
    """Unequal shares of the modes, all samples within reach."""
    mixture = target.mixture()
    counts = np.random.default_rng(4).integers(0, 30, len(mixture.weights))
    counts[0] = 0
    cloud = np.repeat(mixture.means, counts, axis=0).astype(np.float32)
    value = float(metrics.family["mode_kl"]().compute(cloud, target))
    assert value == pytest.approx(float(entropy(counts, mixture.weights)), rel=1e-12)


def test_modes_covered_counts_to_the_minimum() -> None:
    """A mode is covered by `minimum` samples within `radius` standard deviations, not fewer."""
    target = targets.from_config({"name": "ring", "modes": 4, "std": 0.1})
    means = target.mixture().means
    at = np.array([means[0]] * 3 + [means[1]] * 2 + [means[2] + [0.0, 0.29]] + [means[3] * 1.31])
    read = {
        (minimum, radius): float(
            metrics.family.from_config(
                {"name": "modes_covered", "minimum": minimum, "radius": radius}
            ).compute(at.astype(np.float32), target)
        )
        for minimum in (1, 2, 3)
        for radius in (2.0, 3.0, 4.0)
    }
    assert [read[m, 3.0] for m in (1, 2, 3)] == [3, 2, 1]
    assert [read[1, r] for r in (2.0, 3.0, 4.0)] == [2, 3, 4]
