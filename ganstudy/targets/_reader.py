"""Reading which class an image is of, and whether it is as near to that class as p's own images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array

__all__ = ["Reader", "confusion"]


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


def confusion(
    truth: NDArray[np.integer], read: NDArray[np.integer], classes: int
) -> NDArray[np.float64]:
    """How many images of a class (row) were read as another (column), `(classes, classes)`.

    Half an image more is read right, and half is shared out over the other classes (Jeffreys): what
    was never seen is not impossible, and not likelier for there being many classes.
    """
    counts = np.full((classes, classes), 0.5 / max(classes - 1, 1))
    np.fill_diagonal(counts, 0.5)
    np.add.at(counts, (truth, read), 1)
    return counts
