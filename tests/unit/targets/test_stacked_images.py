"""The target `stacked_images`: channels of one image, and their modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import LABELLED_PICTURES, PICTURES

from ganstudy import targets
from ganstudy.targets import Target

STACKED = {"name": "stacked_images", "path": str(PICTURES), "label": "y"}


def _target(**settings: Any) -> Target:
    return targets.from_config({**STACKED, **settings})


def _rows(images: Any) -> set[bytes]:
    return {row.tobytes() for row in images}


@pytest.mark.parametrize("part", ["sample_labelled", "held_out_labelled"])
def test_channels_are_images_and_numbers_are_their_classes(part: str) -> None:
    """Each channel is an image of the right part of the file, in the class that its digit says."""
    target, single = _target(), targets.from_config(LABELLED_PICTURES)
    images, numbers = getattr(target, part)(np.random.default_rng(0), 300)
    known, classes = getattr(single, part)(np.random.default_rng(1), 20_000)
    own = {row.tobytes(): label for row, label in zip(known, classes, strict=True)}
    size = single.dimension
    digits = [numbers // single.labels**power % single.labels for power in (2, 1, 0)]
    for place, digit in enumerate(digits):
        channel = images[:, place * size : (place + 1) * size]
        assert [own[np.ascontiguousarray(row).tobytes()] for row in channel] == digit.tolist()
    assert target.labels == single.labels**3
    assert target.image == (3, 8, 8)
    other = getattr(target, part.removesuffix("_labelled"))(np.random.default_rng(2), 50)
    assert _rows(other[:, :size]) <= _rows(known)


def test_without_labels_there_are_no_modes() -> None:
    target = targets.from_config({"name": "stacked_images", "path": str(PICTURES)})
    assert target.known_modes() is None
    assert target.labels == 0


def test_more_classes_than_stacks_are_told_apart_by_are_refused(tmp_path: Path) -> None:
    """Of a thousand classes every array over modes has 8 GB."""
    pixels = np.random.default_rng(0).integers(0, 256, (303, 4, 4), np.uint8)
    for classes in (100, 101):
        np.savez(tmp_path / f"{classes}.npz", x=pixels, y=np.arange(303) % classes)
    settings = {"name": "stacked_images", "label": "y", "held_out_share": 0.01}
    assert _target(**settings, path=str(tmp_path / "100.npz")).labels == 100**3
    with pytest.raises(ValueError, match=r"101 classes make 1,030,301 modes .* 1,000,000"):
        _target(**settings, path=str(tmp_path / "101.npz"))


@pytest.mark.slow
def test_modes_are_those_of_the_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks of training images: read right where each channel is, and as good as stated; and once,
    however many metrics ask."""
    target, single = _target(), targets.from_config(LABELLED_PICTURES)
    modes, one = target.known_modes(), single.known_modes()
    assert modes is not None
    assert one is not None
    images, numbers = target.sample_labelled(np.random.default_rng(0), 4000)
    read, good = modes.assign(images, 3.0)
    with monkeypatch.context() as patch:
        patch.setattr("torch.nn.functional.conv2d", lambda *_: pytest.fail("read again"))
        np.testing.assert_array_equal(modes.assign(images, 9.0)[0], read)
    each = [one.assign(part, 9.0)[0] for part in np.split(images, 3, axis=1)]
    count = single.labels
    np.testing.assert_array_equal(read, (each[0] * count + each[1]) * count + each[2])
    assert (read == numbers).mean() > 0.8
    # The farthest image of a class is within its own distance: it is read to the same bits.
    assert modes.high_quality_share(4.0) == 1
    assert modes.assign(images, 4.0)[1].all()
    assert good.mean() == pytest.approx(modes.high_quality_share(3.0), abs=0.05)
    np.testing.assert_allclose(modes.weights.sum(), 1)
    np.testing.assert_allclose(modes.weights[count + 2], np.prod(one.weights[[0, 1, 2]]))
