"""Metrics against implementations that are not ours, and against closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import ot
import pytest
from numpy.typing import NDArray
from prdc import compute_prdc
from scipy.special import betaln, binom
from scipy.stats import energy_distance
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier

from ganstudy import metrics, targets
from ganstudy.kinds.audit.cloud import Cloud
from ganstudy.metrics import Metric, reference, shuffled, typical_distance
from ganstudy.targets import Target

Array = NDArray[np.float64]

SAMPLES = 300
RING = targets.from_config({"name": "ring", "modes": 8, "std": 0.1})
GAUSSIAN = targets.from_config({"name": "ring", "modes": 1, "radius": 1.0, "std": 0.5})


def metric(name: str, **settings: Any) -> Metric:
    return metrics.family.from_config({"name": name, **settings})


def value(name: str, cloud: Array, target: Target, **settings: Any) -> float:
    return float(metric(name, **settings).compute(cloud, target))


@pytest.fixture(scope="module")
def cloud() -> Array:
    """A poor generator: six of the eight modes, too wide and beside their places."""
    rng = np.random.default_rng(5)
    return RING.sample(rng, 400)[:SAMPLES].astype(np.float64) * [0.9, 1.1] + 0.1 * rng.normal(
        size=(SAMPLES, 2)
    )


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_precision_recall_density_coverage_as_published(cloud: Array, neighbours: int) -> None:
    published = compute_prdc(reference(RING, SAMPLES), cloud, neighbours)
    for name, expected in published.items():
        assert value(name, cloud, RING, neighbours=neighbours) == pytest.approx(expected, rel=1e-9)


def _distances(one: Array, other: Array) -> Array:
    return np.asarray(np.sqrt(((one[:, None] - other) ** 2).sum(-1)))


def _to_kth(cloud: Array, k: int) -> Array:
    """Distance to the k-th other sample: the sample itself comes first."""
    return np.asarray(np.sort(_distances(cloud, cloud))[:, k])


def test_clipped_density_as_published(cloud: Array) -> None:
    """Counts by sample, with balls cut at the median, over those of p among itself."""
    real, k = reference(RING, SAMPLES), 5
    reach = np.minimum(_to_kth(real, k), np.median(_to_kth(real, k)))
    of_cloud = (_distances(real, cloud) <= reach[:, None]).sum(0) / k
    of_real = ((_distances(real, real) <= reach[:, None]).sum(0) - 1) / k
    expected = np.clip(of_cloud, 0, 1).mean() / np.clip(of_real, 0, 1).mean()
    assert value("clipped_density", cloud, RING) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shifts", [(0.0,), (0.0, 0.05)])
def test_clipped_coverage_as_published(cloud: Array, shifts: tuple[float, ...]) -> None:
    """The expected count is a sum over beta functions, as the paper has it; the inverse a table.

    Its length is the number of samples of q, whatever that of p is.
    """
    cloud = np.concatenate([cloud + shift for shift in shifts])
    real, k, n, m = reference(RING, SAMPLES), 5, SAMPLES, len(cloud)
    inside = _distances(real, cloud) < _to_kth(real, k)[:, None]
    covered = np.minimum(inside.sum(1), k).mean() / k
    expected = np.zeros(m + 1)
    for good in range(k, m + 1):
        j = np.arange(good + 1)
        chance = binom(good, j) * np.exp(betaln(k + j, n - k + good - j) - betaln(k, n - k))
        expected[good] = (np.minimum(j, k) * chance).sum() / k
    share = np.searchsorted(expected, covered) / len(expected)
    assert value("clipped_coverage", cloud, Cloud.of(real)) == pytest.approx(share, abs=1.5 / m)
    assert 0.2 < share < 0.9


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_clipped_metrics_are_shares_of_good_samples(share: float) -> None:
    """What they are made for: bad samples lower both by their share."""
    rng, n = np.random.default_rng(8), 2000
    samples = RING.sample(rng, n).astype(np.float64)
    samples[: int(share * n)] += 50.0
    for name in ("clipped_density", "clipped_coverage"):
        assert value(name, samples, RING) == pytest.approx(1 - share, abs=0.04)


@pytest.mark.parametrize(("samples", "share"), [(100, 0.0), (100, 0.5), (5000, 0.8)])
def test_clipped_coverage_counts_good_samples_among_any_number(samples: int, share: float) -> None:
    """A tenth as many samples of p itself had a tenth of it, and many poor ones all."""
    rng = np.random.default_rng(8)
    real, cloud = (RING.sample(rng, count).astype(np.float64) for count in (1000, samples))
    cloud[: int(share * samples)] += 50.0
    found = value("clipped_coverage", cloud, Cloud.of(real))
    assert found == pytest.approx(1 - share, abs=0.06)


def test_symmetric_metrics_as_published(cloud: Array) -> None:
    real, k = reference(RING, SAMPLES), 5
    apart = _distances(real, cloud)
    by_real, by_cloud = apart <= _to_kth(real, k)[:, None], apart <= _to_kth(cloud, k)
    precision = min(by_real.any(0).mean(), by_cloud.any(0).mean())
    recall = min(by_cloud.any(1).mean(), by_real.any(1).mean())
    assert value("symmetric_precision", cloud, RING) == pytest.approx(precision, rel=1e-12)
    assert value("symmetric_recall", cloud, RING) == pytest.approx(recall, rel=1e-12)


def test_symmetric_precision_sees_a_shell_within_a_shell() -> None:
    """In many dimensions precision takes a smaller sphere for a part of p; the complement not."""
    law = targets.from_config({"name": "gaussian", "mean": [0.0] * 20})
    inner = 0.6 * law.sample(np.random.default_rng(2), 1000).astype(np.float64)
    outer = 1.6 * law.sample(np.random.default_rng(3), 1000).astype(np.float64)
    assert value("precision", inner, law, neighbours=5) > 0.95
    assert value("precision", outer, law, neighbours=5) < 0.1
    assert value("symmetric_precision", outer, law) < 0.1
    assert value("symmetric_precision", inner, law) < 0.1


def test_probabilistic_metrics_as_published(cloud: Array) -> None:
    real, k, a = reference(RING, SAMPLES), 4, 1.2
    for name, centres, points in (
        ("probabilistic_precision", real, cloud),
        ("probabilistic_recall", cloud, real),
    ):
        reach = a * _to_kth(centres, k).mean()
        apart = _distances(centres, points)
        vouched = np.where(apart < reach, 1 - apart / reach, 0.0)
        expected = (1 - np.prod(1 - vouched, axis=0)).mean()
        assert value(name, cloud, RING) == pytest.approx(expected, rel=1e-12)


def test_alpha_precision_and_beta_recall_as_published(cloud: Array) -> None:
    real, levels = reference(RING, SAMPLES), np.linspace(0, 1, 30)
    outwards = np.linalg.norm(real - real.mean(0), axis=1)
    of_cloud = np.linalg.norm(cloud - real.mean(0), axis=1)
    nearest = _distances(real, cloud)
    chosen = np.linalg.norm(cloud[nearest.argmin(1)] - cloud.mean(0), axis=1)
    nearer = nearest.min(1) <= _to_kth(real, 1)
    sums = np.zeros(2)
    for level in levels:
        precision = (of_cloud <= np.quantile(outwards, level)).mean()
        recall = (nearer & (chosen <= np.quantile(chosen, level))).mean()
        sums += np.abs(level - np.array([precision, recall])) / 29
    expected = 1 - 2 * sums
    assert value("alpha_precision", cloud, RING) == pytest.approx(expected[0], rel=1e-9)
    assert value("beta_recall", cloud, RING) == pytest.approx(expected[1], rel=1e-9)


def test_beta_recall_of_p_is_a_half_and_of_its_samples_one() -> None:
    """A sample of q is nearer than one of p with chance n/(2n - 1), in each central part."""
    n = 4000
    samples = RING.sample(np.random.default_rng(4), n).astype(np.float64)
    # A standard error of a share of n, as the integral weighs it; and a thirtieth of the sum.
    assert value("beta_recall", samples, RING) == pytest.approx(0.5, abs=4 / np.sqrt(n) + 0.02)
    assert value("beta_recall", reference(RING, n), RING) > 0.95


def test_rke_of_narrow_modes_is_the_inverse_of_their_shares_squared() -> None:
    """m modes far apart: 1/sum of w^2; and the order-2 entropy of eigenvalues anywhere."""
    target = targets.from_config({"name": "grid", "side": 2, "spacing": 50.0, "std": 0.01})
    cloud = target.sample(np.random.default_rng(1), 400).astype(np.float64)
    corners = np.unique(cloud > 0, axis=0, return_counts=True)[1] / 400
    assert value("rke", cloud, target) == pytest.approx(1 / (corners**2).sum(), rel=1e-4)
    wide = RING.sample(np.random.default_rng(1), 200).astype(np.float64)
    scale = 0.25 * typical_distance(reference(RING, 1000, block=1))
    kernel = rbf_kernel(wide, gamma=1 / (2 * scale**2))
    shares = np.linalg.eigvalsh(kernel / len(wide))
    assert value("rke", wide, RING) == pytest.approx(1 / (shares**2).sum(), rel=1e-9)


@pytest.mark.parametrize("order", [1, 2])
def test_wasserstein_as_in_pot(cloud: Array, order: int) -> None:
    real = reference(RING, SAMPLES)
    prices = ot.dist(cloud, real, metric="euclidean") ** order
    exact = ot.emd2(np.empty(0), np.empty(0), prices) ** (1 / order)
    assert value(f"wasserstein_{order}", cloud, RING) == pytest.approx(exact, rel=1e-6)


def test_sliced_wasserstein_as_in_pot(cloud: Array) -> None:
    sliced = metrics.family["sliced_wasserstein"]()
    directions = sliced.projections(2)  # type: ignore[attr-defined]
    exact = ot.sliced_wasserstein_distance(cloud, reference(RING, SAMPLES), projections=directions)
    assert value("sliced_wasserstein", cloud, RING) == pytest.approx(float(exact), rel=1e-9)


def test_distances_of_a_shift() -> None:
    """Carrying a law along a vector costs its length; along directions, length / sqrt(d)."""
    shifted = reference(RING, SAMPLES) + np.array([3.0, 4.0])
    assert value("wasserstein_1", shifted, RING) == pytest.approx(5.0, rel=1e-9)
    assert value("wasserstein_2", shifted, RING) == pytest.approx(5.0, rel=1e-9)
    sliced = value("sliced_wasserstein", shifted, RING, directions=4000)
    assert sliced == pytest.approx(5 / math.sqrt(2), rel=0.02)


def test_energy_distance_as_in_scipy_along_a_line(cloud: Array) -> None:
    """SciPy's is of one feature: clouds on a line in the plane have the same distances."""

    class Line(targets.Target):
        @property
        def dimension(self) -> int:
            return 2

        def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
            return np.stack([rng.normal(size=count), np.zeros(count)], axis=1).astype(np.float32)

        def moments(self) -> tuple[Array, Array]:
            return np.zeros(2), np.diag([1.0, 0.0])

    flat = cloud * [1.0, 0.0]
    expected = energy_distance(flat[:, 0], reference(Line(), SAMPLES)[:, 0])
    assert value("energy_distance", flat, Line()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("bandwidth", [0.1, 0.25, 1.0])
def test_mmd_with_the_kernel_of_scikit_learn(cloud: Array, bandwidth: float) -> None:
    real = reference(RING, SAMPLES)
    gamma = 0.5 / (bandwidth * typical_distance(real)) ** 2
    both = np.concatenate([cloud, real])
    sign = np.repeat([1.0, -1.0], SAMPLES) / SAMPLES
    expected = math.sqrt(sign @ rbf_kernel(both, both, gamma=gamma) @ sign)
    assert value("mmd", cloud, RING, bandwidth=bandwidth) == pytest.approx(expected, rel=1e-6)


def test_classifier_as_in_scikit_learn(cloud: Array) -> None:
    real, fake = reference(RING, SAMPLES), shuffled(cloud)
    half = SAMPLES // 2
    labels = np.repeat([0, 1], half)
    known, asked = (
        np.concatenate([real[part], fake[part]]) for part in (slice(half), slice(half, None))
    )
    classifier = KNeighborsClassifier(n_neighbors=17).fit(known, labels)
    expected = float(classifier.score(asked, labels))
    assert 0.5 < expected < 1
    assert value("classifier_two_sample", cloud, RING) == pytest.approx(expected)


def gaussian_kl(shift: float, ratio: float) -> float:
    """KL(N(m + shift, (ratio s)^2 I) || N(m, s^2 I)) in the plane, s = 1/2."""
    return ratio**2 - 1 - 2 * math.log(ratio) + (shift / 0.5) ** 2 / 2


@pytest.mark.parametrize(("shift", "ratio"), [(0.5, 1.0), (0.0, 1.2), (0.4, 1.4)])
def test_kl_divergences_of_gaussians(shift: float, ratio: float) -> None:
    """Within 0.1 nat of the closed forms with 4,000 samples; the two directions differ by more."""
    rng = np.random.default_rng(6)
    centred = GAUSSIAN.sample(rng, 4000).astype(np.float64) - np.asarray(GAUSSIAN.moments()[0])
    fake = centred * ratio + np.asarray(GAUSSIAN.moments()[0]) + [shift, 0.0]
    forward = gaussian_kl(shift / ratio, 1 / ratio)
    assert value("reverse_kl", fake, GAUSSIAN) == pytest.approx(gaussian_kl(shift, ratio), abs=0.1)
    assert value("forward_kl", fake, GAUSSIAN) == pytest.approx(forward, abs=0.1)


@pytest.mark.parametrize(("features", "found"), [(2, 0.5), (4, 0.2)])
def test_forward_kl_falls_short_where_the_generator_is_narrow(features: int, found: float) -> None:
    """The stated bias with 2,000 samples: half of the divergence is lost, and more in more."""
    law = targets.from_config({"name": "gaussian", "mean": [0.0] * features, "std": 0.5})
    fake = 0.6 * law.sample(np.random.default_rng(6), 2000)
    share = value("forward_kl", fake, law) / (gaussian_kl(0.0, 1 / 0.6) * features / 2)
    assert share == pytest.approx(found, abs=0.05)


def test_kl_without_a_density_is_estimated_by_neighbours() -> None:
    class Sampled(targets.family["ring"]):  # type: ignore[misc]
        @property
        def has_density(self) -> bool:
            return False

    target = Sampled(modes=1, radius=1.0, std=0.5)
    fake = GAUSSIAN.sample(np.random.default_rng(7), 4000) + np.float32([0.5, 0.0])
    for name in ("forward_kl", "reverse_kl"):
        assert value(name, fake, target) == pytest.approx(gaussian_kl(0.5, 1.0), abs=0.1)
        assert value(name, fake, target) != value(name, fake, GAUSSIAN)


@pytest.mark.parametrize("shift", [0.25, 0.5, 1.0, 3.0])
def test_jensen_shannon_of_gaussians(shift: float) -> None:
    """By quadrature over the shift; along the other feature the laws are equal."""
    x = np.linspace(-8, 8, 20001)
    p, q = (np.exp(-((x - m) ** 2) / 0.5) / math.sqrt(0.5 * math.pi) for m in (0.0, shift))
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(law > 0, law * np.log(law / middle), 0) for law in (p, q)]
    expected = float(np.trapezoid(sum(terms), x) / 2)
    fake = GAUSSIAN.sample(np.random.default_rng(8), 4000) + np.float32([shift, 0.0])
    assert value("jensen_shannon", fake, GAUSSIAN) == pytest.approx(expected, abs=0.025)


def test_vendi_score_of_groups_is_their_number() -> None:
    """Equal groups of identical samples, far apart: as many as groups; unequal: exp(entropy)."""
    far = 1000 * np.arange(5)[:, None] * np.ones(2)
    assert value("vendi_score", np.repeat(far, 20, axis=0), RING) == pytest.approx(5, rel=1e-9)
    shares = np.array([40, 30, 20, 9, 1]) / 100
    unequal = np.repeat(far, (100 * shares).astype(int), axis=0)
    expected = math.exp(-(shares * np.log(shares)).sum())
    assert value("vendi_score", unequal, RING) == pytest.approx(expected, rel=1e-9)


def test_support_size_of_points_and_of_a_mixture() -> None:
    rng = np.random.default_rng(9)
    points = 1000 * np.arange(50)[rng.integers(50, size=4000), None] * np.ones(2)
    assert value("support_size", points, RING) == pytest.approx(50, rel=0.02)
    # Two samples of one mode are at a distance of Rayleigh's law; those of two modes never meet.
    scale = typical_distance(reference(RING, 1000, block=1))
    within = 0.02 * scale
    expected = 8 / -math.expm1(-((within / 0.1) ** 2) / 4)
    fresh = RING.sample(rng, 8000)
    assert value("support_size", fresh, RING, resolution=0.02) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("ratio", "expected"), [(1.0, 0.0), (0.5, 0.5), (0.8, 0.2)])
def test_mode_shrinkage_is_the_share_of_width_that_is_lost(ratio: float, expected: float) -> None:
    """With a radius of 10 nothing is cut off; modes are far apart."""
    ring = targets.from_config({"name": "ring", "modes": 4, "std": 0.02})
    samples, labels = ring.sample_labelled(np.random.default_rng(10), 8000)
    centres = np.stack([samples[labels == k].mean(axis=0) for k in range(4)])[labels]
    narrow = centres + ratio * (samples - centres)
    measured = value("mode_shrinkage", narrow, ring, radius=10.0)
    assert measured == pytest.approx(expected, abs=0.02)


def test_mode_shrinkage_sees_a_mode_collapsed_to_a_line() -> None:
    ring = targets.from_config({"name": "ring", "modes": 4, "std": 0.02})
    samples, labels = ring.sample_labelled(np.random.default_rng(11), 2000)
    centres = np.stack([samples[labels == k].mean(axis=0) for k in range(4)])[labels]
    flat = centres + (samples - centres) * np.float32([1.4, 1e-4])
    assert value("mode_shrinkage", flat, ring) > 0.9


@pytest.mark.parametrize("name", ["mode_kl", "mode_forward_kl"])
def test_mode_divergences_of_an_uneven_histogram(name: str) -> None:
    """Half of the samples on one of four modes, the other half on a second."""
    ring = targets.from_config({"name": "ring", "modes": 4, "std": 0.1})
    means = ring.mixture().means  # type: ignore[attr-defined]
    cloud = np.repeat(means[:2], 50, axis=0)
    half = 0.99 * 0.5 + 0.0025
    expected = {
        "mode_kl": math.log(2),
        "mode_forward_kl": 0.5 * math.log(0.25 / half) + 0.5 * math.log(1 / 0.01),
    }[name]
    assert value(name, cloud, ring) == pytest.approx(expected, rel=1e-9)
