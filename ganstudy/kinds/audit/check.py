r"""What a sanity check is: a law, a sweep of worse and worse generators, and what is then expected.

After Räisä, van Breugel & van der Schaar 2025, "Position: all current generative fidelity and
diversity metrics are flawed", whose laws, ranges and criteria these are. Where it is not clear
whether a diversity metric should be low or high for a q that is wider than p, either reading of it
is accepted, as long as it is the same in all variants.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics import Judged

    Array = NDArray[np.float64]
    Random = np.random.Generator

Reading = Literal["low", "high"]
"""What a diversity metric says of a q that is wider than p."""

Margins = tuple[float, float]
"""Of the shape of a curve, and of its values where they are known."""


@dataclass(frozen=True)
class Size:
    """Samples of each law, and how many times more and fewer a sweep of sizes has."""

    samples: int
    spread: float

    def sweep(self, points: int) -> Array:
        """Sizes from the fewest to the most, evenly in the logarithm."""
        ends = self.samples / self.spread, self.samples * self.spread
        return np.round(np.geomspace(*ends, points))


class Check(ABC):
    """One check; variants differ in the dimension, or in which law is p."""

    variants: ClassVar[tuple[str, ...]] = ("1", "8", "64")
    dimensions: ClassVar[int] = 24
    """Of its laws, roughly and on average over the variants: what a distance costs."""
    of_p: ClassVar[bool] = False
    """Whether the number of samples of p is swept, with that of q."""

    @abstractmethod
    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """The values that are swept, `(points,)`."""

    @abstractmethod
    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Samples of p, `(samples, dimension)`; the same for all x unless p depends on it."""

    @abstractmethod
    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Samples of q, `(samples, dimension)`."""

    @abstractmethod
    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """How well a curve passes."""


def normal(rng: Random, samples: int, dimension: int) -> Array:
    """Standard normal samples."""
    return rng.normal(size=(samples, dimension))


def ball(rng: Random, samples: int, dimension: int, radius: float) -> Array:
    """Evenly in a ball."""
    cloud = normal(rng, samples, dimension)
    outwards = radius * rng.random((samples, 1)) ** (1 / dimension)
    return np.asarray(outwards * cloud / np.linalg.norm(cloud, axis=1, keepdims=True))
