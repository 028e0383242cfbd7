"""Products of matrices by NumPy, and convolutions made of them, for the portable program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["backward", "forward", "product"]

_aten = torch.ops.aten


def product(first: Tensor, second: Tensor) -> Tensor:
    """Of stacks of matrices, one after the other."""
    return torch.from_numpy(np.matmul(first.numpy(force=True), second.numpy(force=True)))


def forward(images: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any) -> Tensor:
    """What `aten::convolution` returns.

    Shapes  images `(batch, channels, height, width)`; weight as in `torch.nn.Conv2d` and, with
            `transposed`, as in `torch.nn.ConvTranspose2d`.
    Errors  `NotImplementedError` for images of other than two dimensions.
    """
    windows, transposed, output_padding = _read(weight, *settings)
    if transposed:
        size = windows.covered(images.shape[2:], output_padding)
        sums = windows.spread(images, weight, size)
    else:
        sums = windows.gathered(images, weight)
    return sums if bias is None else sums + bias[:, None, None]


def backward(
    outward: Tensor,
    images: Tensor,
    weight: Tensor,
    _bias_sizes: Sequence[int] | None,
    *settings: Any,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """What `aten::convolution_backward` returns: gradients of images, weight and bias, or None for
    those that its last argument does not ask for.

    outward  gradient of the output
    """
    windows, transposed, _ = _read(weight, *settings[:-1])
    asked = settings[-1]
    found: list[Tensor | None] = [None, None, None]
    if asked[0] and transposed:
        found[0] = windows.gathered(outward, weight)
    elif asked[0]:
        found[0] = windows.spread(outward, weight, images.shape[2:])
    if asked[1]:
        whole, sums = (outward, images) if transposed else (images, outward)
        found[1] = windows.weights(whole, sums).reshape(weight.shape)
    if asked[2]:
        found[2] = outward.sum((0, 2, 3))
    return found[0], found[1], found[2]


def _read(weight: Tensor, *settings: Any) -> tuple[_Windows, bool, Sequence[int]]:
    stride, padding, dilation, transposed, output_padding, groups = settings
    if weight.dim() != 4:
        raise NotImplementedError(
            f"the portable program convolves images, not {weight.dim() - 2} dimensions"
        )
    windows = _Windows(tuple(weight.shape[2:]), dilation, padding, stride, groups)
    return windows, transposed, output_padding


class _Windows(NamedTuple):
    """Where a kernel lies on an image, in the order of the arguments of `aten::im2col`."""

    kernel: Sequence[int]
    dilation: Sequence[int]
    padding: Sequence[int]
    stride: Sequence[int]
    groups: int

    def places(self, size: Sequence[int]) -> list[int]:
        """How many there are along each side of an image of some size."""
        return [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, d, p, s in zip(size, *self[:4], strict=True)
        ]

    def covered(self, places: Sequence[int], beyond: Sequence[int]) -> list[int]:
        """The size of an image with so many, and with pixels behind them that none reaches."""
        return [
            (n - 1) * s - 2 * p + d * (k - 1) + 1 + more
            for n, k, d, p, s, more in zip(places, *self[:4], beyond, strict=True)
        ]

    def gathered(self, images: Tensor, weight: Tensor) -> Tensor:
        """Sums over windows, `(batch, channels, *size) -> (batch, sums, *places)`."""
        sums = product(self._matrices(weight)[None], self._patches(images))
        return sums.reshape(len(images), len(weight), *self.places(images.shape[2:]))

    def spread(self, sums: Tensor, weight: Tensor, size: Sequence[int]) -> Tensor:
        """The transposed map of `gathered`, onto images of some size."""
        apart = self._by_group(sums)
        patches = product(self._matrices(weight).transpose(1, 2)[None], apart)
        image: Tensor = _aten.col2im(
            patches.reshape(len(sums), -1, apart.shape[-1]), size, *self[:4]
        )
        return image

    def weights(self, images: Tensor, sums: Tensor) -> Tensor:
        """Gradient of `gathered` by the weight, given that by its sums; `(groups, each, patch)`."""
        patches = self._patches(images).permute(1, 0, 3, 2).flatten(1, 2)
        return product(self._by_group(sums).permute(1, 2, 0, 3).flatten(2), patches)

    def _patches(self, images: Tensor) -> Tensor:
        return self._by_group(_aten.im2col(images, *self[:4]))

    def _by_group(self, sums: Tensor) -> Tensor:
        """`(batch, channels, *places) -> (batch, groups, each, places)`."""
        return sums.reshape(len(sums), self.groups, -1, math.prod(sums.shape[2:]))

    def _matrices(self, weight: Tensor) -> Tensor:
        return weight.reshape(self.groups, len(weight) // self.groups, -1)
