"""`images`: images of the user's own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from ganstudy.targets._classifier import ClassModes, known_accuracy
from ganstudy.targets._files import check_content
from ganstudy.targets._image import Image
from ganstudy.targets._image_files import read_pictures
from ganstudy.targets._own_images import OwnImages
from ganstudy.targets._pictures import AskedImages
from ganstudy.targets._problems import DataError
from ganstudy.targets._reader import shares
from ganstudy.targets._rows import Rows, RowsTarget, split, untrained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Modes

_LEVELS = (np.arange(256) / 127.5 - 1).astype(np.float32)
"""The value of each byte, on [-1, 1]."""

_SHOWN = 10
"""Classes that an account lists."""


class Images(OwnImages, RowsTarget):
    """Images in a folder or a file, on the scale [-1, 1].

    Data    p is the empirical law of the training images. A folder holds PNG or JPEG files, or
            folders of them, which are then classes; or `train` and `test` (`training`; `testing`,
            `val`, `valid`, `validation`) of either kind; or the four files of MNIST. `test` and
            `t10k` are the held-out set; else which images are follows from their number alone. A
            file is `.npz` or `.npy` with an array (images, height, width), with channels before
            height or after width, or with arrays as Keras names them; or one of MNIST's, whose
            labels lie beside it. Numbers are taken for [0, 255], [0, 1] or [-1, 1] by the largest,
            or `range` says which are the ends; `ganstudy check` prints what was read. A relative
            path starts at the working directory. The SHA-256 of all contents is part of the trial's
            settings.
    Labels  class folders, MNIST's labels, or the array that `label` names.
    Modes   the classes, told apart by a classifier that is trained once on the training images.
    Errors  what is missing, changed, no image or of another size; a set or a class without images;
            an array that can be read in two ways; numbers on no known scale, or on one of two; more
            than 4 GiB of pixels; fewer than three images; a class of which all are held out.
    Source  the user. MNIST: LeCun, Bottou, Bengio & Haffner 1998; Fashion-MNIST: Xiao, Rasul &
            Vollgraf 2017.
    """

    layout: Literal["channels_first", "channels_last"] | None = Field(
        None, description="where an array has its channels; null: recognised"
    )
    grey: bool = Field(False, description="whether colours are made greys")
    unreadable: Literal["refuse", "drop"] = Field(
        "refuse", description="what becomes of files in a folder that cannot be read"
    )

    def check_readable(self) -> None:
        """Read them.

        Errors  `DataError`.
        """
        self.rows()

    @property
    def image(self) -> Image:
        """As they are, or as `size` and `grey` make them."""
        if self.gone:
            assert self.outline.image is not None
            return Image(*self.outline.image)
        return self._read().image

    def rows(self) -> Rows:
        """The images, read once in a process; bytes where they came as bytes.

        Errors  `DataError` if they have changed since the study was read.
        """
        if self.gone:
            return self.outline.empty()
        return self._read().rows

    def values(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Bytes on the scale [-1, 1]."""
        if rows.dtype == np.uint8:
            return np.take(_LEVELS, rows)
        return super().values(rows).astype(np.float32)

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Its classes, as folders or labels are called."""
        return self.rows().classes

    def known_modes(self) -> Modes | None:
        """The classes, told apart by a classifier; None without labels."""
        labels = self.rows().labels
        if labels is None:
            return None
        return ClassModes(shares=shares(labels), target=self)

    @property
    def description(self) -> str:
        """What the data are, how many, and how well classes are told apart if that is known."""
        accuracy = known_accuracy(self) if self.labels else None
        read = "" if accuracy is None else f"; classifier right on {accuracy:.1%} of held-out ones"
        return f"{super().description}{read}"

    def account(self) -> list[str]:
        """What was read, for the user to see."""
        rows, image, sentences = self._read()
        parts = [rows.train, rows.held_out]
        known = [own for own in (rows.labels, rows.held_out_labels) if own is not None]
        labels = np.bincount(np.concatenate(known)).tolist() if known else []
        counts = [f"  {name}: {n:,}" for name, n in zip(rows.classes, labels, strict=True)]
        scale = "bytes" if rows.train.dtype == np.uint8 else "numbers"
        ends = f"from {min(x.min() for x in parts):g} to {max(x.max() for x in parts):g}"
        size = f"{image.channels} x {image.height} x {image.width} {scale} {ends}"
        labelled = f", {len(labels)} labels" if labels else ""
        return [
            f"{self.path}: {sum(map(len, parts)):,} images of {size}{labelled}",
            *counts[:_SHOWN],
            *([f"  and {len(counts) - _SHOWN} more"] if len(counts) > _SHOWN else []),
            *(f"  {sentence}" for sentence in (*sentences, *rows.told_copies("images"))),
        ]

    def _read(self) -> _Read:
        names = AskedImages.__dataclass_fields__
        asked = AskedImages(**{name: getattr(self, name) for name in names})
        return _read(self.path, str(self.sha256), asked, self.held_out_share)


class _Read(NamedTuple):
    """Images in rows, and not as they were read beside them: they are most of a process's memory.

    account  as in `Pictures`
    """

    rows: Rows
    image: Image
    account: tuple[str, ...]


@lru_cache(maxsize=8)
def _read(path: str, sha256: str, asked: AskedImages, held_out_share: float) -> _Read:
    check_content(path, sha256)
    read = read_pictures(path, asked)
    count, height, width, channels = read.pixels.shape
    if count < 3:
        raise DataError(f"{path}: {count} images; a target needs three at least")
    if (read.pixels == read.pixels[:1]).all():
        raise DataError(f"{path}: all images are the same")
    train, held_out = split(count, held_out_share)
    if read.held_out:
        train, held_out = np.split(np.arange(count), [count - read.held_out])
    labels = [None if read.labels is None else read.labels[part] for part in (train, held_out)]
    if labels[0] is not None and (
        why := untrained(path, "images of class", read.classes, labels[0])
    ):
        raise DataError(why)
    first, second = (
        np.moveaxis(read.pixels[own], -1, 1).reshape(len(own), -1) for own in (train, held_out)
    )
    rows = Rows(first, second, labels[0], held_out_labels=labels[1], classes=read.classes)
    return _Read(rows, Image(channels, height, width), read.account)
