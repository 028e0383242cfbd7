"""`stacked_images`: three grey images of the user's own as three channels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.family import canonical_json
from ganstudy.targets._image import Image
from ganstudy.targets._mixture import share_within
from ganstudy.targets._own_images import OwnImages
from ganstudy.targets._rows import RowsTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Modes

_CHANNELS = 3


class StackedImages(OwnImages):
    """Three independent grey images as the channels of one: with MNIST's, the stacked MNIST.

    Data    each channel is a draw from the training images that `images` reads from the same path;
            colours are made greys. Held-out samples are stacked from held-out images.
    Modes   the classes of the three, K^3 of them, read by a classifier that is trained once on the
            training images; none without labels.
    Labels  the modes' numbers, first channel slowest.
    Errors  those of `images`.
    Source  Metz et al. 2017, Unrolled GAN, section 3.3.1; Srivastava et al. 2017, VEEGAN, section
            5; Lin et al. 2018, PacGAN, section 4.2, all with MNIST.
    """

    def check_readable(self) -> None:
        """Read those of one channel.

        Errors  `DataError`.
        """
        _ = self.one

    @property
    def one(self) -> RowsTarget:
        """The images of one channel."""
        return _images(canonical_json({**self.model_dump(), "name": "images", "grey": True}))

    @property
    def read(self) -> RowsTarget:
        """Those of one channel."""
        return self.one

    @property
    def dimension(self) -> int:
        """Three images."""
        return _CHANNELS * self.one.dimension

    @property
    def image(self) -> Image:
        """A channel for each."""
        image = self.one.image
        assert image is not None
        return Image(_CHANNELS, image.height, image.width)

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws, channel by channel."""
        return np.concatenate([self.one.sample(rng, count) for _ in range(_CHANNELS)], axis=1)

    @property
    def labels(self) -> int:
        """As many as there are modes."""
        count: int = self.one.labels**_CHANNELS
        return count

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their numbers."""
        if not self.labels:
            return super().sample_labelled(rng, count)
        return self._stacked([self.one.sample_labelled(rng, count) for _ in range(_CHANNELS)])

    def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Stacks of held-out images."""
        return np.concatenate([self.one.held_out(rng, count) for _ in range(_CHANNELS)], axis=1)

    def held_out_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Stacks of held-out images with their numbers."""
        if not self.labels:
            return super().held_out_labelled(rng, count)
        return self._stacked([self.one.held_out_labelled(rng, count) for _ in range(_CHANNELS)])

    def moments(self) -> tuple[Array, Array]:
        """Those of one image, channel by channel; channels are independent."""
        from scipy.linalg import block_diag

        mean, covariance = self.one.moments()
        return np.tile(mean, _CHANNELS), block_diag(*[covariance] * _CHANNELS)

    def known_modes(self) -> Modes | None:
        """The classes of the three."""
        one = self.one.known_modes()
        return None if one is None else _Stacks(one)

    @property
    def mode_factors(self) -> tuple[tuple[str, int], ...]:
        """The class of each channel, where there are classes."""
        one = self.one.known_modes()
        names = ("first class", "second class", "third class")
        return () if one is None else tuple((name, len(one.weights)) for name in names)

    def nearest_training(self, samples: Array) -> NDArray[np.float32] | None:
        """Channel by channel, since every stack of training images is one."""
        found = self.one.nearest_training(np.asarray(samples).reshape(-1, self.one.dimension))
        return None if found is None else found.reshape(len(samples), -1)

    def account(self) -> list[str]:
        """What was read, for the user to see."""
        return [*self.one.account(), f"{_CHANNELS} of them, in grey, make one sample"]

    @property
    def description(self) -> str:
        """That of one channel."""
        return f"{_CHANNELS} of these, stacked: {self.one.description}"

    def _stacked(
        self, drawn: list[tuple[NDArray[np.float32], NDArray[np.int64]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        images, labels = zip(*drawn, strict=True)
        return np.concatenate(images, axis=1), _numbers(np.stack(labels, -1), self.one.labels)


@dataclass(frozen=True)
class _Stacks:
    """Modes of several independent channels, from the modes of one.

    A sample is of high quality if each channel is, at the radius that leaves the whole the share
    asked for.
    """

    one: Modes

    @cached_property
    def weights(self) -> Array:
        """Products of the classes' shares, first channel slowest."""
        total = np.ones(1)
        for _ in range(_CHANNELS):
            total = np.outer(total, self.one.weights).ravel()
        return total

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The number of each sample; see `Modes.assign`."""
        channels = samples.reshape(*samples.shape[:-1], _CHANNELS, -1)
        mode, good = self.one.assign(channels, _each(radius))
        number = _numbers(mode, len(self.one.weights)).astype(np.intp)
        return number, np.asarray(good.all(axis=-1))

    @property
    def confusions(self) -> tuple[Array, ...]:
        """That of each channel, which are read apart; none where all are read without error."""
        return tuple(getattr(self.one, "confusions", ())) * _CHANNELS

    def high_quality_share(self, radius: float) -> float:
        """Of stacks of training images."""
        return self.one.high_quality_share(_each(radius)) ** _CHANNELS


def _each(radius: float) -> float:
    """The radius of a channel at which all are as often of high quality as the whole is to be."""
    share = share_within(radius)
    return radius if share == 1 else float(np.sqrt(-2 * np.log1p(-(share ** (1 / _CHANNELS)))))


def _numbers(classes: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """One number for the classes of all channels, `(*, channels) -> (*)`."""
    return np.asarray(classes @ count ** np.arange(_CHANNELS)[::-1], np.int64)


@lru_cache(maxsize=8)
def _images(settings: str) -> RowsTarget:
    from ganstudy import targets

    one = targets.family.from_config(json.loads(settings))
    assert isinstance(one, RowsTarget)
    return one
