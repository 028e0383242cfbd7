"""Targets that are data: p is the empirical law of the training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.plural import plural
from ganstudy.targets._base import Target
from ganstudy.targets._problems import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


_BLOCK = 2**24
"""Numbers of rows that are looked at together."""

_FAR = 1e9
"""Where what is not finite is taken to be; squares of it are finite."""


@dataclass(frozen=True, eq=False)
class Units:
    """Names of the features, and the mean and scale that take rows back to original units."""

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Training and held-out rows, `(rows, features)`, and their labels if any.

    They are float32, or what the target's `values` makes float32 of.

    classes    what labels are called, where they have names
    untrained  why labels cannot be told to trials: no training row has one of them; else empty
    """

    train: NDArray[Any]
    held_out: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    features: Units | None = None
    held_out_labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    untrained: str = ""

    @cached_property
    def copies(self) -> int:
        """How many held-out rows are the same as a training row, value by value."""
        held_out = Counter(map(_digest, self.held_out))
        return sum(held_out.pop(_digest(row), 0) for row in self.train)

    def told_copies(self, what: str) -> list[str]:
        """A sentence, if there are any.

        what  as in "images"
        """
        if not self.copies:
            return []
        count = f"{self.copies:,} of the {len(self.held_out):,} held-out {what}"
        return [f"{count} {'is' if self.copies == 1 else 'are'} also among the training {what}"]


def _digest(row: NDArray[Any]) -> bytes:
    # Zero is added because -0 is 0 in other bytes.
    return blake2b(row + row.dtype.type(0), digest_size=16).digest()


def split(count: int, share: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of training and held-out rows; the same for every study, at least one of each."""
    shuffled = np.random.default_rng(0).permutation(count)
    held_out = min(max(round(share * count), 1), count - 1)
    return np.sort(shuffled[held_out:]), np.sort(shuffled[:held_out])


def untrained(path: str, what: str, names: Sequence[str], labels: NDArray[np.int64]) -> str:
    """What is wrong with labels of training rows that lack some; empty where they have all.

    what  as in "images of class"
    """
    lacking = np.bincount(labels, minlength=len(names)) == 0
    if not lacking.any():
        return ""
    first = names[int(lacking.argmax())]
    others = np.count_nonzero(lacking) - 1
    more = f" (and those of {others:,} more)" if others else ""
    message = f"all {what} {first!r}{more} are held out, and none is left to train on"
    return f"{path}: {message}; add some, or leave them out"


def empirical_moments(rows: NDArray[np.float32]) -> tuple[Array, Array]:
    """Mean and covariance of the law of rows, with their number as divisor."""
    values = rows.astype(np.float64)
    dimension = values.shape[1]
    return values.mean(axis=0), np.cov(values.T, bias=True).reshape(dimension, dimension)


def nearest(
    samples: Array, rows: NDArray[Any], values: Callable[[NDArray[Any]], NDArray[np.float32]]
) -> NDArray[np.intp]:
    """The index of the nearest row to each sample, `(count,)`, the first of equally near ones.

    values  makes samples of rows, which may be kept more tightly
    """
    own = np.clip(np.nan_to_num(np.asarray(samples, np.float64), nan=_FAR), -_FAR, _FAR)
    least = np.full(len(own), np.inf)
    found = np.zeros(len(own), np.intp)
    block = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), block):
        part = values(rows[start : start + block]).astype(np.float64)
        # Without the squared length of the sample, which is the same for all rows.
        squared = np.square(part).sum(axis=1) - 2 * (own @ part.T)
        place = squared.argmin(axis=1)
        closest = squared[np.arange(len(own)), place]
        nearer = closest < least
        least[nearer], found[nearer] = closest[nearer], start + place[nearer]
    return found


class RowsTarget(Target, ABC):
    """Draws with replacement from the training rows; it has no density."""

    @abstractmethod
    def rows(self) -> Rows:
        """The data."""

    def values(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Rows as samples: what is kept more tightly than they are is unfolded here.

        Errors  `DataError` for data that are gone.
        """
        if self.gone:
            raise DataError(self.gone)
        return rows

    @property
    def dimension(self) -> int:
        """Number of columns."""
        return int(self.rows().train.shape[1])

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Training rows, with replacement."""
        train = self.rows().train
        return self.values(np.take(train, rng.integers(len(train), size=count), axis=0))

    def nearest_training(self, samples: Array) -> NDArray[np.float32]:
        """Among all training rows."""
        train = self.rows().train
        return self.values(np.take(train, nearest(samples, train, self.values), axis=0))

    @property
    def labels(self) -> int:
        """Number of labels among the training rows."""
        labels = self.rows().labels
        return 0 if labels is None else int(labels.max()) + 1

    @property
    def label_shares(self) -> Array:
        """Those of the training rows."""
        labels = self.rows().labels
        return super().label_shares if labels is None else np.bincount(labels) / len(labels)

    @property
    def untrained(self) -> str:
        """As the rows say; nothing of data that are gone."""
        return "" if self.gone else self.rows().untrained

    @property
    def label_names(self) -> tuple[str, ...]:
        """What the user calls the labels, in their order; empty where they have numbers alone."""
        return self.rows().classes or self.mode_names

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Training rows with their labels."""
        rows = self.rows()
        if rows.labels is None:
            return super().sample_labelled(rng, count)
        drawn = rng.integers(len(rows.train), size=count)
        return self.values(np.take(rows.train, drawn, axis=0)), rows.labels[drawn]

    def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Held-out rows, with replacement."""
        held_out = self.rows().held_out
        drawn = np.take(held_out, rng.integers(len(held_out), size=count), axis=0)
        return self.values(drawn)

    @property
    def unseen_rows(self) -> int:
        """All held-out rows."""
        return len(self.rows().held_out)

    def unseen(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Held-out rows, without replacement."""
        own = rng.permutation(self.unseen_rows)[:count]
        return self.values(np.take(self.rows().held_out, own, axis=0))

    @property
    def copied_rows(self) -> int:
        """Of all held-out rows; none are known of data that are gone."""
        return 0 if self.gone else self.rows().copies

    def held_out_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Held-out rows with their labels."""
        rows = self.rows()
        if rows.held_out_labels is None:
            return super().held_out_labelled(rng, count)
        drawn = rng.integers(len(rows.held_out), size=count)
        return self.values(np.take(rows.held_out, drawn, axis=0)), rows.held_out_labels[drawn]

    def moments(self) -> tuple[Array, Array]:
        """Exact for the empirical law, with the number of rows as divisor."""
        return empirical_moments(self.values(self.rows().train))

    @property
    def features(self) -> Units | None:
        """The names of the features and their units; None where the data come without."""
        return self.rows().features

    @property
    def source(self) -> str:
        """Where the data come from, in a word."""
        return self.name

    @property
    def description(self) -> str:
        """What the data are, and how many rows."""
        rows = self.rows()
        return (
            f"{self.source}: {len(rows.train):,} training and {len(rows.held_out):,} held-out rows "
            f"of {plural(self.dimension, 'feature')}"
        ) + (", which are gone" if self.gone else "")
