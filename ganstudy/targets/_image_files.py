"""Images as people keep them: folders, NumPy's arrays, and the files of MNIST."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.system import in_order
from ganstudy.targets._pictures import PICTURES, Pictures, prepared
from ganstudy.targets._problems import DataError, unreadable

if TYPE_CHECKING:
    from ganstudy.targets._pictures import AskedImages, Pixels

__all__ = ["ARRAYS", "read_pictures"]

ARRAYS = (".npz", ".npy")

_SETS, _THEIR_LABELS = ("x_train", "x_test"), ("y_train", "y_test")
"""Arrays of an .npz file as Keras names them."""

_ROUNDED = 1e-6
"""Of the way between the ends, by which single precision may lie beyond them."""

_IDX = re.compile(r"(train|t10k)-images[-.]idx3-ubyte(\.gz)?")


def read_pictures(path: str, asked: AskedImages) -> Pictures:
    """What lies at a path.

    Errors  `DataError`, which names the file.
    """
    place = Path(path).expanduser()
    arrays = place.suffix.lower() in ARRAYS
    told = {"key": asked.key, "label": asked.label, "layout": asked.layout, "range": asked.range}
    for name in (name for name, value in told.items() if value is not None and not arrays):
        raise DataError(f"{path}: `{name}` is for .npz and .npy files, which this is not")
    try:
        if arrays:
            return _of_arrays(place, asked)
        own = {} if not place.is_dir() else _mnist(place)
        if place.is_dir() and not own:
            # Pillow takes a while to import, and only folders need it.
            from ganstudy.targets._image_folder import of_folder

            return of_folder(place, asked)
        return _of_idx(place if not own else own["train"], own.get("t10k"), asked)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # each format's reader has errors of its own
        raise unreadable(path, error) from None


# --- arrays ---------------------------------------------------------------------------------------


def _of_arrays(path: Path, asked: AskedImages) -> Pictures:
    labels, held_out = None, 0
    account: tuple[str, ...] = ()
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if path.suffix.lower() == ".npy":
            if asked.key is not None or asked.label is not None:
                raise DataError(f"{path}: `key` and `label` name arrays of an .npz file")
            array = loaded
        elif asked.key is None and asked.label is None and set(_SETS) <= set(loaded):
            parts = [loaded[name] for name in _SETS]
            array, held_out = _together(path, parts), len(parts[1])
            account = (f"held out: the {held_out:,} images of {_SETS[1]}",)
            labels = _their_labels(path, loaded)
        else:
            key = _key(path, loaded, asked)
            array = loaded[key]
            if asked.label is not None:
                if asked.label not in loaded:
                    raise DataError(f"{path}: no array {asked.label!r}; it has {', '.join(loaded)}")
                labels = np.asarray(loaded[asked.label])
            unread = [name for name in loaded if name not in (key, asked.label)]
            account = (f"not read: {', '.join(unread)}; `label` names labels",) if unread else ()
    lying = _channels_last(path, np.asarray(array), asked.layout)
    pixels, scale = _on_scale(path, lying, asked.range)
    whole = Pictures(prepared(path, pixels, asked), held_out=held_out, account=(*scale, *account))
    if labels is None:
        return whole
    if labels.shape not in ((len(pixels),), (len(pixels), 1)):
        raise DataError(
            f"{path}: an array of {_shape(labels)} labels for {len(pixels):,} images, "
            "which take one each"
        )
    if labels.dtype.kind == "f" and not (finite := np.isfinite(labels.ravel())).all():
        raise DataError(f"{path}: the label of image {finite.argmin()} (from 0) is not finite")
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    classes, codes = np.unique(labels.ravel(), return_inverse=True)
    return replace(whole, labels=codes.astype(np.int64), classes=tuple(map(str, classes)))


def _their_labels(path: Path, loaded: Any) -> Pixels | None:
    """Of Keras' arrays; None without."""
    there = [name for name in _THEIR_LABELS if name in loaded]
    if len(there) == 1:
        (place,) = (place for place, name in enumerate(_THEIR_LABELS) if name in there)
        lone = f"`key: {_SETS[place]}` and `label: {there[0]}` read these alone"
        raise DataError(f"{path}: {there[0]} are labels of one of {', '.join(_SETS)} only; {lone}")
    return np.concatenate([loaded[name] for name in there]) if there else None


def _together(path: Path, parts: Sequence[Pixels]) -> Pixels:
    """Training images and the held-out ones behind them."""
    first, second = parts
    if first.shape[1:] != second.shape[1:] or first.dtype != second.dtype:
        raise DataError(f"{path}: {_SETS[0]} and {_SETS[1]} are not of one shape and type")
    return np.concatenate(parts)


def _key(path: Path, loaded: Any, asked: AskedImages) -> str:
    if asked.key is not None:
        if asked.key not in loaded:
            there = ", ".join(loaded) or "none at all"
            raise DataError(f"{path}: no array {asked.key!r}; it has {there}")
        return asked.key
    if set(_SETS) <= set(loaded):
        whole = f"without `label`, {' and '.join(_SETS)} are read with their own labels"
        raise DataError(f"{path}: `label` needs `key`, one of {', '.join(_SETS)}; {whole}")
    of_images: list[str] = [name for name in loaded if loaded[name].ndim in (3, 4)]
    if len(of_images) > 1:
        raise DataError(f"{path}: key is needed, one of {', '.join(of_images)}")
    if not of_images:
        shapes = [f"{name} of {_shape(loaded[name])}" for name in loaded]
        what = "no array of images, which are (count, height, width)"
        raise DataError(f"{path}: {what}; it has {', '.join(shapes) or 'none at all'}")
    return of_images[0]


def _shape(array: Pixels) -> str:
    return " x ".join(map(str, array.shape)) or "one number"


def _channels_last(path: Path, array: Pixels, layout: str | None) -> Pixels:
    """`(count, height, width, channels)` of any usual layout."""
    if array.ndim == 3:
        return array[..., None]
    if array.ndim != 4:
        raise DataError(
            f"{path}: an array of {_shape(array)}; images are (count, height, width), "
            "with channels before height or after width"
        )
    first, last = array.shape[1] in (1, 3), array.shape[3] in (1, 3)
    if layout is None and first and last:
        raise DataError(f"{path}: shape {array.shape} can be read in two ways; write `layout`")
    if layout == "channels_first" or (layout is None and first):
        array = np.moveaxis(array, 1, -1)
    if array.shape[-1] not in (1, 3):
        raise DataError(
            f"{path}: shape {array.shape[1:]} has {array.shape[-1]} channels, not 1 or 3"
        )
    return array


def _on_scale(
    path: Path, pixels: Pixels, ends: tuple[float, float] | None
) -> tuple[Pixels, tuple[str, ...]]:
    """Bytes, or float32 on [-1, 1], and what was made of them; the scale follows from the largest
    number unless `ends` tell it.

    Errors  `DataError` for numbers that are on none of [0, 255], [0, 1] and [-1, 1], or may be on
            another scale, and for those beyond `ends`.
    """
    if pixels.dtype.kind not in "bfiu" or not pixels.size:
        raise DataError(f"{path}: {pixels.size} values of type {pixels.dtype}, which are no pixels")
    floats = pixels.dtype.kind == "f"
    if floats and not (finite := np.isfinite(pixels).all(axis=(1, 2, 3))).all():
        raise DataError(f"{path}: image {finite.argmin()} (from 0) has values that are not finite")
    low, high = float(pixels.min()), float(pixels.max())
    if ends is not None:
        return _between(path, pixels, ends), (_taken(low, high, f"[{ends[0]:.9g}, {ends[1]:.9g}]"),)
    if not floats and low >= 0 and high <= 1:
        return pixels.astype(np.uint8) * np.uint8(255), (_taken(low, high, "black and white"),)
    deep = pixels.dtype == np.uint16 and high > 255
    scale = "[0, 65535]" if deep else "[0, 255]"
    if low >= 0 and (1 < high < 128 or (deep and high < 2**15)):
        what = f"values from {low:.9g} to {high:.9g} may be on {scale} or another scale"
        raise DataError(f"{path}: {what}; write `range: {scale}`, or which numbers are the ends")
    if pixels.dtype == np.uint8:
        return pixels, ()
    if deep:
        return (pixels / 257).round().astype(np.uint8), (_taken(low, high, scale),)
    if low >= 0 and 1 < high <= 255:
        return (pixels / 127.5 - 1).astype(np.float32), (_taken(low, high, scale),)
    if low >= 0 and high <= 1:
        return (2 * pixels - 1).astype(np.float32), (_taken(low, high, "[0, 1]"),)
    if low >= -0.5 - _ROUNDED and high <= 0.5 + _ROUNDED:
        what = f"values from {low:.9g} to {high:.9g} may be on [-0.5, 0.5] or [-1, 1]"
        raise DataError(f"{path}: {what}; `range: [-0.5, 0.5]` says that these are the ends")
    if low >= -1 and high <= 1:
        return pixels.astype(np.float32), (_taken(low, high, "[-1, 1]"),)
    what = f"values from {low:.9g} to {high:.9g} are on none of [0, 255], [0, 1] and [-1, 1]"
    raise DataError(f"{path}: {what}; `range` says which numbers are the ends")


def _taken(low: float, high: float, scale: str) -> str:
    return f"values from {low:.9g} to {high:.9g}, taken for {scale}"


def _between(path: Path, pixels: Pixels, ends: tuple[float, float]) -> Pixels:
    """On [-1, 1], which are the ends; what rounding has put beyond them is at them."""
    black, white = ends
    if pixels.dtype == np.uint8 and ends == (0, 255):
        return pixels
    shares = (pixels.astype(np.float64) - black) / (white - black)
    if shares.min() < -_ROUNDED or shares.max() > 1 + _ROUNDED:
        what = f"values from {pixels.min():.9g} to {pixels.max():.9g}"
        raise DataError(f"{path}: {what} lie beyond `range: [{black:.9g}, {white:.9g}]`")
    return (2 * shares.clip(0, 1) - 1).astype(np.float32)


# --- MNIST's files --------------------------------------------------------------------------------


def _mnist(folder: Path) -> dict[str, Path]:
    """The files of images by the name of their set, if the training set is there."""
    found = {m[1]: path for path in in_order(folder.iterdir()) if (m := _IDX.fullmatch(path.name))}
    return found if "train" in found else {}


def _of_idx(train: Path, test: Path | None, asked: AskedImages) -> Pictures:
    files = [path for path in (train, test) if path is not None]
    sets = [_idx_set(path) for path in files]
    known = [labels for _, labels in sets if labels is not None]
    if 0 < len(known) < len(sets):
        of, without = sorted(files, key=lambda path: sets[files.index(path)][1] is None)
        lacking = next(_label_files(without)).name
        what = f"{of.name} has labels, {without.name} has none ({lacking} is not there)"
        raise DataError(f"{of.parent}: {what}; the path of {of.name} reads that set alone")
    pixels = prepared(train, np.concatenate([images for images, _ in sets])[..., None], asked)
    held_out = len(sets[1][0]) if test is not None else 0
    account = () if test is None else (f"held out: the {held_out:,} images of {test.name}",)
    whole = Pictures(pixels, held_out=held_out, account=account)
    if not known:
        return whole
    classes, codes = np.unique(np.concatenate(known), return_inverse=True)
    return replace(whole, labels=codes.astype(np.int64), classes=tuple(map(str, classes)))


def _idx_set(path: Path) -> tuple[Pixels, Pixels | None]:
    """Images and, where the file beside it has the name that goes with them, labels."""
    images = _idx(path, 3)
    own = next((p for p in _label_files(path) if p.is_file()), None)
    if own is None:
        return images, None
    labels = _idx(own, 1)
    if len(labels) != len(images):
        raise DataError(f"{own}: {len(labels):,} labels for {len(images):,} images")
    return images, labels


def _label_files(path: Path) -> Iterator[Path]:
    plain = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    if plain != path.name.removesuffix(".gz"):
        yield from (path.with_name(name) for name in (plain, f"{plain}.gz"))


def _idx(path: Path, dimensions: int) -> Pixels:
    """The array of an IDX file of bytes.

    Source  LeCun, Cortes & Burges, "The MNIST database of handwritten digits", file formats.
    """
    raw = path.read_bytes()
    content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    header = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]):
        if path.suffix.lower() in PICTURES:
            raise DataError(f"{path}: one image; `path` is that of the folder that holds them")
        known = f"a folder of images, {', '.join(ARRAYS)}"
        raise DataError(
            f"{path}: neither {known}, nor an IDX file of bytes in {dimensions} dimensions"
        )
    shape = tuple(int(n) for n in np.frombuffer(content[4:header], ">u4"))
    body = np.frombuffer(content, np.uint8, offset=header)
    if len(shape) != dimensions or body.size != np.prod(shape, dtype=np.int64):
        raise DataError(f"{path}: {body.size:,} bytes for an array of {shape}; it is cut off")
    return body.reshape(shape)
