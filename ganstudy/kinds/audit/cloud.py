"""A law that is a cloud: what it holds out is all of it, whatever is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PrivateAttr

from ganstudy.targets import Target

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Cloud(Target):
    """Given samples of p, which metrics compare with; two clouds are never the same law."""

    _samples: Array = PrivateAttr()

    @classmethod
    def of(cls, samples: Array) -> Self:
        """The law of these samples, `(samples, dimension)`."""
        law = cls()
        law._samples = samples
        return law

    def __eq__(self, other: object) -> bool:
        """Only itself."""
        return self is other

    def __hash__(self) -> int:
        """By identity."""
        return id(self)

    @property
    def dimension(self) -> int:
        """That of the samples."""
        return int(self._samples.shape[1])

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """All samples, in single precision."""
        return self._samples.astype(np.float32)

    # In double precision, where targets give single: nothing is trained on these samples.
    def held_out(self, rng: np.random.Generator, count: int) -> Array:  # type: ignore[override]
        """All samples."""
        return self._samples

    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of the samples."""
        return self._samples.mean(axis=0), np.atleast_2d(np.cov(self._samples.T))
