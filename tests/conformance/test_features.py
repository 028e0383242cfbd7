"""Every feature space: the same numbers for the same image, whatever else is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny import LABELLED_PICTURES, example

from ganstudy import features, targets
from ganstudy.features import Features

IMAGES = targets.from_config(LABELLED_PICTURES)
CHEAP = [cls for cls in features.family if cls.name != "classifier"]
"""Without one that has to be trained, which has tests of its own where slow tests run."""

every_member = pytest.mark.parametrize("cls", CHEAP, ids=lambda cls: cls.name)


def _rows(count: int, seed: int = 0) -> NDArray[np.float32]:
    return IMAGES.sample(np.random.default_rng(seed), count)


@every_member
def test_an_image_has_its_features_whatever_is_beside_it(cls: type[Features]) -> None:
    """As many as stated, finite, the same again, in another order, and for an image alone."""
    own, rows = example(cls), _rows(30)
    known = own.of(rows, IMAGES)
    assert known.shape == (30, own.dimension(IMAGES))
    assert known.dtype == np.float64
    assert np.isfinite(known).all()
    assert np.ptp(known, axis=0).max() > 0
    np.testing.assert_array_equal(own.of(rows, IMAGES), known)
    order = np.random.default_rng(1).permutation(30)
    np.testing.assert_allclose(own.of(rows[order], IMAGES), known[order], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(own.of(rows[:1], IMAGES), known[:1], rtol=1e-4, atol=1e-5)


@every_member
def test_what_has_no_images_is_refused(cls: type[Features]) -> None:
    own = example(cls)
    assert own.problem(IMAGES) is None
    assert "no images" in str(own.problem(targets.from_config("ring")))
    assert own.about(IMAGES).startswith("in features of ")


@every_member
def test_far_values_have_finite_features(cls: type[Features]) -> None:
    """A generator that has gone astray is measured, and not an error."""
    far = np.stack([np.full(IMAGES.dimension, v, np.float32) for v in (-1e4, 0, 1, 1e4)])
    assert np.isfinite(example(cls).of(far, IMAGES)).all()
