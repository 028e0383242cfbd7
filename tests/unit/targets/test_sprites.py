"""The target `sprites`: a thousand modes that are known exactly, and read without error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from ganstudy import targets
from ganstudy.targets import Modes, Target

SETTINGS: list[dict[str, Any]] = [
    {"size": 8},
    {"size": 8, "channels": 1, "shapes": 4, "colours": 3, "columns": 3, "rows": 3},
    {"size": 11, "colours": 30, "shapes": 2, "rows": 1, "imbalance": 20.0},
]

every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def _target(**settings: Any) -> Target:
    return targets.from_config({"name": "sprites", **settings})


def _modes(target: Target) -> Modes:
    modes = target.known_modes()
    assert modes is not None
    return modes


def _images(settings: dict[str, Any]) -> NDArray[np.float64]:
    """The image of each mode: draws with next to no noise."""
    target = _target(**settings, noise=1e-7)
    x, mode = target.sample_labelled(np.random.default_rng(0), 40 * target.labels)
    kind, first = np.unique(mode, return_index=True)
    assert len(kind) == target.labels
    return x[first].astype(np.float64)


@every_setting
def test_modes_are_the_nearest_images(settings: dict[str, Any]) -> None:
    """Against SciPy's distances, on samples of p and on noise; no draw of p is misread."""
    target = _target(**settings)
    drawn, label = target.sample_labelled(np.random.default_rng(1), 1500)
    noise = np.random.default_rng(2).uniform(-1, 1, (300, target.dimension))
    mode, good = _modes(target).assign(drawn, 3.0)
    np.testing.assert_array_equal(mode, label)
    assert good.all()
    away, _ = _modes(target).assign(noise, 3.0)
    distance = cdist(noise, _images(settings))
    chosen = np.take_along_axis(distance, away[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(chosen, distance.min(axis=1), rtol=1e-5)


@every_setting
def test_radius_is_in_thirds_of_half_the_way_to_the_next_mode(settings: dict[str, Any]) -> None:
    """Between an image and its nearest other: good up to the middle, or to the share of it."""
    target = _target(**settings)
    images = _images(settings)
    distance = cdist(images, images) + np.where(np.eye(len(images)), np.inf, 0)
    other = images[distance.argmin(axis=1)]
    for radius in (1.0, 2.0, 3.0):
        for share, expected in ((0.99, True), (1.01, False)):
            between = images + share * radius / 3 * (other - images) / 2
            mode, good = _modes(target).assign(between, radius)
            own = mode == np.arange(len(images))
            np.testing.assert_array_equal(good & own, np.full(len(images), expected))
    grey = np.stack([np.full(target.dimension, v) for v in (-1, -0.9, 0, 0.5, 1)])
    assert not _modes(target).assign(grey, 3.0)[1].any()


def test_modes_are_counted_by_shape_colour_and_place() -> None:
    """Places of one shape and colour are the same image moved; colours of one place are scaled."""
    images = _images({"size": 8}).reshape(10, 10, 10, 3, 8, 8) + 0.9
    square = images[0, 0]
    assert square[0, 0, :4, :4].min() > 1.7
    assert square[1, 0, :4, 1:5].min() > 1.7
    assert square[5, 0, 4:, :4].min() > 1.7
    assert abs(square[0, 0, 4:]).max() < 0.02
    paints = images[0, :, 0, :, :4, :4].mean(axis=(-1, -2))
    assert np.sort(cdist(paints, paints), axis=1)[:, 1].min() > 0.8
    greys = _images({"size": 8, "channels": 1, "shapes": 1, "colours": 4, "rows": 1, "columns": 1})
    levels = np.sort(greys.max(axis=1))
    np.testing.assert_allclose(levels, -0.9 + 0.45 * np.arange(1, 5), atol=0.02)


def test_imbalance_is_the_ratio_of_the_first_weight_to_the_last() -> None:
    even, uneven = (_modes(_target(size=8, imbalance=r)).weights for r in (1.0, 50.0))
    np.testing.assert_allclose(even, 1e-3)
    assert uneven[0] / uneven[-1] == pytest.approx(50)
    np.testing.assert_allclose(uneven[1:] / uneven[:-1], uneven[1] / uneven[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 8, "columns": 6}, "columns should be at most 5 in 8 pixels"),
        ({"rows": 12}, "rows should be at most 9 in 16 pixels"),
        ({"size": 8, "channels": 1, "colours": 60}, "noise should be at most 0.00"),
        ({"shapes": 1, "colours": 1, "rows": 1, "columns": 1}, "there should be two"),
        ({"colours": 100, "rows": 9}, "45,000 modes; there should be at most 10,000"),
        ({"shapes": 11}, "less than or equal to 10"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        _target(**settings)
