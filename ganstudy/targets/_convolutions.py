"""A small convolutional network that looks at images: trained it tells classes apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.targets._image import FARTHEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array
    from ganstudy.targets._image import Image

    Parameters = Mapping[str, NDArray[np.float32]]

__all__ = ["FEATURES", "features_of", "initial", "one_thread", "seen"]

FEATURES = 64
"""Numbers that an image becomes before its class is read."""

_CHANNELS = (16, 32, 32)
_LAST_SIDE = 8
_CHUNK = 500
"""Images that are looked at together; always the same ones, so that bits do not depend on it."""


def initial(image: Image, outputs: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Parameters by He et al. 2015, drawn by NumPy, the same on every machine.

    Shapes  a 3 x 3 convolution and a halving for each of at least two stages, until at most eight
            pixels a side are left; then a layer to the features and, for `outputs > 0`, one more.
    """
    rng = np.random.default_rng(seed)
    side, stages = max(image.height, image.width), 0
    height, width = image.height, image.width
    while stages < 2 or side > _LAST_SIDE:
        side, height, width, stages = -(-side // 2), -(-height // 2), -(-width // 2), stages + 1
    channels = [image.channels, *(_CHANNELS[min(i, 2)] for i in range(stages))]
    shapes: dict[str, tuple[int, ...]] = {
        f"convolution_{place}": (outer, inner, 3, 3)
        for place, (inner, outer) in enumerate(pairwise(channels))
    }
    shapes["features"] = (FEATURES, channels[-1] * height * width)
    if outputs:
        shapes["classes"] = (outputs, FEATURES)
    parameters = {}
    for name, shape in shapes.items():
        spread = np.sqrt(2 / np.prod(shape[1:]))
        parameters[name] = (spread * rng.standard_normal(shape)).astype(np.float32)
        parameters[f"{name}_bias"] = np.zeros(shape[0], np.float32)
    return parameters


def seen(parameters: Mapping[str, Any], images: Any) -> Any:
    """The features of images, as tensors `(images, channels, height, width) -> (images, 64)`."""
    from torch.nn import functional

    value, place = images, 0
    while (name := f"convolution_{place}") in parameters:
        value = functional.conv2d(value, parameters[name], parameters[f"{name}_bias"], padding=1)
        value = functional.max_pool2d(functional.relu(value), 2, ceil_mode=True)
        place += 1
    flat = value.flatten(1)
    return functional.relu(
        functional.linear(flat, parameters["features"], parameters["features_bias"])
    )


def features_of(parameters: Parameters, samples: Array, image: Image) -> NDArray[np.float64]:
    """The features of samples, `(count, dimension) -> (count, 64)`; far numbers count as the ends.

    What is not a number is taken for grey: a metric has to see itself that samples are not finite.
    """
    import torch

    within = np.nan_to_num(np.clip(samples, -FARTHEST, FARTHEST)).astype(np.float32)
    whole = torch.from_numpy(np.ascontiguousarray(within)).reshape(-1, *image)
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in parameters.items()}
    with torch.inference_mode(), one_thread():
        parts = [seen(tensors, part) for part in torch.split(whole, _CHUNK)]
    return np.asarray(torch.cat(parts).numpy().astype(np.float64))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in the same order in every process."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
