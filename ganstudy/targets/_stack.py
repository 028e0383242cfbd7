"""Targets that are three independent images, a channel each."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.family import canonical_json
from ganstudy.targets._base import Target
from ganstudy.targets._image import Image
from ganstudy.targets._reader import ReadModes
from ganstudy.targets._rows import RowsTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Modes

CHANNELS = 3


class Stack(Target, ABC):
    """What follows from the images of one channel."""

    @property
    @abstractmethod
    def channel(self) -> Mapping[str, Any]:
        """Name and settings of the target that one channel is."""

    @property
    def one(self) -> RowsTarget:
        """The images of one channel."""
        return _images(canonical_json(self.channel))

    @property
    def dimension(self) -> int:
        """Three images."""
        return CHANNELS * self.one.dimension

    @property
    def image(self) -> Image:
        """A channel for each."""
        image = self.one.image
        assert image is not None
        return Image(CHANNELS, image.height, image.width)

    @property
    def labels(self) -> int:
        """As many as there are modes."""
        count: int = self.one.labels**CHANNELS
        return count

    def moments(self) -> tuple[Array, Array]:
        """Those of one image, channel by channel; channels are independent."""
        from scipy.linalg import block_diag

        mean, covariance = self.one.moments()
        return np.tile(mean, CHANNELS), block_diag(*[covariance] * CHANNELS)

    def known_modes(self) -> Modes | None:
        """The classes of the three, where there are classes."""
        one = self.one.known_modes()
        return replace(one, channels=CHANNELS) if isinstance(one, ReadModes) else None

    @property
    def mode_factors(self) -> tuple[tuple[str, int], ...]:
        """The class of each channel, where there are classes."""
        ((what, count),) = self.one.mode_factors or (("class", self.one.labels),)
        places = ("first", "second", "third") if count else ()
        return tuple((f"{place} {what}", count) for place in places)

    @property
    def copied_rows(self) -> int:
        """Of the images of one channel."""
        return self.one.copied_rows

    def nearest_training(self, samples: Array) -> NDArray[np.float32] | None:
        """Channel by channel, since every stack of training images is one."""
        found = self.one.nearest_training(np.asarray(samples).reshape(-1, self.one.dimension))
        return None if found is None else found.reshape(len(samples), -1)


@lru_cache(maxsize=8)
def _images(settings: str) -> RowsTarget:
    from ganstudy import targets

    one = targets.family.from_config(json.loads(settings))
    assert isinstance(one, RowsTarget)
    return one
