"""Images that have been read, and what is made of them: size, grey."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ganstudy.targets._problems import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

__all__ = ["PICTURES", "AskedImages", "Pictures", "prepared", "resized", "small_enough"]

PICTURES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif")
"""How names of images end."""

LARGEST = 4 * 2**30
"""Bytes of all images together, beyond which they are to be made smaller as they are read."""


@dataclass(frozen=True)
class AskedImages:
    """What a study says of images: which arrays, how they lie, their ends, what is made of them."""

    key: str | None = None
    label: str | None = None
    layout: Literal["channels_first", "channels_last"] | None = None
    range: tuple[float, float] | None = None
    size: int | None = None
    grey: bool = False
    unreadable: Literal["refuse", "drop"] = "refuse"


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images `(count, height, width, channels)` of uint8, or of float32 from -1 to 1.

    labels    0, 1, ... of each image, named by `classes`; None without
    held_out  how many of the last images are a held-out set of their own
    account   what was read and what was left out, a sentence each
    """

    pixels: Pixels
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    held_out: int = 0
    account: tuple[str, ...] = ()


def small_enough(path: Path, size: int) -> None:
    if size > LARGEST:
        raise DataError(f"{path}: {size / 2**30:.1f} GiB of pixels; `size: 64` makes them smaller")


def prepared(path: Path, pixels: Pixels, asked: AskedImages) -> Pixels:
    """Resized and, if asked, in grey by the weights of ITU-R 601."""
    count, height, width, channels = pixels.shape
    area = asked.size**2 if asked.size else height * width
    small_enough(path, count * area * channels * pixels.itemsize)
    if asked.grey and pixels.shape[-1] == 3:
        grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
        whole = grey.round() if pixels.dtype == np.uint8 else grey
        pixels = whole[..., None].astype(pixels.dtype)
    if asked.size is None:
        return pixels
    return np.stack([resized(image, asked.size) for image in pixels])


def resized(image: Pixels, size: int | None) -> Pixels:
    """The middle square, `size` pixels a side, each the weighted mean of what it covers."""
    if size is None or image.shape[:2] == (size, size):
        return image
    from PIL import Image

    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    square = image[top : top + side, left : left + side]
    layers = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(square[..., channel])).resize(
                (size, size), Image.Resampling.BILINEAR
            )
        )
        for channel in range(image.shape[2])
    ]
    return np.stack(layers, axis=-1)
