"""Modes that are read by a classifier that errs: what it errs by is taken back, or is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ganstudy import metrics, targets

CLASSES, SAMPLES, CLOUDS = 10, 2000, 200
TRUTHS = {
    "all": np.full(CLASSES, 0.1),
    "seven": np.repeat([1 / 7, 0], [7, 3]),
    "one": np.eye(CLASSES)[3],
    "falling": 0.6 ** np.arange(CLASSES) / (0.6 ** np.arange(CLASSES)).sum(),
}
"""Shares of the classes among what generators make."""

OTHERS = ("mode_kl", "mode_forward_kl", "label_accuracy", "labels_covered")
"""Metrics, with `modes_covered`, from which misreading is taken back."""

KNOWN = 1e9
"""Held-out images of each class: so many that the confusion is known."""


def _confusion(
    classes: int, wrong: float, rng: np.random.Generator | None = None
) -> NDArray[np.float64]:
    """So much of each class is read as others, and more as some than as others."""
    rng = np.random.default_rng(1) if rng is None else rng
    off = [np.insert(rng.dirichlet(np.full(classes - 1, 0.5)), i, 0) for i in range(classes)]
    return (1 - wrong) * np.eye(classes) + wrong * np.stack(off)


class _Read:
    """Modes whose samples hold the number that a classifier has read."""

    def __init__(self, classes: int, *confusions: NDArray[np.float64]) -> None:
        self.confusions = tuple(KNOWN * own for own in confusions)
        self.weights = np.full(classes, 1 / classes)

    def assign(self, samples: NDArray[Any], radius: float) -> tuple[Any, Any]:
        return samples[..., 0].astype(int), np.ones(samples.shape[:-1], bool)

    def high_quality_share(self, radius: float) -> float:
        return 1.0


def _measured(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    read: NDArray[Any],
    modes: _Read,
    told: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """The metric of each cloud of numbers that were read."""
    target = targets.from_config("ring")
    monkeypatch.setattr(type(target), "known_modes", lambda self: modes)
    metric = metrics.family.from_config(name)
    cloud = read[..., None].astype(float)
    if told is None:
        return np.asarray(metric.compute(cloud, target))
    return np.asarray(metric.compute_labelled(cloud, told, target))


def _read(
    rng: np.random.Generator, truth: NDArray[Any], confusion: NDArray[np.float64]
) -> NDArray[np.int64]:
    """What a classifier reads in images of these classes."""
    below = np.cumsum(confusion, axis=1)[truth] < rng.random(truth.shape)[..., None]
    return np.asarray(below.sum(axis=-1).clip(max=len(confusion) - 1), np.int64)


def _judged(
    rng: np.random.Generator, classes: int, each: int, confusion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How so many held-out images of each class are read."""
    truth = np.repeat(np.arange(classes), each)
    return targets.confusion(truth, _read(rng, truth, confusion), classes)


@pytest.mark.parametrize("name", ["mode_kl", "mode_forward_kl"])
@pytest.mark.parametrize("which", TRUTHS)
def test_misreading_is_taken_back_from_the_histogram(
    monkeypatch: pytest.MonkeyPatch, which: str, name: str
) -> None:
    """Three quarters and more, in the mean over many clouds whose true classes are known.

    Where nothing was hidden, the bias of counting grows by less than a fifth.
    """
    rng, confusion = np.random.default_rng(0), _confusion(CLASSES, 0.05)
    truth = rng.choice(CLASSES, (CLOUDS, SAMPLES), p=TRUTHS[which])
    read = _read(rng, truth, confusion)
    exact = _measured(monkeypatch, name, truth, _Read(CLASSES))
    plain = _measured(monkeypatch, name, read, _Read(CLASSES)) - exact
    corrected = _measured(monkeypatch, name, read, _Read(CLASSES, confusion)) - exact
    error = corrected.std() / np.sqrt(CLOUDS)
    counting = (CLASSES - 1) / (2 * SAMPLES)
    assert abs(corrected.mean()) < 0.25 * abs(plain.mean()) + 4 * error + counting / 5
    if which != "all":
        assert abs(plain.mean()) > 0.05


def test_two_classes_have_the_shares_of_rogan_and_gladen(monkeypatch: pytest.MonkeyPatch) -> None:
    """In closed form, where the counts allow any shares at all, and at the end of them else."""
    sensitivity, specificity = 0.9, 0.8
    confusion = np.array([[specificity, 1 - specificity], [1 - sensitivity, sensitivity]])
    for ones in (300, 500, 650):
        read = np.repeat([0, 1], [1000 - ones, ones])[None]
        share = (ones / 1000 + specificity - 1) / (sensitivity + specificity - 1)
        expected = sum(p * np.log(2 * p) for p in (share, 1 - share))
        found = _measured(monkeypatch, "mode_kl", read, _Read(2, confusion))
        assert found[0] == pytest.approx(expected, abs=1e-9)
    nothing = _measured(monkeypatch, "mode_kl", np.zeros((1, 1000)), _Read(2, confusion))
    assert nothing[0] == pytest.approx(np.log(2), abs=1e-9)


@pytest.mark.parametrize("name", ["modes_covered", "mode_kl", "mode_forward_kl"])
def test_a_cloud_without_a_good_sample_is_as_bad_as_where_nothing_is_misread(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nor does it warn of what it divides: nothing by nothing, as a young generator has it."""
    monkeypatch.setattr(
        _Read,
        "assign",
        lambda own, samples, radius: (samples[..., 0].astype(int), samples[..., 0] > 8),
    )
    read = np.stack([np.zeros(100, int), np.full(100, 9)])
    found = _measured(monkeypatch, name, read, _Read(CLASSES, _confusion(CLASSES, 0.05)))
    plain = _measured(monkeypatch, name, read, _Read(CLASSES))
    assert found[0] == plain[0]
    assert np.isfinite(found).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_label_accuracy_is_unbiased(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    """Of classes, and of stacks of them, each read by itself; with few samples of a label."""
    classes = 4
    confusion = _confusion(classes, 0.08)
    count = classes**channels
    rng, places = np.random.default_rng(2), [classes] * channels
    told = rng.integers(count, size=(CLOUDS, 500))
    right = rng.random(told.shape) < 0.7
    truth = np.where(right, told, rng.integers(count, size=told.shape))
    exact = (truth == told).mean(axis=-1)
    own = [_read(rng, one, confusion) for one in np.unravel_index(truth, places)]
    read = np.ravel_multi_index(own, places)
    erring = _Read(count, *[confusion] * channels)
    plain = _measured(monkeypatch, "label_accuracy", read, _Read(count), told) - exact
    corrected = _measured(monkeypatch, "label_accuracy", read, erring, told) - exact
    error = corrected.std() / np.sqrt(CLOUDS)
    assert abs(corrected.mean()) < 4 * error
    assert plain.mean() < -20 * error


@pytest.mark.parametrize("wrong", [0, 0.08])
def test_label_accuracy_is_unbiased_where_few_images_tell_how_classes_are_read(
    monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    """Up to what ten held-out images of each class leave: a share `wrong / 10` of it.

    Half an image more that is misread made 0.78 of 0.75, of a classifier without a fault.
    """
    classes, each, rng = 4, 10, np.random.default_rng(5)
    told = rng.integers(classes, size=(CLOUDS, 500))
    truth = np.where(rng.random(told.shape) < 0.7, told, rng.integers(classes, size=told.shape))
    apart = []
    for own, of in zip(truth, told, strict=True):
        truly = _confusion(classes, wrong, rng)
        modes = _Read(classes)
        modes.confusions = (_judged(rng, classes, each, truly),)
        found = _measured(monkeypatch, "label_accuracy", _read(rng, own, truly), modes, of)
        apart.append(found - (own == of).mean())
    error = np.std(apart) / np.sqrt(CLOUDS)
    assert abs(np.mean(apart) - 0.775 * wrong / each) <= 4 * error + 1e-12


@pytest.mark.parametrize("name", ["mode_kl", "mode_forward_kl"])
@pytest.mark.parametrize("each", [0, 1, 10, "uneven"])
def test_nothing_is_taken_back_of_a_classifier_that_has_not_erred(
    monkeypatch: pytest.MonkeyPatch, name: str, each: int | str
) -> None:
    """Half an image more that is misread made 0.04 of 0.001 with a few held-out images of each."""
    counts = np.arange(CLASSES) if each == "uneven" else np.full(CLASSES, each)
    modes = _Read(CLASSES)
    modes.confusions = (np.diag(counts).astype(float),)
    rng = np.random.default_rng(6)
    for shares in TRUTHS.values():
        read = rng.choice(CLASSES, (3, SAMPLES), p=shares)
        found = _measured(monkeypatch, name, read, modes)
        np.testing.assert_allclose(found, _measured(monkeypatch, name, read, _Read(CLASSES)))


def test_what_no_held_out_image_was_read_as_is_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of two held-out images was misread: samples that are read as its class are of it."""
    modes, read = _Read(2), np.repeat([0, 1], 500)[None]
    modes.confusions = (np.array([[1.0, 0], [1, 0]]),)
    assert _measured(monkeypatch, "mode_kl", read, modes)[0] < np.log(2) / 2


def test_no_sample_is_lost_where_each_class_is_read_as_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of three held-out images but one was misread: all that is read as the last is of it."""
    modes, read = _Read(3), np.full((1, 500), 2)
    modes.confusions = (np.array([[0.0, 0, 1], [0, 1, 0], [0, 1, 0]]),)
    assert _measured(monkeypatch, "mode_kl", read, modes)[0] == pytest.approx(np.log(3), rel=0.1)


def _images(path: Path, labels: NDArray[Any], unseen: NDArray[Any]) -> targets.Target:
    """Noise with these labels, in a training and a held-out set."""
    rng = np.random.default_rng(7)
    sets = {"train": labels, "test": unseen}
    pixels = {f"x_{k}": rng.integers(0, 256, (len(own), 4, 4), np.uint8) for k, own in sets.items()}
    np.savez(path, **pixels, **{f"y_{k}": own for k, own in sets.items()})
    return targets.from_config({"name": "images", "path": str(path)})


@pytest.mark.parametrize(
    ("classes", "each", "samples", "covered"),
    [
        *((2, 2, 2000, "0.0 of 2, with 2"), (2, 5, 2000, None), (10, 3, 2000, "0.1 of 10, with 3")),
        *((10, 5, 2000, None), (10, 6, 500, "9.6 of 10, with 6"), (10, 7, 500, None)),
        *((100, 4, 4000, "39.6 of 100, with 4"), (100, 10, 4000, None), (10, 1, 2000, "0.0 of 10")),
    ],
)
def test_where_too_few_images_are_held_out_covered_modes_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    classes: int,
    each: int,
    samples: int,
    covered: str | None,
) -> None:
    """What is refused, clouds of p with a classifier without a fault do not cover; the rest they
    do. No classifier is trained to know it.
    """
    labels = np.arange(classes)
    target = _images(tmp_path / "few.npz", np.repeat(labels, 20), np.repeat(labels, each))
    metric = metrics.family.from_config("modes_covered")
    why = metric.unfit(target, samples)
    modes = _Read(classes)
    modes.confusions = (each * np.eye(classes),)
    read = np.random.default_rng(8).integers(classes, size=(100, samples))
    found = _measured(monkeypatch, "modes_covered", read, modes)
    if covered is None:
        assert why is None
        assert found.mean() > classes - 0.2
    else:
        assert f"{samples:,} samples of images itself would cover {covered}" in str(why)
        assert f"{each} held-out image" in str(why)
        assert "of class '0'; hold out more (`held_out_share`)" in str(why)
        assert found.mean() < classes - 0.1
    for other in OTHERS:
        assert metrics.family[other]().unfit(target, samples) is None


def test_a_class_of_which_nothing_is_held_out_is_named(tmp_path: Path) -> None:
    """Nobody knows how it is read; high quality does not ask for it. Uneven counts do not matter
    where each class has enough.
    """
    labels = np.repeat(np.arange(10), 20)
    unseen = np.delete(np.repeat(np.arange(10), 30), np.s_[90:120])
    lacking = _images(tmp_path / "lacking.npz", labels, unseen)
    assert metrics.family["high_quality"]().unfit(lacking, 2000) is None
    for name in ("modes_covered", *OTHERS):
        why = metrics.family[name]().unfit(lacking, 2000)
        assert f"metric {name} needs held-out images of class '3'" in str(why)
    uneven = np.repeat(np.arange(10), [6, 300, 20, 9, 9, 9, 100, 8, 40, 7])
    many = _images(tmp_path / "uneven.npz", labels, uneven)
    assert metrics.family.from_config("modes_covered").unfit(many, 2000) is None
    few = _images(tmp_path / "few.npz", labels, uneven[5:])
    assert "with 1 held-out image of class '0'" in str(
        metrics.family.from_config("modes_covered").unfit(few, 2000)
    )


def test_a_sample_of_classes_that_are_read_alike_counts_by_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As few held-out images may have it: there is nothing to tell them apart by."""
    read = np.repeat([0, 1], 50)[None]
    alike = _Read(2, np.full((2, 2), 0.5))
    assert _measured(monkeypatch, "label_accuracy", read, alike, read)[0] == pytest.approx(0.5)


def test_misreading_hides_what_a_generator_of_stacks_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of so many modes are not corrected; misread, their divergence is too small only."""
    rng, confusion = np.random.default_rng(3), _confusion(CLASSES, 0.021)
    for modes in (1, 30, 300):
        truth = rng.integers(modes, size=(5, 5000))
        own = [_read(rng, one, confusion) for one in np.unravel_index(truth, [CLASSES] * 3)]
        read = np.ravel_multi_index(own, [CLASSES] * 3)
        erring = _Read(1000, *[confusion] * 3)
        exact = _measured(monkeypatch, "mode_kl", truth, _Read(1000))
        found = _measured(monkeypatch, "mode_kl", read, erring)
        assert (found < exact).all()
        assert (found > exact - 0.6).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("classes", "each", "wrong", "samples"),
    [
        *((10, 200, 0.02, 2000), (10, 20, 0.05, 2000), (3, 8, 0.1, 500), (100, 10, 0.05, 3000)),
        (3, 2000, 0.2, 2000),
    ],
)
def test_an_absent_class_is_hardly_ever_counted(
    monkeypatch: pytest.MonkeyPatch, classes: int, each: int, wrong: float, samples: int
) -> None:
    """However few held-out images tell how the classifier errs; and those that are there still are.

    One in a thousand is the promise. With images drawn again and again, and taken for so many more,
    it was a fourth to a half of the second and third case; and with half an image added to every
    pair of 100 classes, two thirds of those that were there did not count. Taken for the images of
    a class, those that are read so are a fifth too few in the last case: it was one in seven.
    """
    target, metric = targets.from_config("ring"), metrics.family.from_config("modes_covered")
    rng, counted, there = np.random.default_rng(4), [], []
    for _ in range(200):
        truly = _confusion(classes, wrong, rng)
        modes = _Read(classes)
        modes.confusions = (_judged(rng, classes, each, truly),)
        monkeypatch.setattr(type(target), "known_modes", lambda self, modes=modes: modes)
        shares = np.insert(np.full(classes - 1, 1 / (classes - 1)), 0, 0)
        counts = rng.multinomial(samples, shares @ truly)
        read = np.repeat(np.arange(classes), counts)[:, None]
        covered = metric.covered(read.astype(float), target)
        counted.append(covered[0])
        there.append(covered[1:].mean())
    assert np.sum(counted) <= 2
    assert np.mean(there) > 0.85
