"""Folders of PNG and JPEG files, whose folders may be classes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ganstudy.targets._files import files_below
from ganstudy.targets._pictures import PICTURES, Pictures, resized, small_enough
from ganstudy.targets._problems import DataError, some

if TYPE_CHECKING:
    from ganstudy.targets._pictures import AskedImages, Pixels

__all__ = ["of_folder"]

_SHOWN = 3

_TRAINING = "train"
_HELD_OUT = ("test", "val", "valid", "validation")
"""Names of folders that hold sets, not classes, where both kinds stand side by side."""


class _Place(NamedTuple):
    """Which set and class a file is of; without classes "", and held out where a set is."""

    held_out: str
    of_class: str


def of_folder(folder: Path, asked: AskedImages) -> Pictures:
    """The images of a folder, or of the folders in it, each of which is then a class.

    Folders `train` and `test`, or another usual name of the second, hold the training set and the
    held-out one. A folder that has one folder alone stands for that one.

    Errors  `DataError`, which names the files.
    """
    below = files_below(folder)
    files = [path for path in below if path.suffix.lower() in PICTURES]
    others = [_short(path, folder) for path in below if path.suffix.lower() not in PICTURES]
    if not files:
        there = f"; it has {some(others, _SHOWN)}" if others else ""
        raise DataError(f"{folder}: no PNG or JPEG files, nor those of MNIST{there}")
    images, broken = _read(folder, files, asked)
    if broken and (asked.unreadable == "refuse" or not images):
        what = f"{len(broken):,} of {len(files):,} files cannot be read: {some(broken, _SHOWN)}"
        raise DataError(f"{folder}: {what}; `unreadable: drop` leaves such files out")
    places = _places(folder, list(images))
    held_out = {place.held_out for place in places.values()} - {""}
    classes = tuple(sorted({place.of_class for place in places.values()}))
    # What is held out stands behind the rest.
    ordered = sorted(places, key=lambda path: bool(places[path].held_out))
    labels = np.array([classes.index(places[path].of_class) for path in ordered])
    number = sum(bool(place.held_out) for place in places.values())
    return Pictures(
        _stacked(folder, {path: images[path] for path in ordered}),
        labels if len(classes) > 1 else None,
        tuple(map(_readable, classes)) if len(classes) > 1 else (),
        held_out=number,
        account=(
            *(f"held out: the {number:,} images of {name}" for name in held_out),
            *_left_out(others, "is no PNG or JPEG", "are no PNG or JPEG"),
            *_left_out(broken, "cannot be read", "cannot be read"),
        ),
    )


def _left_out(files: list[str], one: str, several: str) -> list[str]:
    """A sentence, if there are any."""
    which = f"1 file that {one}" if len(files) == 1 else f"{len(files):,} files that {several}"
    return [f"left out: {which}: {some(files, _SHOWN)}"] if files else []


def _read(
    folder: Path, files: list[Path], asked: AskedImages
) -> tuple[dict[Path, Pixels], list[str]]:
    """Images by their file, and what cannot be read, with why."""
    images: dict[Path, Pixels] = {}
    broken = []
    for path in files:
        try:
            if not path.is_file():
                raise FileNotFoundError("no file")
            images[path] = _decoded(path, asked)
        except Exception as error:  # Pillow's readers have errors of their own
            why = "no PNG or JPEG" if isinstance(error, UnidentifiedImageError) else str(error)
            broken.append(f"{_short(path, folder)} ({why})")
        else:
            small_enough(folder, images[path].size * len(files))
    return images, broken


def _places(folder: Path, files: list[Path]) -> dict[Path, _Place]:
    """The set and the class of each file, by the folders that it lies in."""
    parts = {path: path.relative_to(folder).parts for path in files}
    while len({names[0] for names in parts.values()}) == 1 and _no_files(parts.values()):
        parts = {path: names[1:] for path, names in parts.items()}
    names = {own[0] for own in parts.values()} if _no_files(parts.values()) else set()
    held_out = sorted(name for name in names if name.lower() in _HELD_OUT)
    training = sorted(name for name in names if name.lower() == _TRAINING)
    if not training or not held_out or len(names) > len(training) + len(held_out):
        return {path: _Place("", own) for path, own in _classes(folder, parts).items()}
    if len(names) > 2:
        listed = ", ".join(sorted(names))
        raise DataError(f"{folder}: sets {listed}; two are read, for training and held out")
    found = {}
    for name in (*training, *held_out):
        own = {path: rest[1:] for path, rest in parts.items() if rest[0] == name}
        of_set = name if name in held_out else ""
        for path, of_class in _classes(folder / name, own).items():
            found[path] = _Place(of_set, of_class)
    with_classes = {parts[path][0] for path, place in found.items() if place.of_class}
    if len(with_classes) == 1:
        (one,), (other,) = with_classes, names - with_classes
        path = next(path for path in found if parts[path][0] == one)
        what = f"{one} has folders of classes, {other} has none"
        place = path.parents[len(parts[path]) - 2]
        raise DataError(f"{folder}: {what}; `path: {place}` reads {one} alone")
    return found


def _no_files(parts: Iterable[tuple[str, ...]]) -> bool:
    """Whether all lie in folders."""
    return all(len(names) > 1 for names in parts)


def _classes(folder: Path, parts: dict[Path, tuple[str, ...]]) -> dict[Path, str]:
    """The folder that each file lies in, or ""."""
    own = {path: names[0] if len(names) > 1 else "" for path, names in parts.items()}
    if "" in own.values() and any(own.values()):
        beside = next(filter(None, own.values()))
        raise DataError(f"{folder}: images beside the folder {beside!r}; it holds one or the other")
    return own


def _short(path: Path, folder: Path) -> str:
    return _readable(path.relative_to(folder).as_posix())


def _readable(name: str) -> str:
    """A name without what is no text in it: those of old archives may be in no encoding."""
    return os.fsencode(name).decode(errors="replace")


def _decoded(path: Path, asked: AskedImages) -> Pixels:
    """An image `(height, width, channels)` the right way up, on black where it is transparent."""
    with warnings.catch_warnings():
        # A small file that claims to be a huge image.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Whatever the name says, Pillow reads others, too, and runs Ghostscript for some.
        with Image.open(path, formats=("PNG", "JPEG")) as opened:
            opened.load()
            # Cameras say beside the pixels which way up they are.
            image = _eight_bits(ImageOps.exif_transpose(opened))
            if image.has_transparency_data:
                seen = image.convert("RGBA")
                black = Image.new("RGBA", seen.size, (0, 0, 0, 255))
                image = Image.alpha_composite(black, seen).convert("RGB")
            pixels = np.asarray(image.convert("L" if asked.grey else "RGB"))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    # Grey may come as colours, of a palette for example, or with transparency.
    colourless = (pixels == pixels[..., :1]).all()
    return resized(pixels[..., :1] if colourless else pixels, asked.size)


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
