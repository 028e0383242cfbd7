"""A target as it is seen through features: a law of features, for metrics that know no images."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ConfigDict, SkipValidation

from ganstudy.features._base import Features
from ganstudy.targets import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Seen"]

_KEPT = 2**28
"""Bytes of features that are remembered: several metrics look at the same clouds."""


class Seen(Target):
    """The law of the features of samples of a target; it has no density, and its moments are not
    known.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    target: SkipValidation[Target]
    features: SkipValidation[Features]

    @property
    def dimension(self) -> int:
        """Number of features."""
        return self.features.dimension(self.target)

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Features of draws from p."""
        return self.of(self.target.sample(rng, count)).astype(np.float32)

    def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Features of draws that no training step sees."""
        return self.of(self.target.held_out(rng, count)).astype(np.float32)

    @property
    def unseen_rows(self) -> int | None:
        """As many as the target has."""
        return self.target.unseen_rows

    def unseen(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Features of different draws that no training step sees."""
        return self.of(self.target.unseen(rng, count)).astype(np.float32)

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Not known.

        Errors  `NotImplementedError`, always.
        """
        raise NotImplementedError(f"moments of features of {self.target.name} are not known")

    def of(self, samples: NDArray[np.floating]) -> NDArray[np.float64]:
        """Features of a cloud, `(count, dimension) -> (count, features)`.

        They are NaN for a sample that is not finite.
        """
        key = (self, samples.shape, hashlib.sha256(samples.tobytes()).digest())
        if key not in _known:
            finite = np.isfinite(samples).all(axis=-1)
            features = np.full((len(samples), self.dimension), np.nan)
            if finite.any():
                features[finite] = self.features.of(samples[finite], self.target)
            _known[key] = features
            while len(_known) > 1 and sum(own.nbytes for own in _known.values()) > _KEPT:
                _known.popitem(last=False)
        return _known[key]


_known: OrderedDict[object, NDArray[np.float64]] = OrderedDict()
