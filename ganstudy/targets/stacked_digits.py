"""`stacked_digits`: three digits as three channels, a thousand modes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.targets._digits import CLASSES, DigitModes, digits
from ganstudy.targets._stack import CHANNELS, Stack

if TYPE_CHECKING:
    from numpy.typing import NDArray


_PLACES = CLASSES ** np.arange(CHANNELS)[::-1]
"""What each channel's digit counts in a number."""


class StackedDigits(Stack):
    """Three independent digits side by side, 192 pixels; one mode for each number 000 to 999.

    Data    each channel is a draw from the 1,438 training images of `digits`, so that p is uniform
            on 1,438^3 rows; held-out samples are stacked from the 359 held-out images.
    Modes   the numbers, read by a classifier that gets 99.2 % of held-out digits right.
    Labels  the numbers too; they give away what mode coverage measures.
    Source  Metz et al. 2017, Unrolled GAN, section 3.3.1; Srivastava et al. 2017, VEEGAN, section
            5; Lin et al. 2018, PacGAN, section 4.2. There: MNIST, 28 x 28 pixels, and a
            convolutional classifier; here 8 x 8 pixels, so that two cores are enough.
    """

    @property
    def channel(self) -> dict[str, str]:
        """`digits`."""
        return {"name": "digits"}

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws."""
        return self.sample_labelled(rng, count)[0]

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their numbers."""
        return _stacks(rng, count, digits().train, digits().labels)

    def held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Stacks of held-out images."""
        return self.held_out_labelled(rng, count)[0]

    def held_out_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Stacks of held-out images with their numbers."""
        return _stacks(rng, count, digits().held_out, digits().held_out_labels)

    @property
    def description(self) -> str:
        """What the data are, how many, and how well the modes are told apart."""
        rows = digits()
        return (
            f"stacked_digits: three of {len(rows.train):,} training or {len(rows.held_out):,} "
            f"held-out images, {self.dimension} features; classifier right on "
            f"{DigitModes.accuracy():.1%} of held-out digits"
        )


def _stacks(
    rng: np.random.Generator,
    count: int,
    images: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    assert labels is not None
    drawn = rng.integers(len(images), size=(count, CHANNELS))
    return np.take(images, drawn, axis=0).reshape(count, -1), labels[drawn] @ _PLACES
