"""Folders of PNG and JPEG files, whose folders may be classes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ganstudy.system import in_order
from ganstudy.targets._files import files_below
from ganstudy.targets._pictures import PICTURES, Pictures, resized, small_enough
from ganstudy.targets._problems import DataError, some

if TYPE_CHECKING:
    from ganstudy.targets._pictures import AskedImages, Pixels

__all__ = ["of_folder"]

_SHOWN = 3

_TRAINING = ("train", "training")
_HELD_OUT = ("test", "testing", "val", "valid", "validation")
"""Names of folders that hold sets, not classes, where both kinds stand side by side."""

_UNKNOWN_TO_PILLOW = (
    *(".arw", ".avif", ".cr2", ".cr3", ".dds", ".dng", ".eps", ".exr", ".heic", ".heics", ".heif"),
    *(".hif", ".jxl", ".jxr", ".nef", ".orf", ".pcd", ".qoi", ".raf", ".rw2", ".svg", ".webp"),
)
"""How names of images end that some of its versions do not call so, beside those that they do."""


class _Place(NamedTuple):
    """Which set and class a file is of; without classes "", and held out where a set is.

    deeper  the folder in its class that it lies in, with that of the class; else ""
    """

    held_out: str
    of_class: str
    deeper: str = ""


def of_folder(folder: Path, asked: AskedImages) -> Pictures:
    """The images of a folder, or of the folders in it, each of which is then a class.

    Folders `train` and `test`, or other usual names of both, hold the training set and the held-out
    one. A folder that has one folder alone stands for that one.

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
    places = _places(folder, files)
    _without_gaps(folder, places, images)
    places = {path: places[path] for path in images}
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
            *_no_classes(places),
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
    at = folder
    while names := _folders(at, parts.values()):
        if len(names) > 1:
            break
        at = at / names.pop()
        parts = {path: own[1:] for path, own in parts.items()}
    held_out = sorted(name for name in names if name.lower() in _HELD_OUT)
    training = sorted(name for name in names if name.lower() in _TRAINING)
    if not training or not held_out:
        return _classes(at, parts)
    if len(names) > 2:
        listed = ", ".join(sorted(names))
        raise DataError(f"{folder}: sets {listed}; two are read, for training and held out")
    found = {}
    for name in (*training, *held_out):
        own = {path: rest[1:] for path, rest in parts.items() if rest[0] == name}
        of_set = name if name in held_out else ""
        for path, place in _classes(at / name, own).items():
            found[path] = place._replace(held_out=of_set)
    with_classes = {parts[path][0] for path, place in found.items() if place.of_class}
    if len(with_classes) == 1:
        (one,), (other,) = with_classes, names - with_classes
        what = f"{one} has folders of classes, {other} has none"
        raise DataError(f"{folder}: {what}; `path: {at / one}` reads {one} alone")
    return found


def _folders(at: Path, parts: Iterable[tuple[str, ...]]) -> set[str]:
    """The folders in one that hold all of its files; none where some lie beside them.

    Errors  `DataError` for a set without images, and for a folder with nothing in it, or images of
            other formats alone: a set or a class would be missing.
    """
    if any(len(names) == 1 for names in parts):
        return set()
    found = {names[0] for names in parts}
    for own in in_order(at.iterdir()):
        if own.name.startswith(".") or not own.is_dir() or own.name in found:
            continue
        others = [path for path in files_below(own) if _is_picture(path.suffix.lower())]
        if own.name.lower() in _TRAINING + _HELD_OUT or others or _is_empty(own):
            what = f"{at}: folder {_readable(own.name)!r} has no images"
            if not others:
                raise DataError(f"{what}; put some there or take it away")
            there = some([_short(path, own) for path in others], _SHOWN)
            what = f"{what} that are PNG or JPEG, which alone are read; it has {there}"
            raise DataError(f"{what}: convert such files or take the folder away")
    return found


def _is_picture(suffix: str) -> bool:
    """Whether names of images end so, whether or not they are read."""
    kind = Image.MIME.get(Image.registered_extensions().get(suffix, ""), "")
    return kind.startswith("image/") or suffix in _UNKNOWN_TO_PILLOW


def _is_empty(folder: Path) -> bool:
    return all(own.name.startswith(".") for own in folder.iterdir())


def _classes(at: Path, parts: dict[Path, tuple[str, ...]]) -> dict[Path, _Place]:
    """The folder that each file lies in, or ""."""
    folders = {names[0] for names in parts.values() if len(names) > 1}
    if not folders:
        return dict.fromkeys(parts, _Place("", ""))
    if not _folders(at, parts.values()):
        beside = next(names[0] for names in parts.values() if len(names) > 1)
        raise DataError(f"{at}: images beside the folder {beside!r}; it holds one or the other")
    below = {names[1].lower() for names in parts.values() if len(names) > 2}
    if below & set(_TRAINING) and below & set(_HELD_OUT):
        sets = "the folders of classes have sets in them; sets hold classes, as in train/cats"
        raise DataError(f"{at}: {sets}")
    return {
        path: _Place("", names[0], "/".join(names[:-1]) if len(names) > 2 else "")
        for path, names in parts.items()
    }


def _without_gaps(folder: Path, places: dict[Path, _Place], images: dict[Path, Pixels]) -> None:
    """Every set and class has an image.

    Errors  `DataError`, which names one of which no file can be read.
    """
    there = {places[path][:2] for path in images}
    for path, place in places.items():
        if place[:2] not in there:
            where = path.parents[place.deeper.count("/")]
            what = f"no file of {_short(where, folder)} can be read"
            raise DataError(f"{folder}: {what}, and a set or class has one image at least")


def _no_classes(places: dict[Path, _Place]) -> list[str]:
    """A sentence, if folders lie in those of classes."""
    deeper = sorted({_readable(place.deeper) for place in places.values()} - {""})
    read = "read as images of the class that they lie in"
    return [f"{read}: those of {some(deeper, _SHOWN)}"] if deeper else []


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
