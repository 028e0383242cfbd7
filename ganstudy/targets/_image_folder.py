"""Folders of PNG and JPEG files, whose folders may be classes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganstudy.system import in_order
from ganstudy.targets._pictures import Pictures, resized, small_enough
from ganstudy.targets._problems import DataError

if TYPE_CHECKING:
    from ganstudy.targets._pictures import AskedImages, Pixels

__all__ = ["of_folder"]

PICTURES = (".png", ".jpg", ".jpeg")

_SHOWN = 3


def of_folder(folder: Path, asked: AskedImages) -> Pictures:
    """The images of a folder, or of the folders in it, each of which is then a class.

    Errors  `DataError`, which names the files.
    """
    visible = [p for p in in_order(folder.rglob("*")) if p.is_file() and not _hidden(p, folder)]
    files = [path for path in visible if path.suffix.lower() in PICTURES]
    others = [_short(p, folder) for p in visible if p.suffix.lower() not in PICTURES]
    if not files:
        raise DataError(f"{folder}: no PNG or JPEG files, nor those of MNIST")
    images, broken = _read(folder, files, asked)
    if broken and (asked.unreadable == "refuse" or not images):
        what = f"{len(broken):,} of {len(files):,} files cannot be read: {_some(broken)}"
        raise DataError(f"{folder}: {what}; `unreadable: drop` leaves such files out")
    of_class = _classes(folder, list(images))
    classes = tuple(sorted(set(of_class)))
    labelled = len(classes) > 1
    left = (
        *([f"{len(others):,} files that are no PNG or JPEG: {_some(others)}"] if others else []),
        *([f"{len(broken):,} files that cannot be read: {_some(broken)}"] if broken else []),
    )
    return Pictures(
        _stacked(folder, images),
        np.array([classes.index(name) for name in of_class]) if labelled else None,
        classes if labelled else (),
        account=tuple(f"left out: {sentence}" for sentence in left),
    )


def _read(
    folder: Path, files: list[Path], asked: AskedImages
) -> tuple[dict[Path, Pixels], list[str]]:
    """Images by their file, and what cannot be read, with why."""
    images: dict[Path, Pixels] = {}
    broken = []
    for path in files:
        try:
            images[path] = _decoded(path, asked)
        except Exception as error:  # Pillow's readers have errors of their own
            why = "no image" if isinstance(error, UnidentifiedImageError) else str(error)
            broken.append(f"{_short(path, folder)} ({why})")
        else:
            small_enough(folder, images[path].size * len(files))
    return images, broken


def _classes(folder: Path, files: list[Path]) -> list[str]:
    """The folder that each file lies in, or ""."""
    parts = [path.relative_to(folder).parts for path in files]
    own = [names[0] if len(names) > 1 else "" for names in parts]
    if "" in own and any(own):
        beside = next(filter(None, own))
        raise DataError(f"{folder}: images beside the folder {beside!r}; it holds one or the other")
    return own


def _short(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN:,} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _decoded(path: Path, asked: AskedImages) -> Pixels:
    """An image `(height, width, channels)`, on black where it is transparent."""
    with warnings.catch_warnings():
        # A small file that claims to be a huge image.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as opened:
            opened.load()
            image = _eight_bits(opened)
            if image.has_transparency_data:
                seen = image.convert("RGBA")
                black = Image.new("RGBA", seen.size, (0, 0, 0, 255))
                image = Image.alpha_composite(black, seen).convert("RGB")
            plain = image.convert("L" if asked.grey or image.mode in ("1", "L") else "RGB")
    pixels = np.asarray(plain)
    return resized(pixels[..., None] if pixels.ndim == 2 else pixels, asked.size)


def _eight_bits(image: Image.Image) -> Image.Image:
    """What Pillow would cut off at 255 of an image of 16 bits."""
    if not image.mode.startswith("I"):
        return image
    deep = np.asarray(image).astype(np.float64) / 257
    return Image.fromarray(np.clip(deep.round(), 0, 255).astype(np.uint8))


def _stacked(folder: Path, images: dict[Path, Pixels]) -> Pixels:
    """Images of one size, all in colour if one is."""
    first, *_ = images
    height, width, _ = images[first].shape
    for path, image in images.items():
        if image.shape[:2] != (height, width):
            one = f"{_short(first, folder)} has {height} x {width} pixels"
            other = f"{_short(path, folder)} {image.shape[0]} x {image.shape[1]}"
            raise DataError(f"{folder}: {one}, {other}; `size: 32` would make all alike")
    channels = max(image.shape[2] for image in images.values())
    whole = np.empty((len(images), height, width, channels), np.uint8)
    for place, image in enumerate(images.values()):
        whole[place] = image  # grey is the same in all channels
    return whole
