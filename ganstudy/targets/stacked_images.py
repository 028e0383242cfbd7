"""`stacked_images`: three grey images of the user's own as three channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.targets._own_images import OwnImages
from ganstudy.targets._problems import DataError
from ganstudy.targets._rows import RowsTarget
from ganstudy.targets._stack import CHANNELS, Stack

if TYPE_CHECKING:
    from numpy.typing import NDArray


_MOST = 10**6
"""Modes: a hundred classes. Each has a number of its own for every cloud that is measured."""


class StackedImages(Stack, OwnImages):
    """Three independent grey images as the channels of one: with MNIST's, the stacked MNIST.

    Data    each channel is a draw from the training images that `images` reads from the same path;
            colours are made greys. Held-out samples are stacked from held-out images.
    Modes   the classes of the three, K^3 of them, read by a classifier that is trained once on the
            training images; none without labels.
    Labels  the modes' numbers, first channel slowest.
    Errors  those of `images`; more than 100 classes.
    Source  Metz et al. 2017, Unrolled GAN, section 3.3.1; Srivastava et al. 2017, VEEGAN, section
            5; Lin et al. 2018, PacGAN, section 4.2, all with MNIST.
    """

    def check_readable(self) -> None:
        """Read those of one channel.

        Errors  `DataError`.
        """
        if (count := self.labels) > _MOST:
            known = f"{self.one.labels:,} classes make {count:,} modes of stacks"
            raise DataError(f"{self.path}: {known}, and {_MOST:,} are the most that are told apart")

    @property
    def channel(self) -> dict[str, Any]:
        """`images`, in grey."""
        return {**self.model_dump(), "name": "images", "grey": True}

    @property
    def read(self) -> RowsTarget:
        """Those of one channel."""
        return self.one

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws, channel by channel."""
        return np.concatenate([self.one.sample(rng, count) for _ in range(CHANNELS)], axis=1)

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their numbers."""
        if not self.labels:
            return super().sample_labelled(rng, count)
        return self._stacked([self.one.sample_labelled(rng, count) for _ in range(CHANNELS)])

    def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Stacks of held-out images."""
        return np.concatenate([self.one.held_out(rng, count) for _ in range(CHANNELS)], axis=1)

    def held_out_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Stacks of held-out images with their numbers."""
        if not self.labels:
            return super().held_out_labelled(rng, count)
        return self._stacked([self.one.held_out_labelled(rng, count) for _ in range(CHANNELS)])

    def account(self) -> list[str]:
        """What was read, for the user to see."""
        return [*self.one.account(), f"{CHANNELS} of them, in grey, make one sample"]

    @property
    def description(self) -> str:
        """That of one channel."""
        return f"{CHANNELS} of these, stacked: {self.one.description}"

    def _stacked(
        self, drawn: list[tuple[NDArray[np.float32], NDArray[np.int64]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        images, labels = zip(*drawn, strict=True)
        number = np.ravel_multi_index(labels, (self.one.labels,) * CHANNELS)
        return np.concatenate(images, axis=1), number
