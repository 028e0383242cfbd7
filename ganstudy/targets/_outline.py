"""Files of the user's own in outline: with it records are read where they are no longer there.

A run keeps the outlines of its data. Where a run is read and its data have been moved, removed or
changed, their targets have the shape and the counts that they had, and no values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from ganstudy.plural import plural
from ganstudy.targets._rows import Rows, Units

__all__ = [
    *("FileOutline", "Gone", "Outline"),
    *("forget", "gone", "is_gone", "pinned", "pinning", "put", "there"),
]


class FileOutline(BaseModel):
    """What is known of a file or folder of the user's own without its content.

    settings  of the member that reads it, as canonical JSON
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: str
    path: str
    sha256: str


class Outline(FileOutline):
    """What is known of data without their values.

    rows      how many there are, for training and held out
    labels    how many rows of each of the two have each label; None without labels
    classes   what labels are called, where they have names
    image     channels, height and width of a row that is an image
    features  names, means and scales of columns that have names
    """

    rows: tuple[int, int]
    dimension: int
    labels: tuple[tuple[int, ...], tuple[int, ...] | None] | None = None
    classes: tuple[str, ...] = ()
    image: tuple[int, int, int] | None = None
    features: tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]] | None = None

    @classmethod
    def of(
        cls,
        settings: str,
        place: tuple[str, str],
        rows: Rows,
        image: Sequence[int] | None,
        classes: Sequence[str],
    ) -> Outline:
        """That of data which are there.

        place  path and SHA-256
        """
        known = rows.labels, rows.held_out_labels
        counts = [None if own is None else tuple(np.bincount(own).tolist()) for own in known]
        units = rows.features
        return cls(
            settings=settings,
            path=place[0],
            sha256=place[1],
            rows=(len(rows.train), len(rows.held_out)),
            dimension=rows.train.shape[1],
            labels=None if counts[0] is None else (counts[0], counts[1]),
            classes=tuple(classes),
            image=None if image is None else (image[0], image[1], image[2]),
            features=None
            if units is None
            else (units.names, tuple(units.mean.tolist()), tuple(units.scale.tolist())),
        )

    def is_like(self, other: Outline) -> bool:
        """Whether two say the same, but for last digits of means and scales, and for names of
        labels that one does not tell: of tables they once were not kept.
        """
        own, others = (
            (x.rows, x.dimension, x.labels, x.image, x.features and x.features[0])
            for x in (self, other)
        )
        named = bool(self.classes and other.classes)
        return own == others and not (named and self.classes != other.classes)

    @property
    def words(self) -> str:
        """How data were read."""
        shape = (
            plural(self.dimension, "number")
            if self.image is None
            else " x ".join(map(str, self.image))
        )
        labels = "" if self.labels is None else f", {plural(len(self.labels[0]), 'label')}"
        return f"{plural(sum(self.rows), 'row')} of {shape}{labels}"

    def empty(self) -> Rows:
        """Rows of this shape, none of which has a value."""
        parts = [np.broadcast_to(np.float32(np.nan), (n, self.dimension)) for n in self.rows]
        labels = [
            None if counts is None else np.repeat(np.arange(len(counts)), counts)
            for counts in self.labels or (None, None)
        ]
        units = None
        if self.features is not None:
            names, *scaling = self.features
            units = Units(names, *map(np.array, scaling))
        return Rows(parts[0], parts[1], labels[0], units, labels[1], self.classes)


class Gone(NamedTuple):
    """Files that are not as they were when a run read them, and why not, in words."""

    outline: FileOutline
    why: str


_gone: dict[str, Gone] = {}
"""By the settings of the members that read them."""

_pinned: ContextVar[Mapping[str, str] | None] = ContextVar("_pinned", default=None)

_there: ContextVar[bool] = ContextVar("_there", default=False)


def put(outline: FileOutline, why: str) -> None:
    """Say that a file is gone."""
    _gone[outline.settings] = Gone(outline, why)


def forget(path: str, sha256: str) -> None:
    """Say that a file is there, with this content."""
    for settings, (own, _) in list(_gone.items()):
        if (path, sha256) == (own.path, own.sha256):
            _gone.pop(settings, None)  # another thread may read the same run


def gone(settings: str) -> Gone | None:
    """What is known of the file of a member with these settings if it is gone."""
    return _gone.get(settings)


def is_gone(path: str, sha256: str | None = None) -> bool:
    """Whether what was at a path, with this content or with any, is known and gone, and need not be
    there.
    """
    known = [] if _there.get() else list(_gone.values())
    return any(path == own.path and sha256 in (None, own.sha256) for own, _ in known)


@contextmanager
def there() -> Iterator[None]:
    """While a study is read that is to be trained: its data have to be there, whatever runs know.

    Not while the study of a run is read.
    """
    token = _there.set(_pinned.get() is None)
    try:
        yield
    finally:
        _there.reset(token)


@contextmanager
def pinning(outlines: Sequence[FileOutline]) -> Iterator[None]:
    """While the study of a run is read: data that it does not tell the digest of are its own."""
    token = _pinned.set({own.path: own.sha256 for own in outlines})
    try:
        yield
    finally:
        _pinned.reset(token)


def pinned(path: str) -> str | None:
    """The digest of what is at a path, where a run says so."""
    return (_pinned.get() or {}).get(path)
