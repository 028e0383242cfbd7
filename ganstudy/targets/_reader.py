"""Reading which class an image is of, and whether it is as near to that class as p's own images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.targets._mixture import share_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array

__all__ = ["ReadModes", "Reader", "confusion", "shares"]


class Reader(ABC):
    """What tells the classes of a target's images apart."""

    @property
    @abstractmethod
    def classes(self) -> int:
        """How many there are."""

    @abstractmethod
    def training(self) -> tuple[NDArray[np.intp], Array]:
        """Class and distance of images that it was trained on, `(images,)` each."""

    @abstractmethod
    def read(self, images: Array) -> tuple[NDArray[np.intp], Array]:
        """Class of each image and its distance to that class; no class is near what is not finite.

        Shapes  `(*, dimension) -> (*), (*)`.
        """

    @cached_property
    def _sorted(self) -> list[Array]:
        read, distance = self.training()
        own = [np.sort(distance[read == index]) for index in range(self.classes)]
        # What no training image is taken for is no place to be near to.
        return [known if len(known) else np.array([-1.0]) for known in own]

    def limits(self, share: float) -> Array:
        """Distance within which so many training images of each class lie."""
        return np.array([np.quantile(own, share, method="inverted_cdf") for own in self._sorted])

    def share_within(self, share: float) -> float:
        """Share of all training images within these limits, up to the step of a quantile."""
        read, distance = self.training()
        return float(np.mean(distance <= self.limits(share)[read]))


@dataclass(frozen=True, kw_only=True)
class ReadModes(ABC):
    """The modes of images, or of stacks of independent ones: their classes, the first slowest.

    A sample is of high quality if each of its images is as near to the class that it is read as, as
    the training images read so are: within a quantile of their distances, at which stacks have the
    share that the radius stands for. Where that share is 1 in float64 (radius 9), every finite
    sample is.

    shares    of the classes among the training images
    channels  images in a stack
    """

    shares: tuple[float, ...]
    channels: int = 1

    @property
    @abstractmethod
    def reader(self) -> Reader:
        """What tells the classes of one image apart."""

    @cached_property
    def weights(self) -> Array:
        """Products of the classes' shares."""
        total = np.ones(1)
        for _ in range(self.channels):
            total = np.outer(total, self.shares).ravel()
        return total

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The classes of the images as one number; see `Modes.assign`."""
        share = self._share(radius)
        images = samples.reshape(*samples.shape[:-1], self.channels, -1)
        # Whole clouds of one channel, which are read together.
        classes, distance = self.reader.read(np.ascontiguousarray(np.moveaxis(images, -2, 0)))
        good = np.asarray(np.isfinite(samples).all(axis=-1))
        if share < 1:
            good = good & (distance <= self.reader.limits(share)[classes]).all(axis=0)
        return np.ravel_multi_index(tuple(classes), (len(self.shares),) * self.channels), good

    def high_quality_share(self, radius: float) -> float:
        """Of the training images, up to the step of a quantile."""
        share = self._share(radius)
        return 1.0 if share == 1 else self.reader.share_within(share) ** self.channels

    def _share(self, radius: float) -> float:
        """Of one image within the limits."""
        return float(share_within(radius) ** (1 / self.channels))


def shares(labels: NDArray[np.integer]) -> tuple[float, ...]:
    """The share of each class."""
    return tuple((np.bincount(labels) / len(labels)).tolist())


def confusion(
    truth: NDArray[np.integer], read: NDArray[np.integer], classes: int
) -> NDArray[np.float64]:
    """How many images of a class (row) were read as another (column), `(classes, classes)`."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (truth, read), 1)
    return counts
