"""Metrics where they mean something, and nowhere else: a perfect generator scores like one."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inline import trained_inline
from tiny import write_study
from unrendered import unrendered

from ganstudy import metrics, open_run, pipeline, plugins, targets
from ganstudy.metrics import Metric, Reading
from ganstudy.study import load
from ganstudy.study.document import StudyError

UNLABELLED = [cls for cls in metrics.family if not cls.labelled]
RING = targets.from_config("ring")
BLIND = {"precision", "high_quality"}
"""Metrics of fidelity to which samples of a single mode are as good as those of p."""


@pytest.mark.parametrize("cls", UNLABELLED, ids=lambda cls: cls.name)
def test_few_samples_are_refused(cls: type[Metric]) -> None:
    """One sample too few is named with the number that is needed; the number itself is taken."""
    metric = cls()
    least = metric.fewest(RING)
    assert least >= 10
    assert metric.unfit(RING, least) is None
    assert f"needs {least}" in str(metric.unfit(RING, least - 1))


@pytest.mark.parametrize("cls", UNLABELLED, ids=lambda cls: cls.name)
def test_with_the_fewest_samples_a_perfect_generator_is_told_from_a_collapsed_one(
    cls: type[Metric],
) -> None:
    """At the stated least, samples of p score better than a single mode of it.

    Those of `BLIND` cannot tell these two apart: samples within one mode are as precise as those
    of p.
    """
    metric, rng = cls(), np.random.default_rng(3)
    count = metric.fewest(RING)
    real = RING.sample(rng, 64 * count).reshape(64, count, 2)
    one = (np.array([1.0, 0.0]) + 0.002 * rng.normal(size=(64, count, 2))).astype(np.float32)
    better = metric.compute(real, RING) - metric.compute(one, RING)
    sign = 1 if metric.reading(RING).direction == "higher" else -1
    told = bool(np.mean(sign * better > 0) > 0.9)
    assert told == (metric.name not in BLIND), "those that cannot tell them apart are in BLIND"


NORMAL = ("forward_kl", "reverse_kl", "jensen_shannon", "precision", "recall")


@pytest.mark.parametrize("name", [*NORMAL, "wasserstein_1", "wasserstein_2"])
def test_dimensions_beyond_the_limit_are_refused(name: str) -> None:
    metric = metrics.family.from_config(name)
    assert metric.most_features is not None
    within, beyond = (
        targets.from_config({"name": "gaussian", "mean": [0.0] * d})
        for d in (metric.most_features, metric.most_features + 1)
    )
    assert metric.unfit(within, 1000) is None
    assert "means nothing beyond" in str(metric.unfit(beyond, 1000))


@pytest.mark.parametrize("name", ["forward_kl", "reverse_kl", "jensen_shannon"])
def test_divergences_of_a_perfect_generator_at_the_limit(name: str) -> None:
    """In eight dimensions a normal law is within a tenth of a nat of itself, by 1,000 samples."""
    metric = metrics.family.from_config(name)
    law = targets.from_config({"name": "gaussian", "mean": [0.0] * 8})
    clouds = law.sample(np.random.default_rng(0), 4000).reshape(4, 1000, 8)
    assert np.mean(metric.compute(clouds, law)) < 0.1


@pytest.mark.parametrize("features", [1, 2, 10])
def test_shrinkage_of_a_perfect_generator_at_the_least_number(features: int) -> None:
    """Ten samples for each dimension of each mode leave the bias that it states, some hundredths.

    Of modes that are not cut at a radius, as the normal ones of these are almost not.
    """
    metric = metrics.family.from_config({"name": "mode_shrinkage", "radius": 10})
    law = targets.from_config({"name": "random_mixture", "features": features, "modes": 3})
    count, repeats = metric.fewest(law), 400
    clouds = law.sample(np.random.default_rng(0), repeats * count).reshape(repeats, count, features)
    found = metric.compute(clouds, law)
    n, error = count / 3, found.std() / np.sqrt(repeats)
    # Modes have more samples and fewer than their mean: 1/n has a mean above that of n.
    determinants = (features + 1 - 1 / features) / (4 * n) * (1 + 2 / n)
    cut = 0.4 / np.sqrt(2 * features * count)
    assert determinants - 4 * error < found.mean() < determinants + cut + 4 * error
    assert found.mean() < min((features + 1) / (4 * n) + cut, 0.1)


def test_shrinkage_of_modes_whose_width_is_not_known_is_refused() -> None:
    """A few held-out digits of each class, and modes on a subspace: always 1 is no score."""
    metric = metrics.family.from_config("mode_shrinkage")
    digits = targets.from_config("digits")
    assert "needs 6,400 held-out samples" in str(metric.unfit(digits, 6400))
    plane = {"name": "embedded_mixture", "modes": 2, "features": 4, "latent": 2}
    assert "modes with a volume" in str(metric.unfit(targets.from_config(plane), 1000))
    full = targets.from_config({**plane, "latent": 4})
    assert metric.unfit(full, 1000) is None


@pytest.mark.parametrize(("name", "known", "unknown"), [("support_size", 2, 5), ("rke", 2, 60)])
def test_a_diversity_beyond_what_samples_can_tell_is_not_stated(
    name: str, known: int, unknown: int
) -> None:
    """No cloud of p is nearer to the worst than to the value at p = q: none has collapsed."""
    metric = metrics.family.from_config(name)
    for features in (known, unknown):
        law = targets.from_config({"name": "gaussian", "mean": [0.0] * features})
        perfect = metric.reading(law).value_at_equality
        assert math.isnan(perfect) == (features == unknown)
        clouds = law.sample(np.random.default_rng(5), 8000).reshape(4, 2000, features)
        assert not (metric.compute(clouds, law) < (1 + perfect) / 2).any()


def test_estimates_say_how_many_samples_they_are_of() -> None:
    """No more than there are held out; of fewer where trials have fewer."""
    for law, most in ((RING, 500), (targets.from_config("digits"), 359)):
        for name in ("wasserstein_1", "wasserstein_2"):
            estimate = metrics.family[name]().reading(law).estimate
            assert estimate == f"exact for up to {most} samples"
    vendi = metrics.family.from_config({"name": "vendi_score", "subsample": 50})
    assert vendi.reading(RING).estimate == "of up to 50 samples, and of so many at p = q"


@pytest.mark.parametrize("ties", ["none", "last", "most", "all"])
def test_a_set_has_one_order(ties: str) -> None:
    """By the last column, and by those before it where points are equal there: as ever."""
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(300, 90))
    if ties == "last":
        cloud[:, -1] = rng.integers(9, size=300)
    elif ties != "none":
        cloud[:, 3 if ties == "most" else 0 :] = rng.integers(2, size=(300, 1))
        cloud[:, 2] = rng.integers(4, size=300)
    ordered = np.ascontiguousarray(cloud[np.lexsort(cloud.T)])
    expected = np.random.default_rng(zlib.crc32(ordered.tobytes())).permutation(ordered)
    for order in (np.arange(300), rng.permutation(300)):
        np.testing.assert_array_equal(metrics.shuffled(cloud[order]), expected)


def test_of_more_than_a_perfect_generator_serves_no_label_is_covered() -> None:
    """A share of 1 misses the samples of p that are beyond the radius."""
    for share, labels in ((0.5, 8.0), (1.0, 0.0)):
        metric = metrics.family.from_config({"name": "labels_covered", "share": share})
        assert metric.reading(RING).value_at_equality == labels
        clouds, asked = RING.sample_labelled(np.random.default_rng(0), 4000)
        assert metric.compute_labelled(clouds[None], asked[None], RING) == labels


@pytest.mark.parametrize("name", ["mmd", "rke", "vendi_score"])
def test_a_kernel_without_a_width_is_refused(tmp_path: Path, name: str) -> None:
    """Where four fifths of a column are zeros, most pairs of samples are equal."""
    values = np.where(np.arange(500) % 5 == 0, np.arange(500), 0)
    (tmp_path / "zeros.csv").write_text("amount\n" + "\n".join(map(str, values)))
    law = targets.from_config({"name": "file", "path": str(tmp_path / "zeros.csv")})
    metric = metrics.family.from_config(name)
    assert "the median distance of samples of file, which is 0" in str(metric.unfit(law, 1000))
    (tmp_path / "some.csv").write_text("amount\n" + "\n".join(map(str, np.arange(500) ** 2)))
    fit = targets.from_config({"name": "file", "path": str(tmp_path / "some.csv")})
    assert metric.unfit(fit, 1000) is None


@pytest.mark.parametrize("held_out", [1, 3])
@pytest.mark.parametrize("cls", UNLABELLED, ids=lambda cls: cls.name)
def test_fewer_held_out_rows_than_samples_that_it_needs_are_refused(
    tmp_path: Path, cls: type[Metric], held_out: int
) -> None:
    """What the number of samples promises holds for those of p, too."""
    (tmp_path / "rows.csv").write_text("x\n" + "\n".join(map(str, np.arange(100) ** 2)))
    settings = {"name": "file", "path": str(tmp_path / "rows.csv")}
    few = targets.from_config({**settings, "held_out_share": held_out / 100})
    enough = targets.from_config({**settings, "held_out_share": 0.5})
    metric = cls()
    if metric.problem(enough):
        return
    least = metric.fewest(enough)
    assert f"needs {least} held-out samples (there are {held_out}); hold out more" in str(
        metric.unfit(few, 1000)
    )
    assert (metric.unfit(enough, 1000) is None) == (least <= 50)


@pytest.mark.parametrize("name", ["rke", "support_size"])
def test_without_a_width_nothing_is_counted(tmp_path: Path, name: str) -> None:
    """Of one held-out row p has no width, and clouds no number: one mode would be the worst."""
    (tmp_path / "rows.csv").write_text("x\n" + "\n".join(map(str, np.arange(100) ** 2)))
    settings = {"name": "file", "path": str(tmp_path / "rows.csv"), "held_out_share": 0.01}
    law, metric = targets.from_config(settings), metrics.family.from_config(name)
    assert np.isnan(metric.reading(law).value_at_equality)
    assert np.isnan(metric.compute(np.arange(20, dtype=np.float32)[:, None], law))


STUDY = """\
question: What does a metric say?
trial:
  target: {name: ring, modes: 4}
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 2
  batch: 16
  record: {every: 1, samples: 32, frames: 0, metrics: [modes_covered, METRIC]}
search: {grid: {critic.steps: [1, 2]}}
seeds: 1
"""


def test_check_refuses_what_cannot_be_measured(tmp_path: Path) -> None:
    body = STUDY.replace("METRIC", "coverage").replace("samples: 32", "samples: 12")
    path = write_study(tmp_path, body)
    with pytest.raises(StudyError, match="needs 50 samples") as caught:
        load(path)
    assert f"{path}:8: trial.record" in str(caught.value)


@pytest.mark.parametrize("name", ["mode_kl", "mode_forward_kl"])
def test_a_metric_of_one_value_is_no_score(tmp_path: Path, name: str) -> None:
    """Of a single mode the histogram is always right."""
    body = STUDY.replace("METRIC", name).replace("modes: 4", "modes: 1")
    assert load(write_study(tmp_path, body)).score == "modes_covered"
    path = write_study(tmp_path, f"{body}score: {name}\n")
    with pytest.raises(StudyError, match=f"{name} is always 0 .* ranks nothing") as caught:
        load(path)
    assert ":11: score" in str(caught.value)


def test_a_metric_of_one_value_is_no_objective(tmp_path: Path) -> None:
    """Nor is it one of several."""
    bayes = "{space: {generator.lr: {low: 1e-4, high: 1e-2}}, trials: 4, objective: OBJECTIVE}"
    objective = "{maximize: modes_covered, minimize: mode_kl}"
    body = STUDY.replace("METRIC", "mode_kl").replace("modes: 4", "modes: 1")
    body = body.replace("{grid: {critic.steps: [1, 2]}}", f"{{bayes: {bayes}}}")
    path = write_study(tmp_path, body.replace("OBJECTIVE", objective))
    with pytest.raises(StudyError, match=r"mode_kl is always 0 .* ranks nothing"):
        load(path)
    assert load(write_study(tmp_path, body.replace("OBJECTIVE", "{maximize: modes_covered}")))


@pytest.mark.slow
def test_metrics_of_a_single_mode_that_rank_something_have_two_values_at_least() -> None:
    """A metric with one value alone says so by its bounds, and is then refused as a score."""
    one = targets.from_config({"name": "ring", "modes": 1})
    rng = np.random.default_rng(0)
    clouds = np.stack([one.sample(rng, 500), rng.normal(0, 9, (500, 2)), np.zeros((500, 2)) + 99])
    for cls in UNLABELLED:
        metric = cls()
        if metric.problem(one):
            continue
        values = metric.compute(clouds.astype(np.float32), one)
        low, high = metric.reading(one).bounds
        assert (low < high) == (np.ptp(values[np.isfinite(values)]) > 0), metric.name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"direction": "up"}, "direction"),
        ({"bounds": (1.0, 0.0)}, "bounds"),
        ({"bounds": (math.nan, 1.0)}, "bounds"),
        ({"value_at_equality": 2.0}, "value_at_equality"),
        ({"long_name": ""}, "long_name"),
        ({"units": None}, "units"),
    ],
)
def test_a_reading_makes_sense(change: dict[str, Any], message: str) -> None:
    sound = {
        "long_name": "x",
        "units": "",
        "direction": "lower",
        "bounds": (0.0, 1.0),
        "value_at_equality": 0.0,
    }
    with pytest.raises(ValueError, match=message):
        Reading(**{**sound, **change})


PLUGIN = '''\
"""A metric of the user's own."""

import numpy as np

from ganstudy.metrics import Metric, Reading


class Own(Metric):
    """A number."""

    def compute(self, samples, target):
        {compute}

    def reading(self, target):
        return {reading}
'''
SOUND = 'Reading("own", "", "lower", (0.0, 9.0), 0.0)'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a plug-in, forgotten after the test."""
    yield tmp_path
    plugins.forget()


@pytest.mark.parametrize(
    "reading", ['Reading("own", "", "upward", (0.0, 9.0), 0.0)', 'Reading("own", "")', "1 / 0"]
)
def test_the_reading_of_a_plug_in_is_seen_before_anything_trains(
    folder: Path, reading: str, request: pytest.FixtureRequest
) -> None:
    stem = f"own_{abs(hash(reading))}"
    (folder / f"{stem}.py").write_text(PLUGIN.format(compute="return 0", reading=reading))
    path = write_study(folder, f"plugins: [{stem}.py]\n{STUDY.replace('METRIC', stem)}")
    with pytest.raises(StudyError, match=f"metric {stem}: "):
        load(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stem", "compute", "why"),
    [
        ("metric_that_raises", 'raise RuntimeError("no idea")', "RuntimeError: no idea"),
        ("metric_of_another_shape", "return np.zeros(99)", "gives no number for each cloud"),
    ],
)
def test_a_metric_that_raises_loses_that_metric(
    folder: Path, stem: str, compute: str, why: str
) -> None:
    """The trials are complete, the dataset says why it is missing, and the page is there."""
    (folder / f"{stem}.py").write_text(PLUGIN.format(compute=compute, reading=SOUND))
    path = write_study(folder, f"plugins: [{stem}.py]\n{STUDY.replace('METRIC', stem)}")
    with trained_inline(), unrendered():
        progress = pipeline.run(load(path), folder / "run", workers=1)
    assert dict(progress.done) == {"complete": 2}
    ds = open_run(folder / "run")
    assert np.isfinite(ds["modes_covered"]).all()
    assert np.isnan(ds[stem]).all()
    assert all(f"metric {stem}: " in text and why in text for text in ds["failure"].values.flat)
    assert "modes covered" in (folder / "run" / "report" / "index.html").read_text()
