"""`sprites`: shapes in colours at places, drawn by code, whose modes are known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator

from ganstudy.targets._base import Target
from ganstudy.targets._glyphs import DARKEST, SHAPES, colours, shapes
from ganstudy.targets._image import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Modes

_BLOCK = 1000
"""Samples of one cloud that are looked at together: a product has the same bits in every pack."""

_SURE = 5
"""Standard deviations within which a draw of p stays, in length and in each pixel."""


class Sprites(Target):
    r"""One of ten shapes in one of ten colours at one of ten places: a thousand exact modes.

    Maths   $x = m_k + \sigma z$ with k a shape, a colour and a place, $m_k$ the image drawn of
            them, and z standard normal in every pixel. A sprite is half as wide and high as the
            image; its places are the points of a lattice. Mode k is that of shape s, colour c and
            place p, $k = (s \cdot colours + c) \cdot places + p$, places line by line. Its weight
            is in proportion to $imbalance^{-k/(K-1)}$ of K modes: the first is so many times as
            frequent as the last.
    Modes   the nearest image; with `radius` 3 a sample is of high quality if it is within half of
            the way from that image to the nearest other, where it can be taken for no other, and
            with another radius, within so many thirds of it. Noise that would take p out of these
            balls is refused, so that the modes are read without error.
    Errors  more places than fit, more noise than keeps the modes apart.
    Source  ours. Weights: Cui et al. 2019, "Class-balanced loss based on effective number of
            samples" (long-tailed data). Modes in place of a classifier's: Metz et al. 2017.
    """

    size: int = Field(16, ge=8, le=64, description="pixels a side of the image")
    channels: Literal[1, 3] = Field(3, description="1: colours are greys")
    shapes: int = Field(10, ge=1, le=len(SHAPES), description=f"the first of {', '.join(SHAPES)}")
    colours: int = Field(10, ge=1, le=100, description="as far apart as so many can be")
    rows: int = Field(2, ge=1, description="lines of the lattice of places")
    columns: int = Field(5, ge=1, description="places in a line")
    imbalance: float = Field(1.0, gt=0, description="weight of the first mode over the last's")
    noise: float = Field(0.01, gt=0, le=0.02, description="standard deviation of a pixel")

    @model_validator(mode="after")
    def _fits(self) -> Sprites:
        most = self.size - self.size // 2 + 1
        for name in ("rows", "columns"):
            if getattr(self, name) > most:
                raise ValueError(f"{name} should be at most {most} in {self.size} pixels")
        if (modes := self.shapes * self.colours * self.rows * self.columns) < 2:
            raise ValueError("a shape, a colour and a place are one mode; there should be two")
        if modes > 10_000:
            raise ValueError(f"{modes:,} modes; there should be at most 10,000")
        most_noise = self._sprites.reach.min() / (np.sqrt(self.dimension) + _SURE)
        if self.noise > most_noise:
            raise ValueError(f"noise should be at most {most_noise:.2g}, or modes are not apart")
        return self

    @cached_property
    def _sprites(self) -> _Sprites:
        settings = self.size, self.shapes, self.rows, self.columns
        masks = _placed(*settings).reshape(-1, self.size**2)
        paints = colours(self.colours, self.channels) - DARKEST
        decay = np.linspace(0, 1, self.shapes * self.colours * self.rows * self.columns)
        weights = np.exp(-np.log(self.imbalance) * decay)
        return _Sprites(masks, paints, self.shapes, self.noise, weights / weights.sum())

    @property
    def image(self) -> Image:
        """Square, in one or three channels."""
        return Image(self.channels, self.size, self.size)

    @property
    def dimension(self) -> int:
        """All pixels of all channels."""
        return self.channels * self.size**2

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws."""
        return self.sample_labelled(rng, count)[0]

    @property
    def labels(self) -> int:
        """Number of modes."""
        return len(self._sprites.weights)

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their modes."""
        edges = np.cumsum(self._sprites.weights)[:-1]
        mode = np.searchsorted(edges, rng.random(count), side="right")
        drawn = rng.standard_normal((count, self.dimension), dtype=np.float32)
        drawn *= np.float32(self.noise)
        drawn += self._sprites.images(mode)
        # A pixel in two million is more than five standard deviations off.
        return np.clip(drawn, -1, 1, out=drawn), mode.astype(np.int64, copy=False)

    def moments(self) -> tuple[Array, Array]:
        """Exact but for what is cut off at the ends of the scale, one pixel in two million."""
        mean, covariance = self._sprites.moments()
        return mean, covariance + self.noise**2 * np.eye(self.dimension)

    def known_modes(self) -> Modes:
        """The sprites."""
        return self._sprites

    @property
    def mode_factors(self) -> tuple[tuple[str, int], ...]:
        """Shape, colour and place."""
        places = self.rows * self.columns
        return ("shape", self.shapes), ("colour", self.colours), ("place", places)

    @property
    def description(self) -> str:
        """How many modes, and of what."""
        places = self.rows * self.columns
        return (
            f"sprites: {self.labels:,} modes, {self.shapes} shapes in {self.colours} colours at "
            f"{places} places; {self.channels} x {self.size} x {self.size} pixels"
        )


def _placed(size: int, count: int, rows: int, columns: int) -> Array:
    """Every shape at every place of an image, `(count, places, size, size)`."""
    side = size // 2
    room = size - side
    drawn = shapes(count, side)
    placed = np.zeros((count, rows * columns, size, size))
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        # One line or column stands in the middle.
        top = room // 2 if rows == 1 else row * room // (rows - 1)
        left = room // 2 if columns == 1 else column * room // (columns - 1)
        placed[:, place, top : top + side, left : left + side] = drawn
    return placed


@dataclass(frozen=True, eq=False)
class _Sprites:
    """The images of all modes, as products of a mask and a paint, which is brighter than nothing.

    Shapes  masks `(shapes * places, pixels)`, paints `(colours, channels)`, weights `(modes,)`.
    """

    masks: Array
    paints: Array
    shapes: int
    noise: float
    weights: Array

    def images(self, mode: NDArray[np.intp]) -> NDArray[np.float32]:
        """The images of modes, `(count, channels * pixels)`."""
        mask, paint = self._parts(mode)
        masks, paints = self.masks.astype(np.float32), self.paints.astype(np.float32)
        drawn = np.take(paints, paint, axis=0)[:, :, None] * np.take(masks, mask, axis=0)[:, None]
        return np.asarray(drawn.reshape(len(mode), -1) + np.float32(DARKEST))

    def _parts(self, mode: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The mask and the paint of each mode."""
        places = len(self.masks) // self.shapes
        rest, place = np.divmod(mode, places)
        shape, paint = np.divmod(rest, len(self.paints))
        return shape * places + place, paint

    def _modes(self, of_mask_and_paint: Array) -> Array:
        """From `(*, masks, paints)` to the order of the modes, `(*, modes)`."""
        lead = of_mask_and_paint.shape[:-2]
        split = of_mask_and_paint.reshape(*lead, self.shapes, -1, len(self.paints))
        return np.swapaxes(split, -1, -2).reshape(*lead, -1)

    def squared_distances(self, samples: Array) -> Array:
        r"""Squared distance of each sample to each mode's image.

        Maths   $|y|^2 - 2 y \cdot (c \otimes m) + |c|^2 |m|^2$ for y above the background, a
                paint c and a mask m: a product with each mask, and not with each mode.
        Shapes  `(count, features) -> (count, modes)`.
        """
        above = samples.reshape(-1, self.masks.shape[1]) - DARKEST
        shown = (above @ self.masks.T).reshape(len(samples), -1, len(self.masks))
        along = np.swapaxes(shown, -1, -2) @ self.paints.T
        own = np.outer(np.square(self.masks).sum(axis=1), np.square(self.paints).sum(axis=1))
        length = np.square(above).reshape(len(samples), -1).sum(axis=1)
        squared = length[:, None] + self._modes(own - 2 * along)
        return np.asarray(np.maximum(squared, 0.0))

    @cached_property
    def reach(self) -> Array:
        """Half of the distance of each mode's image to the nearest other, `(modes,)`."""
        half = np.empty(len(self.weights))
        for start in range(0, len(half), _BLOCK):
            mode = np.arange(start, min(start + _BLOCK, len(half)))
            squared = self.squared_distances(self.images(mode).astype(np.float64))
            squared[np.arange(len(mode)), mode] = np.inf
            half[mode] = np.sqrt(squared.min(axis=1)) / 2
        return half

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The nearest image, and whether it is within the radius; see `Sprites`."""
        clouds = samples.reshape(-1, *samples.shape[-2:])
        mode = np.empty(clouds.shape[:2], np.intp)
        distance = np.empty(clouds.shape[:2])
        for cloud, own, far in zip(clouds, mode, distance, strict=True):
            for start in range(0, len(cloud), _BLOCK):
                part = slice(start, start + _BLOCK)
                # Squares of larger numbers overflow, and everything so far away is equally far.
                known = np.nan_to_num(cloud[part].astype(np.float64), nan=1e50)
                squared = self.squared_distances(np.clip(known, -1e50, 1e50))
                own[part] = squared.argmin(axis=1)
                far[part] = np.sqrt(squared.min(axis=1))
        near = distance <= radius / 3 * self.reach[mode]
        return mode.reshape(samples.shape[:-1]), near.reshape(samples.shape[:-1])

    def high_quality_share(self, radius: float) -> float:
        """Exact: a draw is as far from its image as a chi variable says."""
        from scipy.stats import chi

        dimension = self.paints.shape[1] * self.masks.shape[1]
        share = self.weights @ chi.cdf(radius / 3 * self.reach / self.noise, dimension)
        return min(float(share), 1.0)

    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of the images, `(features,)` and `(features, features)`."""
        pairs = np.zeros((len(self.masks), len(self.paints)))
        pairs[self._parts(np.arange(len(self.weights)))] = self.weights
        mean = ((pairs @ self.paints).T @ self.masks).ravel()
        channels = self.paints.shape[1]
        blocks = [
            [
                (self.masks.T * (pairs @ (self.paints[:, i] * self.paints[:, j]))) @ self.masks
                for j in range(channels)
            ]
            for i in range(channels)
        ]
        return mean + DARKEST, np.block(blocks) - np.outer(mean, mean)
