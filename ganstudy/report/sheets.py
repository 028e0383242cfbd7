"""Images side by side in one: sheets, as pixels and as PNG of a bounded size."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets import Image

    Pixels = NDArray[np.uint8]

__all__ = ["GAP", "pictures", "png", "sheet"]

GAP = 1
"""Pixels between the images of a sheet."""

_BETWEEN = 255
"""Grey between images."""


def pictures(samples: NDArray[np.floating], image: Image) -> Pixels:
    """Rows as pictures, `(count, dimension) -> (count, height, width, 3)`.

    One channel is grey and three are colours; other numbers of channels stand side by side in grey.
    Values outside [-1, 1] are cut off, and what is not a number is black.
    """
    values = np.nan_to_num(np.asarray(samples, np.float32), nan=-1.0).clip(-1, 1)
    pixels = np.round((values + 1) * 127.5).astype(np.uint8)
    planes = pixels[:, : math.prod(image)].reshape(-1, *image)
    if image.channels == 3:
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    beside = np.concatenate([planes[:, channel] for channel in range(image.channels)], axis=-1)
    return np.repeat(beside[..., None], 3, axis=-1)


def sheet(images: Pixels, columns: int, scale: int = 1) -> Pixels:
    """Pictures in lines of so many, `(count, height, width, 3) -> (*, *, 3)`, each pixel a square
    of `scale` pixels.
    """
    count, height, width, _ = images.shape
    rows = math.ceil(count / columns)
    height, width = scale * height + GAP, scale * width + GAP
    whole = np.full((rows * height - GAP, columns * width - GAP, 3), _BETWEEN, np.uint8)
    for place, image in enumerate(images.repeat(scale, axis=1).repeat(scale, axis=2)):
        row, column = divmod(place, columns)
        top, left = row * height, column * width
        whole[top : top + height - GAP, left : left + width - GAP] = image
    return whole


def png(pixels: Pixels) -> bytes:
    """The content of a PNG file; a byte a pixel or less where there is no colour."""
    from PIL import Image as Pillow

    picture = Pillow.fromarray(pixels)
    if bool((pixels == pixels[..., :1]).all()):
        picture = picture.convert("L")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
