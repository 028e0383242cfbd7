"""Sheets of images: which pixel is where, and how large their files become."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from ganstudy.report.sheets import pictures, png, sheet
from ganstudy.targets import Image


@pytest.mark.parametrize(
    ("channels", "size"), [(1, (2, 3, 4)), (2, (2, 3, 8)), (3, (2, 3, 4)), (5, (2, 3, 20))]
)
def test_every_number_is_one_pixel(channels: int, size: tuple[int, ...]) -> None:
    """Three channels are colours, one is grey, other numbers stand side by side."""
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (2, channels * 12)).astype(np.float32)
    found = pictures(rows, Image(channels, 3, 4))
    assert found.shape == (*size, 3)
    planes = np.round((rows.reshape(2, channels, 3, 4) + 1) * 127.5)
    for channel in range(channels):
        plane = found[..., channel] if channels == 3 else found[..., channel * 4 :, 0][..., :4]
        np.testing.assert_array_equal(plane, planes[:, channel])


def test_the_ends_of_the_scale() -> None:
    found = pictures(np.array([[-2.0, -1.0, 1.0, np.nan, np.inf]]), Image(1, 1, 5))
    assert found[0, 0, :, 0].tolist() == [0, 0, 255, 0, 255]


def test_images_stand_line_by_line() -> None:
    images = np.zeros((3, 2, 2, 3), np.uint8)
    images[:] = np.arange(1, 4)[:, None, None, None]
    whole = sheet(images, 2, scale=2)
    assert whole.shape == (9, 9, 3)
    assert whole[0, 0, 0] == 1
    assert whole[3, 8, 0] == 2
    assert whole[5, 3, 0] == 3
    assert (whole[4] == 255).all()
    assert (whole[5:, 5:] == 255).all()


def test_a_picture_is_kept_exactly() -> None:
    """Grey ones too, a byte a pixel."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    grey = np.repeat(noise[..., :1], 3, axis=-1)
    for pixels, mode in ((noise, "RGB"), (grey, "L")):
        with Pillow.open(io.BytesIO(png(pixels))) as picture:
            assert picture.mode == mode
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), pixels)
