"""Metrics of samples under the labels that their generator was told, by hand on a ring of four."""

from __future__ import annotations

import numpy as np
import pytest

from ganstudy import metrics, targets
from ganstudy.metrics import Metric

RING = targets.from_config({"name": "ring", "modes": 4, "std": 0.1})
EAST, NORTH, WEST, SOUTH = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
LOST = np.array([0.0, 0.0])
"""Ten standard deviations from every mode."""

ACCURACY = metrics.family["label_accuracy"]()
COVERED = metrics.family["labels_covered"]()
BOTH = pytest.mark.parametrize("metric", [ACCURACY, COVERED], ids=lambda metric: metric.name)


def test_values_by_hand() -> None:
    """Label 0 half right, label 1 all, label 2 by another mode or none, label 3 one of three."""
    samples = np.array([EAST, NORTH, NORTH, NORTH, SOUTH, LOST, SOUTH, WEST, LOST])
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3])
    assert ACCURACY.compute_labelled(samples, labels, RING) == pytest.approx(4 / 9)
    assert COVERED.compute_labelled(samples, labels, RING) == 2
    for share, covered in ((0.3, 3), (1 / 3, 3), (0.51, 1), (1.0, 1)):
        own = metrics.family.from_config({"name": "labels_covered", "share": share})
        assert own.compute_labelled(samples, labels, RING) == covered


def test_each_cloud_of_a_pack_is_counted_alone() -> None:
    """Two by three clouds, each as if it were the only one."""
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=(2, 3, 40))
    shown = np.where(rng.random(labels.shape) < 0.3, labels, rng.integers(4, size=labels.shape))
    samples = np.array([EAST, NORTH, WEST, SOUTH])[shown]
    accuracy = ACCURACY.compute_labelled(samples, labels, RING)
    covered = COVERED.compute_labelled(samples, labels, RING)
    assert accuracy.shape == covered.shape == (2, 3)
    np.testing.assert_allclose(accuracy, (shown == labels).mean(-1))
    for place in np.ndindex(2, 3):
        right = [(shown[place] == k)[labels[place] == k].mean() >= 0.5 for k in range(4)]
        assert covered[place] == sum(right)
    assert len(np.unique(accuracy)) > 1


def test_the_radius_decides_what_is_right() -> None:
    """A sample 2.5 standard deviations off is right within three and wrong within two."""
    samples, labels = EAST[None] + [0.25, 0.0], np.array([0])
    assert ACCURACY.compute_labelled(samples, labels, RING) == 1
    near = metrics.family.from_config({"name": "label_accuracy", "radius": 2.0})
    assert near.compute_labelled(samples, labels, RING) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_wrong(value: float) -> None:
    """They count among the samples of their label: one of two, and none of one."""
    samples = np.array([EAST, [value, 0.0], [0.0, value]])
    labels = np.array([0, 0, 1])
    assert ACCURACY.compute_labelled(samples, labels, RING) == pytest.approx(1 / 3)
    assert COVERED.compute_labelled(samples, labels, RING) == 1


def test_labels_without_samples_are_not_covered_and_weigh_nothing() -> None:
    samples, labels = np.array([WEST, WEST, EAST]), np.array([2, 2, 2])
    assert ACCURACY.compute_labelled(samples, labels, RING) == pytest.approx(2 / 3)
    assert COVERED.compute_labelled(samples, labels, RING) == 1


@BOTH
def test_bounds_are_reached_and_not_passed(metric: Metric) -> None:
    """All right is the upper bound, the neighbour's mode each time the lower."""
    reading = metric.reading(RING)
    labels = np.repeat(np.arange(4), 5)
    centres = np.array([EAST, NORTH, WEST, SOUTH])
    values = [metric.compute_labelled(centres[(labels + k) % 4], labels, RING) for k in range(4)]
    assert values == [reading.bounds[1], 0, 0, 0]
    assert reading.bounds[0] == 0
    rng = np.random.default_rng(1)
    drawn = metric.compute_labelled(*RING.sample_labelled(rng, 4000), RING)
    share = reading.value_at_equality / reading.bounds[1]
    error = np.sqrt(share * (1 - share) / 4000)
    assert abs(float(drawn) / reading.bounds[1] - share) <= 4 * error


@BOTH
def test_samples_without_labels_cannot_be_measured(metric: Metric) -> None:
    assert metric.labelled
    with pytest.raises(ValueError, match=f"{metric.name} needs the labels"):
        metric.compute(np.array([EAST]), RING)


@BOTH
@pytest.mark.parametrize("name", ["moons", "pinwheel", "swiss_roll"])
def test_targets_without_labels_that_name_modes_are_refused(metric: Metric, name: str) -> None:
    """Labels without modes, and neither."""
    target = targets.from_config(name)
    assert metric.problem(target) == (
        f"metric {metric.name} needs labels that name modes; those of {name} do not"
    )
    assert metric.problem(RING) is None
