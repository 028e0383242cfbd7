"""Metrics in feature spaces: they are those of the features, under a name that says so."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from inline import trained_inline
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel
from tiny import LABELLED_PICTURES, MODULE, PICTURES, trial, write_study
from unrendered import unrendered

from ganstudy import analysis, features, metrics, open_run, pipeline, targets
from ganstudy.metrics import Metric, measured_by
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.targets import RowsTarget, classifier

IMAGES = targets.from_config(LABELLED_PICTURES)
RANDOM = features.family.from_config("random_convolutions")

Cloud = NDArray[np.float64]


def _clouds(count: int, seed: int = 0) -> NDArray[np.float32]:
    return IMAGES.sample(np.random.default_rng(seed), 2 * count).reshape(2, count, -1)


def _metric(name: str, **settings: Any) -> Metric:
    return metrics.family.from_config({"name": name, **settings})


IN_FEATURES = [cls.name for cls in metrics.family if "features" in cls.model_fields]


@pytest.mark.parametrize("name", IN_FEATURES)
def test_a_metric_in_a_feature_space_is_that_of_the_features(name: str) -> None:
    """Samples become features, and the reference is the features of samples of p."""

    class Mapped(targets.Target):
        """The law of features, written out."""

        @property
        def dimension(self) -> int:
            return 64

        def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
            return RANDOM.of(IMAGES.sample(rng, count), IMAGES).astype(np.float32)

        def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
            return RANDOM.of(IMAGES.held_out(rng, count), IMAGES).astype(np.float32)

        @property
        def unseen_rows(self) -> int | None:
            return IMAGES.unseen_rows

        def unseen(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
            return RANDOM.of(IMAGES.unseen(rng, count), IMAGES).astype(np.float32)

        def moments(self) -> tuple[Cloud, Cloud]:
            raise NotImplementedError

    metric = _metric(name, features="random_convolutions")
    clouds = _clouds(160)
    value = measured_by(metric, clouds, None, IMAGES)
    mapped = np.stack([RANDOM.of(cloud, IMAGES) for cloud in clouds])
    np.testing.assert_allclose(value, _metric(name).compute(mapped, Mapped()), rtol=1e-6)
    assert metric.recorded_as == f"{name}_in_random_convolutions"
    known = metric.variable(IMAGES)
    assert known.name == metric.recorded_as
    assert known.long_name.endswith("in features of random convolutions (seed 0)")
    assert known.attributes["features"] == "in features of random convolutions (seed 0)"
    least = {"frechet_distance": 128, "alpha_precision": 100}.get(name, 10)
    too_few = f"metric {metric.recorded_as} needs {least} held-out samples (there are 80)"
    assert metric.unfit(IMAGES, 160) == (too_few if least > 80 else None)
    spoilt = clouds.copy()
    spoilt[0, 3, 5] = np.nan
    low, high = known.attributes["bounds"]
    worst = low if known.attributes["direction"] == "higher" else high
    assert measured_by(metric, spoilt, None, IMAGES)[0] == worst


def test_settings_without_features_are_as_they_were() -> None:
    """Ids of trials do not know of what is not set."""
    assert "features" not in _metric("precision").model_dump()
    assert _metric("precision").recorded_as == "precision"


def test_frechet_distance_is_that_of_scipy_and_has_the_stated_bias() -> None:
    """By SciPy's square root of a matrix; and for a standard Gaussian d (d + 5) / 2n on average."""
    rng = np.random.default_rng(0)
    target = targets.from_config({"name": "gaussian", "mean": [0] * 4, "std": 1.0})
    metric = _metric("frechet_distance")
    cloud = rng.normal([1, 0, 0, 2], size=(1, 500, 4)) @ rng.normal(size=(4, 4))
    real = metrics.reference(target, 500)
    one, other = np.cov(cloud[0].T), np.cov(real.T)
    crossed = np.real(sqrtm(one @ other))
    apart = np.square(cloud[0].mean(axis=0) - real.mean(axis=0)).sum()
    expected = apart + np.trace(one + other - 2 * crossed)
    assert metric.compute(cloud, target)[0] == pytest.approx(expected, rel=1e-9)
    # Against fresh clouds in place of the reference, whose chance would be common to all.
    values = []
    for seed in range(60):
        first, second = np.random.default_rng(seed).normal(size=(2, 400, 4))
        values.append(_frechet(first, second))
    mean, error = np.mean(values), np.std(values) / np.sqrt(60)
    assert mean == pytest.approx(4 * 9 / 800, abs=4 * error)


def _frechet(first: Cloud, second: Cloud) -> float:
    one, other = np.cov(first.T), np.cov(second.T)
    apart = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    return float(apart + np.trace(one + other - 2 * np.real(sqrtm(one @ other))))


def test_kernel_distance_is_that_of_scikit_learn_and_has_no_bias() -> None:
    """By its polynomial kernel, without the pairs of a sample with itself."""
    target = targets.from_config({"name": "gaussian", "mean": [0] * 3, "std": 1.0})
    metric = _metric("kernel_distance")
    real = metrics.reference(target, 300)
    cloud = np.random.default_rng(0).normal([0.5, 0, 0], size=(300, 3))
    kernels = [polynomial_kernel(a, b, degree=3) for a, b in ((cloud, cloud), (real, real))]
    within = sum((k.sum() - np.trace(k)) / (300 * 299) for k in kernels)
    expected = within - 2 * polynomial_kernel(cloud, real, degree=3).mean()
    assert metric.compute(cloud[None], target)[0] == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_of_too_wide_a_cloud_is_that_of_the_empirical_laws() -> None:
    """With the pairs of a sample with itself, where the estimate is far below what p can have."""
    target = targets.from_config({"name": "gaussian", "mean": [0] * 3, "std": 1.0})
    real = metrics.reference(target, 300)
    clouds = np.random.default_rng(0).normal(0, 60, size=(6, 300, 3))
    found, chance = _metric("kernel_distance").compute(clouds, target), 0
    for cloud, value in zip(clouds, found, strict=True):
        own, of_p = (polynomial_kernel(a, a, degree=3) for a in (cloud, real))
        crossed = polynomial_kernel(cloud, real, degree=3).mean()
        within = sum((k.sum() - np.trace(k)) / (300 * 299) for k in (own, of_p))
        low = within - 2 * crossed < -1
        chance += low
        expected = own.mean() + of_p.mean() if low else within
        assert value == pytest.approx(expected - 2 * crossed, rel=1e-9)
        assert value > 0
    assert 0 < chance < 6


STUDY = """\
question: Are samples good in a feature space?
trial:
  target: {target}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 2
  batch: 8
  record:
    every: 1
    samples: 150
    metrics:
      - precision
      - {{name: precision, features: random_convolutions}}
      - {{name: frechet_distance, features: {{name: module, path: {module}}}}}
      - {{name: vendi_score, features: random_convolutions, subsample: 20}}
      - sliced_wasserstein
search: {{grid: {{divergence: [minimax, wasserstein]}}}}
seeds: 2
"""


@pytest.mark.slow
def test_a_study_records_them_by_their_names(tmp_path: Path) -> None:
    """One metric in two spaces; the perfect sampler beside each, and statistics by name."""
    target = f"{{name: images, path: {PICTURES}}}"
    text = STUDY.format(target=target, module=MODULE).replace("      - precision\n", "")
    with trained_inline(), unrendered():
        pipeline.run(load(write_study(tmp_path, text)), tmp_path / "run", workers=1)
    ds = open_run(tmp_path / "run").compute()
    own = {"precision", "vendi_score"}
    names = {f"{n}_in_random_convolutions" for n in own} | {"frechet_distance_in_module"}
    assert names < set(analysis.metric_names(ds))
    for name in names:
        assert np.isfinite(ds[name].isel(step=-1)).all()
        assert np.isfinite(ds[f"{name}_perfect"]).all()
    assert "SHA-256" in ds["frechet_distance_in_module"].attrs["features"]
    assert np.isnan(ds["precision_in_random_convolutions"].attrs["value_at_equality"])
    again = ds.gan.measured(_metric("recall", features="random_convolutions"))
    assert np.isfinite(again["recall_in_random_convolutions"].isel(step=-1)).all()


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("{name: precision, features: random_convolution}", "did you mean 'random_convolutions'"),
        ("{name: precision, features: {name: module, path: no.pt2}}", "no such file"),
        ("{name: precision, features: classifier}", "has no labels to train by"),
        ("{name: mode_kl, features: classifier}", "no such key"),
        ("{name: frechet_distance, features: random_convolutions}", "needs 128 samples"),
    ],
)
def test_mistakes_are_said_in_words(tmp_path: Path, metric: str, message: str) -> None:
    target = f"{{name: images, path: {PICTURES}}}"
    text = STUDY.format(target=target, module=MODULE).partition("    metrics:")[0]
    study = write_study(
        tmp_path, f"{text}    metrics: [{metric}]\nseeds: 1\n".replace("150", "100")
    )
    with pytest.raises(StudyError, match=message):
        load(study)


def test_a_module_is_not_run_where_a_study_is_only_read(tmp_path: Path) -> None:
    """As a plug-in: `report` and `status` take it with `--plugins` alone."""
    text = STUDY.format(target=f"{{name: images, path: {PICTURES}}}", module=MODULE)
    study = write_study(tmp_path, text.replace("      - precision\n", ""))
    assert load(study).points  # what was run before is no more trusted afterwards
    try:
        with pytest.raises(StudyError, match="only read here; where it is trusted, add --plugins"):
            load(study, run_plugins=False)
    finally:
        features.trust(True)
    assert load(study).points


def test_features_are_of_images() -> None:
    with pytest.raises(ValueError, match="ring has no images"):
        trial(record={"metrics": [{"name": "precision", "features": "random_convolutions"}]})


class Halved(torch.nn.Module):
    """Means of two-by-two squares."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(images, 2)


def _exported(folder: Path) -> Path:
    any_count = ({0: torch.export.Dim("images")},)
    program = torch.export.export(Halved(), (torch.zeros(2, 3, 16, 16),), dynamic_shapes=any_count)
    save: Any = torch.export.save
    save(program, folder / "halved.pt2")
    return folder / "halved.pt2"


def test_an_exported_module_is_run_on_prepared_images(tmp_path: Path) -> None:
    """Grey three times, resized, on its scale; and it is noticed when the file changes."""
    path = _exported(tmp_path)
    settings = {"name": "module", "path": str(path), "channels": 3, "size": 16, "scale": "0..255"}
    own = features.family.from_config({**settings, "mean": 100.0, "std": 50.0})
    rows = IMAGES.sample(np.random.default_rng(0), 60)
    images = torch.from_numpy(rows).reshape(-1, 1, 8, 8)
    large = torch.nn.functional.interpolate(images, (16, 16), mode="bilinear", antialias=True)
    small = torch.nn.functional.avg_pool2d((large + 1) * 127.5, 2).expand(-1, 3, -1, -1)
    expected = ((small - 100) / 50).flatten(1).numpy()
    np.testing.assert_allclose(own.of(rows, IMAGES), expected, atol=1e-4)
    assert own.dimension(IMAGES) == 192
    wrong = features.family.from_config({"name": "module", "path": str(path)})
    assert "halved.pt2" in str(wrong.problem(IMAGES))
    assert own.problem(IMAGES) is None
    for count in (1, 2):
        fixed: Any = torch.export.export(Halved(), (torch.zeros(count, 1, 8, 8),))
        save: Any = torch.export.save
        save(fixed, tmp_path / f"{count}.pt2")
        lone = features.family.from_config(
            {"name": "module", "path": str(tmp_path / f"{count}.pt2")}
        )
        assert "export it with a free first dimension" in str(lone.problem(IMAGES))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ValueError, match="has changed"):
        features.family.from_config(own.model_dump())


@pytest.mark.parametrize(
    "space", ["random_convolutions", {"name": "module", "path": str(MODULE)}], ids=["own", "module"]
)
def test_a_generator_that_has_blown_up_is_far_and_not_missing(space: Any) -> None:
    """As long as its samples are finite; their features are those of the farthest numbers."""
    own, (rows, *_) = features.family.from_config(space), _clouds(40)
    blown = np.where(rows > 0, np.float32(3e38), np.float32(-3e38))
    far = own.of(blown, IMAGES)
    np.testing.assert_array_equal(far, own.of(np.sign(blown) * np.float32(10), IMAGES))
    metric = _metric("kernel_distance", features=space)
    distances = measured_by(metric, np.stack([rows, 9 * rows, blown]), None, IMAGES)
    assert distances[0] < distances[1] < distances[2] < np.inf


@pytest.mark.slow
def test_a_classifier_tells_classes_apart_and_knows_its_errors() -> None:
    """Judged by held-out images; modes are read with it."""
    known = classifier(IMAGES)
    assert known.accuracy > 0.95
    modes = IMAGES.known_modes()
    assert modes is not None
    rows, labels = IMAGES.held_out_labelled(np.random.default_rng(3), 200)
    read, _ = modes.assign(rows, 9.0)
    assert np.mean(read == labels) > 0.95
    # Each held-out image has told once what it tells.
    assert isinstance(IMAGES, RowsTarget)
    unseen, truth = IMAGES.values(IMAGES.rows().held_out), IMAGES.rows().held_out_labels
    assert truth is not None
    assert known.accuracy == np.mean(modes.assign(unseen, 9.0)[0] == truth)
    np.testing.assert_array_equal(known.confusion.sum(axis=1), np.bincount(truth))
    told: Any = modes
    np.testing.assert_array_equal(told.judged, np.bincount(truth))
    noise = np.random.default_rng(0).uniform(-1, 1, (200, 64)).astype(np.float32)
    for poor in (noise, 0.4 * rows, rows[:, ::-1], np.full((9, 64), 0.3)):
        assert modes.assign(poor, 3.0)[1].mean() < 0.3
    assert modes.assign(rows, 3.0)[1].mean() > 0.7
    space = features.family.from_config("classifier")
    assert f"right on {known.accuracy:.1%} of held-out images" in space.about(IMAGES)
    assert f"classifier right on {known.accuracy:.1%}" in IMAGES.description
    drawn = space.of(rows, IMAGES)
    means = np.stack([drawn[labels == own].mean(axis=0) for own in range(3)])
    nearest = np.linalg.norm(drawn[:, None] - means, axis=-1).argmin(axis=1)
    assert np.mean(nearest == labels) > 0.95


@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [
        *(("precision", 0.881, 0.014), ("recall", 0.875, 0.022), ("density", 0.959, 0.030)),
        *(("coverage", 0.957, 0.012), ("clipped_density", 0.988, 0.014)),
        *(("clipped_coverage", 0.928, 0.045), ("beta_recall", 0.440, 0.027)),
        *(("probabilistic_precision", 0.767, 0.013), ("classifier_two_sample", 0.503, 0.023)),
        ("kernel_distance", 0.014, 0.020),
    ],
)
def test_a_perfect_generator_of_data_scores_like_one(
    name: str, mean: float, deviation: float
) -> None:
    """With more samples than there are held-out rows, none of which is compared with twice.

    Drawn with replacement they have balls without width: precision was 0.18, clipped density 0.
    Which samples of a cloud are compared hangs on the last bits of their features, so another
    processor has other values. Ten clouds stand for all, within five standard errors of the mean of
    twenty others.
    """
    target = targets.from_config("digits")
    clouds = np.stack([target.sample(np.random.default_rng(seed), 2000) for seed in range(20, 30)])
    found = measured_by(_metric(name, features="random_convolutions"), clouds, None, target)
    assert abs(found.mean() - mean) < 5 * deviation * math.sqrt(1 / 10 + 1 / 20)


def test_a_mode_that_misreading_explains_is_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class is covered by more images than the others' may have been taken for it."""

    class Erring:
        """Three classes, of which a tenth of each is read as the next, as many images show."""

        confusions = (1e9 * 0.9 * np.eye(3) + 1e8 * np.roll(np.eye(3), 1, axis=1),)
        weights = np.full(3, 1 / 3)

        def assign(self, samples: Cloud, radius: float) -> tuple[Any, Any]:
            return samples[..., 0].astype(int), np.ones(samples.shape[:-1], bool)

        def high_quality_share(self, radius: float) -> float:
            return 1.0

    target = targets.from_config("ring")
    monkeypatch.setattr(type(target), "known_modes", lambda self: Erring())
    metric = _metric("modes_covered")
    # Of 111 images of the first class 100 are read so, 11 as the second, of which 23 at most.
    for strays, expected in ((10, 1), (23, 1), (24, 2), (60, 2)):
        cloud = np.repeat([[0.0, 0.0], [1.0, 0.0]], [100, strays], axis=0)
        assert metric.compute(cloud[None], target)[0] == expected
