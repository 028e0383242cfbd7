"""Every target: its samples against the truths it states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import binom, chisquare, multivariate_normal
from tiny import REQUIRED, example, variants

from ganstudy import targets
from ganstudy.targets import (
    CurveTarget,
    DigitModes,
    GaussianMixture,
    GeneralMixture,
    IsotropicMixture,
    MixtureTarget,
    Modes,
    RowsTarget,
    Target,
)

Array = NDArray[np.float64]

COUNT = 20_000
LIMIT = 5.0
"""Standard errors; a few thousand scores exceed it by chance once in 10^3 choices of the seed."""
FEATURES = 24
"""Features of a high-dimensional target whose moments are tested, spread over all of them."""

DEFAULTS: list[Target] = [example(cls) for cls in targets.family]
TARGETS = [
    *DEFAULTS,
    *(v for cls in targets.family if not REQUIRED.get(cls.name) for v in variants(cls, 1)),
    *map(
        targets.from_config,
        [
            {"name": "ring", "modes": 1},
            {"name": "ring", "modes": 5, "std": 0.3},
            {"name": "ring", "modes": 6, "std": 0.3, "closed": True},
            {"name": "grid", "side": 2, "std": 0.5},
            {"name": "gaussian", "mean": [3.0], "std": 2.0},
            {
                "name": "gaussian",
                "mean": [1, 0, -1],
                "covariance": [[4, 1, 0], [1, 2, 0], [0, 0, 1]],
            },
            {
                "name": "mixture",
                "means": [[0, 0], [3, 3], [6, 0]],
                "weights": [1, 2, 3],
                "covariances": [
                    [[1, 0.9], [0.9, 1]],
                    [[0.1, 0], [0, 0.4]],
                    [[0.2, -0.1], [-0.1, 0.2]],
                ],
            },
            {"name": "mixture", "means": [[0.0], [5.0]], "weights": None, "stds": [1, 0.5]},
            {"name": "random_mixture", "features": 5, "law_seed": 3},
            {"name": "spirals", "arms": 3, "turns": 0.7},
            {"name": "checkerboard", "squares": 3, "side": 0.5},
            {"name": "pinwheel", "arms": 3, "rate": -0.4},
            {"name": "embedded_mixture", "modes": 3, "features": 100, "latent": 20},
            {
                "name": "embedded_mixture",
                "modes": 3,
                "features": 100,
                "latent": 20,
                "offsets": [-1, 0, 3],
            },
            {"name": "sprites", "size": 8, "channels": 1, "shapes": 3, "colours": 2, "rows": 1},
        ],
    ),
]
WITH_DENSITY = [target for target in TARGETS if target.has_density]
PLANE = [target for target in WITH_DENSITY if target.dimension == 2]
MIXTURES = [target for target in TARGETS if isinstance(target, MixtureTarget)]
CURVES = [target for target in TARGETS if isinstance(target, CurveTarget)]
LABELLED = [target for target in TARGETS if target.labels]

STEPS: dict[str, Callable[[Any], float]] = {
    "checkerboard": lambda target: target.side / 8,
    "gaussian": lambda target: _fine(target),
    "grid": lambda target: _fine(target),
    "mixture": lambda target: _fine(target),
    "moons": lambda target: target.std,
    "pinwheel": lambda target: target.scale * min(target.tangential_std, target.radial_std) / 8,
    "random_mixture": lambda target: _fine(target),
    "ring": lambda target: _fine(target),
    "spirals": lambda target: target.std,
    "swiss_roll": lambda target: target.std,
}
"""A step that resolves each density; a new target with a density owes its own."""

every_target = pytest.mark.parametrize("target", TARGETS, ids=repr)
every_density = pytest.mark.parametrize("target", WITH_DENSITY, ids=repr)
every_plane_density = pytest.mark.parametrize("target", PLANE, ids=repr)
every_mixture = pytest.mark.parametrize("target", MIXTURES, ids=repr)
every_labelled = pytest.mark.parametrize("target", LABELLED, ids=repr)
every_default = pytest.mark.parametrize("target", DEFAULTS, ids=lambda target: target.name)


def _sample(target: Target, seed: int = 0, count: int = COUNT) -> NDArray[np.float32]:
    return target.sample(np.random.default_rng(seed), count)


def _modes(target: Target) -> Modes:
    modes = target.known_modes()
    assert modes is not None
    return modes


def _covariances(law: GaussianMixture) -> Array:
    if isinstance(law, GeneralMixture):
        return law.covariances
    assert isinstance(law, IsotropicMixture)
    return law.stds[:, None, None] ** 2 * np.eye(law.means.shape[1])


def _fine(target: MixtureTarget) -> float:
    return float(np.sqrt(np.linalg.eigvalsh(_covariances(target.mixture())).min())) / 2


def _separated(target: Target) -> bool:
    """Whether hardly a sample lies nearer to another mode than to its own."""
    if not isinstance(target, MixtureTarget):
        return True
    law = target.mixture()
    if len(law.weights) == 1:
        return True
    distance = np.linalg.norm(law.means[:, None] - law.means[None], axis=-1)
    gap = distance[~np.eye(len(law.means), dtype=bool)].min()
    return bool(gap > 8 * np.sqrt(np.linalg.eigvalsh(_covariances(law)).max()))


# --- moments --------------------------------------------------------------------------------------


def _moment_score(sample: Array, mean: Array, covariance: Array) -> float:
    """The worst of the first two moments, in standard errors."""
    root = np.sqrt(len(sample))
    centred = sample - mean
    first, first_error = centred.mean(axis=0), sample.std(axis=0) / root
    products = centred[:, :, None] * centred[:, None, :]
    second, second_error = products.mean(axis=0) - covariance, products.std(axis=0) / root
    distances = np.concatenate([first, second.ravel()])
    errors = np.concatenate([first_error, second_error.ravel()])
    # What does not vary at all has no error but that of single precision.
    return float(np.abs(distances / np.maximum(errors, 1e-5)).max())


def _moment_case(target: Target) -> tuple[Array, Array, Array]:
    some = np.unique(np.linspace(0, target.dimension - 1, FEATURES, dtype=int))
    mean, covariance = (np.asarray(moment, np.float64) for moment in target.moments())
    assert mean.shape == (target.dimension,)
    assert covariance.shape == (target.dimension, target.dimension)
    count = COUNT if target.dimension < 500 else COUNT // 10
    sample = _sample(target, count=count)[:, some].astype(np.float64)
    return sample, mean[some], covariance[np.ix_(some, some)]


@every_target
def test_moments_are_those_stated(target: Target) -> None:
    """Mean and covariance within five standard errors."""
    assert _moment_score(*_moment_case(target)) < LIMIT


@every_target
def test_wrong_samples_fail_the_test_of_moments(target: Target) -> None:
    """The test of the test: a fifth of a standard deviation off, or a fifth too wide."""
    sample, mean, covariance = _moment_case(target)
    spread = np.sqrt(np.diag(covariance))
    assert _moment_score(sample + 0.2 * spread, mean, covariance) > LIMIT
    assert _moment_score(mean + 1.2 * (sample - mean), mean, covariance) > LIMIT


# --- densities ------------------------------------------------------------------------------------


def _lattice(target: Target) -> tuple[Array, Array, float]:
    """Lower corner, ticks along one side and step of a square lattice that holds all of p.

    The lattice has its points in the middle of squares, whose sides divide those of a board.
    """
    if target.name not in STEPS:
        assert target.plugin, "state how fine its density is, in STEPS"
        pytest.skip("how fine the density of a plug-in is, nobody has stated")
    step = STEPS[target.name](target)
    sample = _sample(target).astype(np.float64)
    extent = float(np.ptp(sample, axis=0).max())
    low = step * np.floor((sample.min(axis=0) - 0.1 * extent) / step)
    size = float((sample.max(axis=0) - low).max() + 0.1 * extent)
    return low, step * (np.arange(np.ceil(size / step)) + 0.5), step


def _masses(target: Target) -> tuple[Array, Array, float]:
    """Mass of p at each point of the lattice, its lower corner and its step."""
    low, ticks, step = _lattice(target)
    rows = [
        np.exp(target.log_prob(low + np.stack([np.full_like(ticks, x), ticks], axis=-1)))
        for x in ticks
    ]
    return np.stack(rows) * step**2, low, step


@every_plane_density
def test_density_is_that_of_the_samples_and_integrates_to_one(target: Target) -> None:
    """Quadrature over the plane, and a chi-square of counts in squares; moved samples fail it."""
    masses, low, step = _masses(target)
    assert masses.sum() == pytest.approx(1, abs=1e-5)
    fold = max(-(-len(masses) // 16), 4)
    cells = -(-len(masses) // fold)
    padded = np.zeros((cells * fold, cells * fold))
    padded[: len(masses), : len(masses)] = masses
    expected = COUNT * padded.reshape(cells, fold, cells, fold).sum(axis=(1, 3))
    edges = [low[axis] + step * fold * np.arange(cells + 1) for axis in (0, 1)]

    def pvalue(sample: NDArray[np.floating]) -> float:
        counts = np.histogram2d(sample[:, 0], sample[:, 1], bins=edges)[0]
        often = expected > 5
        seen = np.append(counts[often], COUNT - counts[often].sum())
        due = np.append(expected[often], max(COUNT - expected[often].sum(), 1.0))
        return float(chisquare(seen, due * COUNT / due.sum()).pvalue)

    sample = _sample(target, seed=1)
    assert pvalue(sample) > 1e-6
    assert pvalue(sample + 0.2 * sample.std(axis=0)) < 1e-6


@every_mixture
def test_density_of_a_mixture_is_that_of_scipy(target: MixtureTarget) -> None:
    """On samples and far away, where a naive density underflows."""
    law = target.mixture()
    rng = np.random.default_rng(1)
    x = np.concatenate([_sample(target)[:200], 5 * rng.normal(size=(200, target.dimension))])
    parts = zip(law.weights, law.means, _covariances(law), strict=True)
    expected = logsumexp(
        [np.log(w) + multivariate_normal(m, c).logpdf(x) for w, m, c in parts], axis=0
    )
    np.testing.assert_allclose(target.log_prob(x), expected, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("target", CURVES, ids=repr)
def test_density_along_a_curve_is_that_of_scipy(target: CurveTarget) -> None:
    """Adaptive quadrature of the stated integral, to a relative error of 1e-8."""
    for x in _sample(target, count=4).astype(np.float64):
        total = 0.0
        for index in range(target.curves):
            at = np.linspace(0, 1, 2001)
            points = target.curve(np.full(at.shape, index), at)
            near = at[np.square(points - x).sum(axis=-1) < (12 * target.noise) ** 2]
            if not len(near):
                continue

            def integrand(t: float, index: int = index, x: Array = x) -> float:
                point = target.curve(np.array([index]), np.array([t]))[0]
                kernel = multivariate_normal(point, target.noise**2).pdf(x)
                return float(kernel * target.weight(np.array([t]))[0])

            # Turns of a spiral come near in pieces, each of which is integrated alone.
            pieces = np.split(near, np.flatnonzero(np.diff(near) > 1e-3) + 1)
            for piece in pieces:
                ends = max(piece[0] - 5e-4, 0), min(piece[-1] + 5e-4, 1)
                total += quad(integrand, *ends, epsabs=0, epsrel=1e-10, limit=200)[0]
        assert target.log_prob(x) == pytest.approx(np.log(total / target.curves), abs=1e-8)


@every_density
def test_density_keeps_leading_axes(target: Target) -> None:
    """A batch of batches is measured point by point."""
    x = _sample(target, count=60).astype(np.float64)
    folded = target.log_prob(x.reshape(4, 15, -1))
    assert folded.shape == (4, 15)
    np.testing.assert_allclose(folded.ravel(), target.log_prob(x), rtol=1e-12)


def test_a_target_without_density_or_labels_says_so() -> None:
    """No number stands in for what is not known."""
    lines = targets.from_config("parallel_lines")
    assert not lines.has_density
    assert lines.known_modes() is None
    with pytest.raises(NotImplementedError, match="no density"):
        lines.log_prob(np.zeros((1, 2)))
    with pytest.raises(NotImplementedError, match="no labels"):
        lines.sample_labelled(np.random.default_rng(0), 2)


# --- modes and labels -----------------------------------------------------------------------------


@every_target
def test_each_label_has_a_share_and_no_label_none(target: Target) -> None:
    """A plug-in's kind may ask any target."""
    assert np.shape(target.label_shares) == (target.labels,)


@every_labelled
def test_labels_come_with_the_same_samples(target: Target) -> None:
    """`sample` and `sample_labelled` draw one and the same; labels count from 0."""
    x, label = target.sample_labelled(np.random.default_rng(5), 300)
    np.testing.assert_array_equal(x, _sample(target, 5, 300))
    assert label.dtype == np.int64
    assert label.shape == (300,)
    assert 0 <= label.min() <= label.max() < target.labels


def _label_shares(target: Target) -> Array:
    shares = np.asarray(target.label_shares, np.float64)
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert len(shares) == target.labels
    modes = target.known_modes()
    if modes is not None:
        np.testing.assert_allclose(modes.weights, shares, rtol=1e-12)
    return shares


def _label_counts(target: Target) -> NDArray[np.int64]:
    count = COUNT if target.dimension < 500 else max(COUNT // 20, 20 * target.labels)
    label = target.sample_labelled(np.random.default_rng(0), count)[1]
    return np.bincount(label, minlength=target.labels)


@every_labelled
def test_every_label_is_reached_in_proportion(target: Target) -> None:
    """Chi-square of the labels' counts; the labels of a law with modes are its modes."""
    counts = _label_counts(target)
    assert counts.min() > 0
    if target.labels > 1:
        assert chisquare(counts, counts.sum() * _label_shares(target)).pvalue > 1e-6


@pytest.mark.parametrize("target", [t for t in DEFAULTS if t.labels > 1], ids=lambda t: t.name)
def test_a_lost_label_fails_the_test_of_labels(target: Target) -> None:
    """The test of the test: most of a third of the labels moved to the others."""
    counts = _label_counts(target)
    part = -(-len(counts) // 3)
    lost = (0.8 * counts[:part]).astype(int)
    counts[:part] -= lost
    counts[-part:] += lost
    assert chisquare(counts, counts.sum() * _label_shares(target)).pvalue < 1e-6


@pytest.mark.parametrize("target", [t for t in TARGETS if t.known_modes() is not None], ids=repr)
def test_modes_are_found_and_samples_of_p_are_of_high_quality(target: Target) -> None:
    """Samples lie in the mode that they were drawn from, and as many as stated are good."""
    if not _separated(target):
        pytest.skip("its modes overlap")
    count = COUNT if target.dimension < 100 else COUNT // 20
    x, label = target.sample_labelled(np.random.default_rng(2), count)
    for radius in (1.0, 3.0):
        mode, good = _modes(target).assign(x, radius)
        assert np.mean(mode == label) >= 0.99
        expected = _modes(target).high_quality_share(radius)
        assert binom.cdf(good.sum(), count, expected) > 1e-7
        assert binom.sf(good.sum() - 1, count, expected) > 1e-7
        if target.image is None:
            assert expected == pytest.approx(1 - np.exp(-(radius**2) / 2))


@pytest.mark.parametrize("target", [t for t in DEFAULTS if t.known_modes() is not None], ids=repr)
@pytest.mark.parametrize("value", [0.0, 1e3, 1e20, 3e38, np.inf, -np.inf, np.nan])
def test_far_samples_are_of_low_quality(target: Target, value: float) -> None:
    """Nothing far away or not finite is good, whatever its mode; the centre is at most one mode."""
    mode, good = _modes(target).assign(np.full((2, 3, target.dimension), value, np.float32), 3.0)
    assert mode.shape == good.shape == (2, 3)
    assert ((mode >= 0) & (mode < len(_modes(target).weights))).all()
    if value != 0.0:
        assert not good.any()


def test_modes_of_unequal_covariance_are_told_apart_by_their_own() -> None:
    """A point nearer to the narrow mode by eye lies, in standard deviations, on the wide one."""
    law = targets.from_config(
        {
            "name": "mixture",
            "means": [[0, 0], [4, 0]],
            "covariances": [[[4, 0], [0, 1]], [[0.01, 0], [0, 0.01]]],
        }
    )
    mode, good = _modes(law).assign(np.array([[3.0, 0.0], [3.9, 0.0], [0.0, 3.1]]), 3.0)
    np.testing.assert_array_equal(mode, [0, 1, 0])
    np.testing.assert_array_equal(good, [True, True, False])


# --- all ------------------------------------------------------------------------------------------


@every_target
def test_samples_follow_the_stream_alone(target: Target) -> None:
    """Equal generators give equal samples; the state is all there is, and dtype is float32."""
    for draw in (target.sample, target.held_out):
        first, again, other = (draw(np.random.default_rng(s), 50) for s in (3, 3, 4))
        assert first.dtype == np.float32
        assert first.shape == (50, target.dimension)
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)
    assert target.description


@every_target
def test_an_image_has_all_numbers_of_its_row(target: Target) -> None:
    """Channels, lines and columns make up a row, from black to white."""
    if target.image is None:
        pytest.skip("it is of no images")
    channels, height, width = target.image
    assert channels * height * width == target.dimension
    samples = _sample(target, count=50)
    assert samples.min() >= -1
    assert samples.max() <= 1


@every_default
def test_laws_are_made_once(target: Target) -> None:
    """Drawing does not build the law anew: a study draws in every step."""
    import time

    _sample(target, count=10)
    started = time.process_time()
    for seed in range(20):
        _sample(target, seed, 10)
    assert time.process_time() - started < 1


# --- single members -------------------------------------------------------------------------------


def test_grid_has_twenty_five_modes_two_apart() -> None:
    """The lattice of the literature: side 5, spacing 2, centred, std 0.05."""
    (grid,) = (t.mixture() for t in DEFAULTS if t.name == "grid" and isinstance(t, MixtureTarget))
    expected = {(float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}
    assert {(float(x), float(y)) for x, y in grid.means} == expected
    np.testing.assert_allclose(_covariances(grid), 0.05**2 * np.eye(2)[None].repeat(25, axis=0))


def test_ring_has_eight_modes_on_the_unit_circle() -> None:
    """Neighbours stand 45 degrees apart."""
    (ring,) = (t.mixture() for t in DEFAULTS if t.name == "ring" and isinstance(t, MixtureTarget))
    angles = np.sort(np.degrees(np.arctan2(ring.means[:, 1], ring.means[:, 0])) % 360)
    np.testing.assert_allclose(np.linalg.norm(ring.means, axis=1), 1.0)
    np.testing.assert_allclose(np.diff(angles), 45.0)


def test_closed_ring_has_seven_places() -> None:
    """Those of `linspace(0, 2 pi, 8)`, whose first and last are one, drawn twice as often."""
    angles = np.linspace(0, 2 * np.pi, 8)
    listed = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places, counts = np.unique(listed.round(12), axis=0, return_counts=True)
    ring = targets.family["ring"].model_validate({"closed": True})
    law = ring.known_modes()
    assert isinstance(law, IsotropicMixture)
    order = np.lexsort(law.means.round(12).T[::-1])
    np.testing.assert_allclose(law.means[order], places, atol=1e-9)
    np.testing.assert_allclose(law.weights[order], counts / 8)
    assert ring.labels == 7


def test_swiss_roll_and_moons_are_those_of_scikit_learn() -> None:
    """The noiseless curves pass through the points that scikit-learn draws."""
    from sklearn.datasets import make_moons, make_swiss_roll

    roll, moons = targets.from_config("swiss_roll"), targets.from_config("moons")
    assert isinstance(roll, CurveTarget)
    assert isinstance(moons, CurveTarget)
    drawn, angle = make_swiss_roll(50, noise=0.0, random_state=0)
    t = (angle / (1.5 * np.pi) - 1) / 2
    np.testing.assert_allclose(roll.curve(np.zeros(50, int), t), drawn[:, [0, 2]] / 7.5, atol=1e-12)
    points, moon = make_moons(50, shuffle=False, noise=None)
    along = np.tile(np.linspace(0, 1, 25), 2)
    np.testing.assert_allclose(moons.curve(moon, along), points, atol=1e-12)


def test_digits_are_those_of_scikit_learn() -> None:
    """Which is not imported for them: its file is read."""
    from sklearn.datasets import load_digits

    own = targets.from_config("digits")
    assert isinstance(own, RowsTarget)
    found, (pixels, classes) = own.rows(), load_digits(return_X_y=True)
    assert found.labels is not None
    assert found.held_out_labels is not None
    rows = np.concatenate([found.train, found.held_out])
    labels = np.concatenate([found.labels, found.held_out_labels])
    ours = {(*row, label) for row, label in zip(rows.tolist(), labels.tolist(), strict=True)}
    assert len(rows) == len(pixels)
    theirs = zip((pixels / 8 - 1).tolist(), classes.tolist(), strict=True)
    assert ours == {(*row, label) for row, label in theirs}


def test_random_mixture_is_a_law_of_its_seed() -> None:
    """Unequal weights, modes apart, another law for another law seed."""
    laws = [
        t.mixture()
        for seed in (0, 0, 1)
        if isinstance(
            t := targets.from_config({"name": "random_mixture", "law_seed": seed}), MixtureTarget
        )
    ]
    np.testing.assert_array_equal(laws[0].means, laws[1].means)
    assert not np.array_equal(laws[0].means, laws[2].means)
    assert laws[0].weights.max() > 3 * laws[0].weights.min()
    assert all(_separated(t) for t in DEFAULTS if t.name == "random_mixture")


def test_embedded_mixture_lies_on_a_subspace() -> None:
    """Samples have the rank of the subspace, the modes the distances that they have in it."""
    target = targets.from_config({"name": "embedded_mixture", "features": 60, "latent": 7})
    x = _sample(target, count=500).astype(np.float64)
    singular = np.linalg.svd(x, compute_uv=False)
    assert singular[6] > 1
    assert singular[7] < 1e-3
    # A generator off the subspace is not of high quality, however near its projection is.
    off = x + 0.5 * np.random.default_rng(0).normal(size=x.shape)
    assert _modes(target).assign(off, 3.0)[1].mean() < 0.01


def test_offsets_place_gaussians_along_the_first_axes() -> None:
    """The law of PacGAN's code for VEEGAN: a mode's features are its offset, and noise in some."""
    offsets = [-1, -0.5, 0, 0.5, -2, -2.5, 10, 0.25, -13, -5.5]
    config = {"name": "embedded_mixture", "std": 1.0, "offsets": offsets}
    target = targets.from_config(config)
    x, mode = target.sample_labelled(np.random.default_rng(0), 2000)
    around = x - np.array(offsets, np.float32)[mode][:, None]
    assert x.shape == (2000, 1200)
    np.testing.assert_array_equal(around[:, 700:], 0)
    noise = around[:, :700].astype(np.float64).ravel()
    assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
    assert abs(noise.var() - 1) < 5 * np.sqrt(2 / noise.size)
    assert chisquare(np.bincount(mode, minlength=10)).pvalue > 1e-4
    # The nearest means are 0.25 apart in each feature, and so 8.7 in all: no sample is mistaken.
    found, good = _modes(target).assign(x, 3.0)
    np.testing.assert_array_equal(found, mode)
    assert abs(good.mean() - _modes(target).high_quality_share(3.0)) < 0.012


def test_digits_are_read_as_well_as_stated() -> None:
    """The accuracy on held-out images stands in the documentation of both targets."""
    accuracy = DigitModes.accuracy()
    assert accuracy > 0.98
    for name in ("digits", "stacked_digits"):
        assert f"{accuracy:.1%}".replace("%", " %") in (targets.family[name].__doc__ or "")
        assert f"{accuracy:.1%}" in targets.from_config(name).description


def test_what_is_no_digit_is_of_low_quality() -> None:
    """Noise, means of two digits and a grey image; held-out digits are good for the most part."""
    modes = _modes(targets.from_config("digits"))
    rng = np.random.default_rng(0)
    digits = targets.from_config("digits")
    held_out = digits.held_out(rng, 1000)
    assert modes.assign(held_out, 3.0)[1].mean() > 0.9
    for bad in (
        rng.uniform(-1, 1, (200, 64)),
        np.zeros((1, 64)),
        rng.permutation(digits.sample(rng, 200), axis=1),
    ):
        assert not modes.assign(bad, 3.0)[1].any()
    assert modes.assign(rng.uniform(-1, 1, (200, 64)), 9.0)[1].all()


def test_stacked_digits_are_three_digits() -> None:
    """A number's three digits are those that the channels show, the first channel the hundreds."""
    stacked, digits = (targets.from_config(name) for name in ("stacked_digits", "digits"))
    x, number = stacked.sample_labelled(np.random.default_rng(0), 200)
    channels = _modes(digits).assign(x.reshape(200, 3, 64), 3.0)[0]
    np.testing.assert_array_equal(_modes(stacked).assign(x, 3.0)[0], channels @ [100, 10, 1])
    assert np.mean(channels @ [100, 10, 1] == number) > 0.95


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"name": "gaussian", "std": 1.0, "covariance": [[1, 0], [0, 1]]}, "not both"),
        ({"name": "gaussian", "covariance": [[1, 0.5], [0, 1]]}, "not symmetric"),
        ({"name": "gaussian", "covariance": [[1, 2], [2, 1]]}, "not positive definite"),
        ({"name": "gaussian", "covariance": [[1]]}, "not 2 x 2"),
        ({"name": "mixture", "means": [[0, 1], [2]]}, "same number of features"),
        ({"name": "mixture", "weights": [1]}, "1 given for 2 means"),
        ({"name": "mixture", "weights": [1, 0]}, "weights must be positive"),
        ({"name": "mixture", "stds": [1, -1]}, "stds must be positive"),
        (
            {"name": "mixture", "covariances": [[[1, 0], [0, 1]], [[1, 0], [0, -1]]]},
            r"\[1\] is not p",
        ),
        ({"name": "embedded_mixture", "features": 10}, "at most features, 10"),
        ({"name": "embedded_mixture", "offsets": [1, 2]}, "2 given for 10 modes"),
    ],
)
def test_impossible_laws_are_refused(config: dict[str, Any], message: str) -> None:
    """In words that name the parameter."""
    with pytest.raises(ValueError, match=message):
        targets.from_config(config)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_modes_are_numbered_by_their_factors(target: Target) -> None:
    """Their numbers of values multiply to that of the modes."""
    modes, factors = target.known_modes(), target.mode_factors
    assert all(name and count > 0 for name, count in factors)
    if factors:
        assert modes is not None
        assert int(np.prod([count for _, count in factors])) == len(modes.weights)


@pytest.mark.parametrize("target", DEFAULTS, ids=lambda target: target.name)
def test_the_nearest_training_row(target: Target) -> None:
    """A training row is its own; of others none of many is nearer. Only data have some."""
    drawn = target.sample(np.random.default_rng(0), 200)
    seen = target.nearest_training(drawn)
    assert (seen is None) == (not target.holds_out)
    if seen is None:
        return
    np.testing.assert_array_equal(seen, drawn)
    unseen = target.held_out(np.random.default_rng(1), 20)
    unseen[0, 0] = np.nan
    found = target.nearest_training(unseen)
    assert found is not None
    assert np.isfinite(found).all()
    own = np.linalg.norm(found[1:] - unseen[1:], axis=1)
    others = np.linalg.norm(drawn[:, None] - unseen[1:], axis=2)
    assert (own <= others.min(axis=0) * (1 + 1e-6)).all()
    assert (own > 0).any()
