"""Every metric: how it reads samples, whatever it measures."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy

from ganstudy import metrics, targets
from ganstudy.metrics import Metric, reference
from ganstudy.targets import IsotropicMixture, MixtureTarget, Target

CLOUDS, SAMPLES = 16, 300
LIMIT = 5.0
TARGETS = [targets.from_config(name) for name in ("ring", "grid", "random_mixture")]
"""Targets whose modes, densities and moments are all known."""

Excess = tuple[float, float]


def _exactly(value: float) -> Callable[[Target, Metric], Excess]:
    return lambda target, metric: (value, value)


def _plug_in(target: Target, metric: Metric) -> Excess:
    # The plug-in estimate of a KL divergence over K cells exceeds it by (K - 1)/(2 n) on average;
    # the next order is of the size of its square.
    first = (_modes(target) - 1) / (2 * SAMPLES)
    return (first * (1 - 2 * first), first * (1 + 6 * first))


def _coverage(target: Target, metric: Metric) -> Excess:
    k = metric.model_dump()["neighbours"]
    missed = np.prod([(SAMPLES - j) / (2 * SAMPLES - j) for j in range(1, k + 1)])
    return (0.5**k - missed, 0.5**k - missed)


def _self_likeness(at_equality: float) -> Excess:
    # The value at equality is one of 2,000 samples.
    likeness = (1 / at_equality - 1 / 2000) / (1 - 1 / 2000)
    expected = 1 / (1 / SAMPLES + (1 - 1 / SAMPLES) * likeness)
    return (0.98 * expected - at_equality, 1.02 * expected - at_equality)


BIASES: dict[str, Callable[[Target, Metric], Excess]] = {
    "alpha_precision": lambda target, metric: (-0.15, 0.0),
    "beta_recall": lambda target, metric: (-0.08, 0.02),
    "classifier_two_sample": _exactly(0.0),
    "clipped_coverage": lambda target, metric: (-0.05, 0.0),
    "clipped_density": lambda target, metric: (-0.05, 0.0),
    "coverage": _coverage,
    "density": _exactly(0.0),
    "energy_distance": lambda target, metric: (0.0, 0.1 * _width(target)),
    "forward_kl": lambda target, metric: (0.0, 0.05),
    "frechet_distance": lambda target, metric: (0.0, 0.05 * _width(target) ** 2),
    "gaussian_forward_kl": lambda target, metric: (0.0, 0.03),
    "high_quality": _exactly(0.0),
    "jensen_shannon": lambda target, metric: (0.0, 0.02),
    "kernel_distance": _exactly(0.0),
    "mmd": lambda target, metric: (0.0, 2 / np.sqrt(SAMPLES)),
    "mode_forward_kl": _plug_in,
    "mode_kl": _plug_in,
    "mode_shrinkage": lambda target, metric: (0.0, 0.05),
    "modes_covered": _exactly(0.0),
    "precision": lambda target, metric: (-0.08, 0.0),
    "probabilistic_precision": lambda target, metric: (-0.05, 0.05),
    "probabilistic_recall": lambda target, metric: (-0.05, 0.05),
    "recall": lambda target, metric: (-0.08, 0.0),
    "reverse_kl": lambda target, metric: (0.0, 0.4),
    "rke": lambda target, metric: _self_likeness(metric.reading(target).value_at_equality),
    "sliced_wasserstein": lambda target, metric: (0.0, 0.25 * _width(target)),
    "support_size": lambda target, metric: (0.0, 0.1 * metric.reading(target).value_at_equality),
    "symmetric_precision": lambda target, metric: (-0.08, 0.0),
    "symmetric_recall": lambda target, metric: (-0.08, 0.0),
    "vendi_score": lambda target, metric: (-0.3, 0.1),
    "wasserstein_1": lambda target, metric: (0.0, 0.25 * _width(target)),
    "wasserstein_2": lambda target, metric: (0.0, 0.5 * _width(target)),
}
"""Where the mean over finite clouds lies beside the value at equality; each metric owes this."""

RING = targets.from_config({"name": "ring", "modes": 8})

UNLABELLED = [cls for cls in metrics.family if not cls.labelled]
"""Metrics of samples alone; those that need labels cannot take the clouds that are drawn here."""

every_metric = pytest.mark.parametrize("cls", UNLABELLED, ids=lambda cls: cls.name)
every_target = pytest.mark.parametrize(
    "target",
    [
        pytest.param(own, id=own.name, marks=[pytest.mark.slow] * (own.name == "grid"))
        for own in TARGETS
    ],
)


def _mixture(target: Target) -> IsotropicMixture:
    assert isinstance(target, MixtureTarget)
    return target.mixture()


def _modes(target: Target) -> int:
    return len(_mixture(target).weights)


def _width(target: Target) -> float:
    return float(np.sqrt(np.trace(np.asarray(target.moments()[1]))))


def _clouds_of(target: Target, count: int = CLOUDS, samples: int = SAMPLES) -> NDArray[np.float32]:
    flat = target.sample(np.random.default_rng(0), count * samples)
    return flat.reshape(count, samples, target.dimension)


def _score(
    cls: type[Metric], target: Target, clouds: NDArray[np.float32], patch: pytest.MonkeyPatch
) -> float:
    """Distance of the mean over clouds from where a perfect generator's lies, in standard errors.

    Each cloud is compared with a reference of its own, whose chance would be common to all.
    """
    metric, values = cls(), []
    for seed, cloud in enumerate(clouds):
        patch.setattr(inspect.getmodule(reference), "REFERENCE_SEED", seed)
        values.append(float(metric.compute(cloud, target)))
    patch.undo()
    equality = metric.reading(target).value_at_equality
    if metric.name not in BIASES:
        assert metric.plugin, "state its bias, in BIASES"
        pytest.skip("the bias of a plug-in is stated in words alone")
    low, high = (equality + excess for excess in BIASES[metric.name](target, metric))
    mean, error = np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))
    distance = max(low - mean, mean - high, 0.0)
    return float(distance / error if error else np.inf if distance > 1e-12 else 0)


@pytest.mark.parametrize("cls", list(metrics.family), ids=lambda cls: cls.name)
def test_bias_and_cost_are_stated(cls: type[Metric]) -> None:
    """The docstring says how the sample size matters, what it costs and where it comes from."""
    for section in ("Bias    ", "Cost    ", "Source  "):
        assert section in (cls.__doc__ or "")
    costly = "at the end." in (cls.__doc__ or "")
    assert costly == (cls.at == "end")


@pytest.mark.parametrize("cls", list(metrics.family), ids=lambda cls: cls.name)
def test_datasets_say_how_to_read_it(cls: type[Metric]) -> None:
    """Attributes have the reading and, in full, the bias and the cost that the docstring states."""
    known = cls().variable(RING).attributes
    doc = " ".join((cls.__doc__ or "").split())
    for name in ("bias", "cost"):
        text = known[name]
        assert f"{name.title()} {text} " in doc
        assert text.endswith(".")
        assert not set(text.split()) & {"Maths", "Bias", "Cost", "Source"}
    assert known["direction"] in ("higher", "lower")
    assert known["role"] == "metric"
    estimated = {"forward_kl", "reverse_kl", "jensen_shannon", "mmd", "vendi_score"}
    assert bool(known["estimate"]) == (cls.name in estimated or "wasserstein_" in cls.name)


@pytest.mark.parametrize("name", ["forward_kl", "reverse_kl", "jensen_shannon"])
def test_which_densities_are_estimated_is_stated(name: str) -> None:
    metric = metrics.family[name]()
    number = metric.model_dump()["neighbours"]
    curve = targets.from_config("swiss_roll")
    exact = f"density of q by {number} neighbours, of p exact"
    assert metric.variable(RING).attributes["estimate"] == exact
    assert curve.has_density == (metric.variable(curve).attributes["estimate"] == exact)
    digits = targets.from_config("digits")
    assert metric.variable(digits).attributes["estimate"].endswith(f"of p by {number} neighbours")


@every_metric
@every_target
def test_value_of_a_perfect_generator(
    cls: type[Metric], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean over clouds from the target is the stated value, up to the documented bias."""
    assert _score(cls, target, _clouds_of(target), monkeypatch) < LIMIT


@every_metric
@every_target
def test_wrong_clouds_fail_the_test_of_equality(
    cls: type[Metric], target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test of the test: a generator of narrow modes in one half-plane, beside where they are.

    Each of the three faults is what some metric is there for, and no metric sees all of them.
    """
    clouds = _clouds_of(target)
    centres = np.asarray(target.sample(np.random.default_rng(1), 5))
    clouds = centres[np.arange(SAMPLES) % 5] + 0.1 * (clouds - clouds.mean()) * [0, 1]
    clouds[..., 0] = np.abs(clouds[..., 0]) + 0.1
    assert _score(cls, target, clouds.astype(np.float32), monkeypatch) > LIMIT


@every_metric
@every_target
def test_order_of_samples_is_of_no_account(cls: type[Metric], target: Target) -> None:
    """A cloud is a set; those of a plug-in may sum it in float32, which rounds by the order."""
    cloud = _clouds_of(target, 1, 300)[0]
    shuffled = np.random.default_rng(1).permutation(cloud)
    metric = cls()
    found = metric.compute(cloud, target)
    rounding = {"rel": 1e-4, "abs": 1e-5} if cls.plugin else {"rel": 0.0, "abs": 0.0}
    assert found == pytest.approx(metric.compute(shuffled, target), **rounding)


@every_metric
@every_target
def test_leading_axes_are_a_loop(cls: type[Metric], target: Target) -> None:
    """A pack of clouds is measured as each cloud is alone."""
    rng = np.random.default_rng(2)
    clouds = _clouds_of(target, 6, 100) + 0.03 * rng.normal(size=(6, 1, 1)).astype(np.float32)
    metric = cls()
    packed = metric.compute(clouds.reshape(2, 3, 100, target.dimension), target)
    assert packed.shape == (2, 3)
    np.testing.assert_array_equal(
        packed.ravel(), [metric.compute(cloud, target) for cloud in clouds]
    )


@every_metric
@every_target
def test_bounds_hold_for_any_samples(cls: type[Metric], target: Target) -> None:
    """Samples far away or not finite are bad, never out of bounds, and never a warning."""
    metric = cls()
    reading = metric.reading(target)
    low, high = reading.bounds
    assert low <= reading.value_at_equality <= high
    cloud = _clouds_of(target, 1, 50)[0]
    for value in (0.0, 1e3, 1e20, 3e38, np.inf, -np.inf, np.nan):
        spoilt = cloud.copy()
        spoilt[::2] = value
        for samples in (np.full_like(cloud, value), spoilt):
            measured = float(metric.compute(samples, target))
            assert low <= measured <= high, f"samples at {value}"


@every_metric
@every_target
def test_bad_samples_do_not_help(cls: type[Metric], target: Target) -> None:
    """A cloud that is nowhere has the worst value of the metric's bounds, a far one a bad one."""
    metric = cls()
    reading = metric.reading(target)
    sign = 1 if reading.direction == "higher" else -1
    worst = reading.bounds[0] if sign > 0 else reading.bounds[1]
    for value in (1e20, np.inf, np.nan):
        cloud = np.full((50, target.dimension), value, np.float32)
        measured = float(metric.compute(cloud, target))
        if not np.isfinite(value) or metric.name not in UNATTAINED:
            assert measured == pytest.approx(worst), f"samples at {value}"
        else:
            perfect = float(metric.compute(_clouds_of(target, 1, 50)[0], target))
            assert sign * measured < sign * perfect - 0.5, f"samples at {value}"


UNATTAINED = {
    "energy_distance",
    "forward_kl",
    "frechet_distance",
    "gaussian_forward_kl",
    "kernel_distance",
    "mmd",
    "sliced_wasserstein",
    "wasserstein_1",
    "wasserstein_2",
}
"""Metrics whose worst value no cloud of finite samples has."""


@every_metric
def test_a_blown_up_generator_does_not_win(cls: type[Metric]) -> None:
    """Clouds 30 and 100 times as wide as p are no better than some of p's own, whatever chance."""
    if cls.name in REWARDS_WIDTH:
        return
    metric, law = cls(), targets.from_config("gaussian")
    clouds = _clouds_of(law, 6, 200)
    sign = 1 if metric.reading(law).direction == "higher" else -1
    best = np.max(sign * metric.compute(clouds, law))
    far = np.concatenate([metric.compute(width * clouds, law) for width in (30, 100)])
    assert np.all(sign * far <= best)


REWARDS_WIDTH = {"probabilistic_recall", "recall", "rke", "support_size", "vendi_score"}
"""Metrics of diversity that noise has more of than p, as each says or `audit` does."""


@every_metric
@every_target
def test_direction_points_to_the_better_generator(cls: type[Metric], target: Target) -> None:
    """A generator that has collapsed between two modes scores worse than a perfect one."""
    metric = cls()
    perfect = _clouds_of(target, 1)[0]
    between = np.broadcast_to(_mixture(target).means[:2].mean(axis=0), perfect.shape)
    good, bad = (float(metric.compute(x, target)) for x in (perfect, between))
    assert good > bad if metric.reading(target).direction == "higher" else good < bad


@pytest.mark.parametrize("name", ["modes_covered", "mode_kl"])
@every_target
def test_collapse_to_one_mode_is_seen(name: str, target: Target) -> None:
    """The metrics of coverage read one mode as one mode."""
    mixture = _mixture(target)
    rng = np.random.default_rng(3)
    noise = mixture.stds[0] * rng.normal(size=(500, target.dimension))
    cloud = (mixture.means[0] + noise).astype(np.float32)
    expected = {"modes_covered": 1.0, "mode_kl": -np.log(mixture.weights[0])}[name]
    value = float(metrics.family[name]().compute(cloud, target))
    assert value == pytest.approx(expected)


@every_target
def test_mode_kl_agrees_with_scipy(target: Target) -> None:
    """Unequal shares of the modes, all samples within reach."""
    mixture = _mixture(target)
    counts = np.random.default_rng(4).integers(0, 30, len(mixture.weights))
    counts[0] = 0
    cloud = np.repeat(mixture.means, counts, axis=0).astype(np.float32)
    value = float(metrics.family["mode_kl"]().compute(cloud, target))
    assert value == pytest.approx(float(entropy(counts, mixture.weights)), rel=1e-12)


def test_modes_covered_counts_to_the_minimum() -> None:
    """A mode is covered by `minimum` samples within `radius` standard deviations, not fewer."""
    target = targets.from_config({"name": "ring", "modes": 4, "std": 0.1})
    means = _mixture(target).means
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


def test_modes_covered_counts_to_the_share_of_the_fair_share() -> None:
    """Of 40 samples on four modes each has ten by right; the shares here are 20, 10, 8 and 2."""
    target = targets.from_config({"name": "ring", "modes": 4, "std": 0.1})
    cloud = np.repeat(_mixture(target).means, [20, 10, 8, 2], axis=0).astype(np.float32)
    for share, expected in ((0.0, 4), (0.2, 4), (0.21, 3), (0.8, 3), (0.81, 2), (1.0, 2)):
        metric = metrics.family.from_config({"name": "modes_covered", "share": share})
        assert float(metric.compute(cloud, target)) == expected


@pytest.mark.parametrize("share", [0.5, 0.98, 1.0])
def test_modes_covered_of_a_perfect_generator_by_its_share(share: float) -> None:
    """Of p itself 98.9 % are of high quality: a mode that has to have more is covered by nobody."""
    metric = metrics.family.from_config({"name": "modes_covered", "share": share})
    cloud = RING.sample(np.random.default_rng(5), 400_000)
    assert float(metric.compute(cloud, RING)) == metric.reading(RING).value_at_equality
