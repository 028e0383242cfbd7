"""Layers of a network of convolutions: their weights, what they cost, and their first values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.initialisations import Initialisation

__all__ = ["Layer", "convolution", "first_weight", "product", "projection", "transposed"]


class Layer(NamedTuple):
    """A weight, where it acts, and what stands behind its sums.

    shape   of the weight: `(inputs, outputs)` of a product of matrices, `(labels, inputs)` of a
            projection, `(outputs, inputs, k, k)` of a convolution, `(inputs, outputs, k, k)` of a
            transposed one
    inputs  numbers that add up in one sum
    places  of a row at which the weight acts
    units   sums of a row
    bias    numbers of the bias, 0 without one
    norm    channels that are normalised, 0 without
    """

    shape: tuple[int, ...]
    inputs: int
    places: int
    units: int
    bias: int = 0
    norm: int = 0
    stride: int = 1
    transposed: bool = False
    gain: float = 1.0
    """Factor on the first weights."""
    law: Literal["architecture", "normal"] = "architecture"
    """That of the first weights: the architecture's, or the standard normal one."""


def product(inputs: int, outputs: int, **more: Any) -> Layer:
    """A product of matrices."""
    return Layer((inputs, outputs), inputs, 1, outputs, **more)


def projection(labels: int, features: int) -> Layer:
    """Inner products of the features with the row of the label that is told."""
    return Layer((labels, features), features, 1, features)


def convolution(
    inputs: int, outputs: int, kernel: int, places: int, groups: int = 1, **more: Any
) -> Layer:
    """A convolution whose output has so many pixels."""
    shape = (outputs, inputs // groups, kernel, kernel)
    return Layer(shape, math.prod(shape[1:]), places, outputs * places, **more)


def transposed(
    inputs: int, outputs: int, kernel: int, stride: int, places: int, **more: Any
) -> Layer:
    """A transposed convolution whose input has so many pixels; the kernel holds whole strides."""
    shape = (inputs, outputs, kernel, kernel)
    each = inputs * (kernel // stride) ** 2
    units = outputs * places * stride**2
    return Layer(shape, each, places, units, stride=stride, transposed=True, **more)


def first_weight(
    law: Initialisation, rng: np.random.Generator, layer: Layer
) -> NDArray[np.float32]:
    """First weights of a layer: one draw of the law for each set of inputs that add up.

    A transposed convolution with stride s has s^2 of them, one for each place of a pixel among the
    s^2 that a pixel becomes.
    """
    if layer.law == "normal":
        return rng.standard_normal(layer.shape, np.float32)
    if len(layer.shape) == 2 and layer.inputs == layer.shape[0]:
        drawn: NDArray[np.float32] = law.weight(rng, *layer.shape)
        return drawn
    if not layer.transposed:
        return np.ascontiguousarray(law.weight(rng, layer.inputs, layer.shape[0]).T).reshape(
            layer.shape
        )
    inputs, outputs, kernel, _ = layer.shape
    s, each = layer.stride, kernel // layer.stride
    phases = np.stack([law.weight(rng, layer.inputs, outputs) for _ in range(s * s)])
    # Pixel (y, x) of a kernel belongs to the phase (y mod s, x mod s).
    apart = phases.reshape(s, s, inputs, each, each, outputs)
    return np.ascontiguousarray(apart.transpose(2, 5, 3, 0, 4, 1)).reshape(layer.shape)
