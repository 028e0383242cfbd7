"""What networks of convolutions have in common: layers that are stated once, for one trial.

A pack of convolutions brings nothing on a CPU: each trial is computed by itself, by the library's
kernels for one network, and stacked with the others, on whose number nothing of it can depend.
`ganstudy.tiles` says what becomes of a pack.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.activations import Activation
from ganstudy.networks._base import Network
from ganstudy.networks._layers import first_weight
from ganstudy.tiles import of_pack

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ganstudy.networks._base import Architecture, Ends, Shapes
    from ganstudy.networks._layers import Layer

    Parameters = Mapping[str, Tensor]
    Norm = Callable[[str, Tensor], Tensor]

EPSILON = 1e-5
"""Added to variances before their root, as in `torch.nn.BatchNorm2d` and `torch.nn.GroupNorm`."""


class Convolutional(Network, ABC):
    """A network between images and rows; a member states its layers and computes one trial."""

    images: ClassVar[bool] = True
    stacks: ClassVar[bool] = False
    keeps_moments: ClassVar[bool] = True

    @abstractmethod
    def layers(self, architecture: Architecture, ends: Ends) -> dict[str, Layer]:
        """Its layers by name, in the order in which their parameters are laid out."""

    @abstractmethod
    def forward(
        self, architecture: Architecture, ends: Ends, own: Parameters, x: Tensor, norm: Norm
    ) -> Tensor:
        """One trial, `(batch, inputs) -> (batch, outputs)`.

        norm  normalises the sums `(batch, channels, height, width)` of a layer, given its name
        """

    @abstractmethod
    def _twin(
        self,
        architecture: Architecture,
        ends: Ends,
        own: Parameters,
        moments: Mapping[str, Tensor],
    ) -> nn.Module:
        """A generator as a module; see `module`."""

    def module(
        self,
        architecture: Architecture,
        ends: Ends,
        parameters: Parameters,
        moments: Mapping[str, Tensor],
    ) -> nn.Module:
        """A generator's layers of `torch.nn`, one after the other.

        Errors  `NotImplementedError` for a critic: nobody asks for it otherwise.
        """
        if ends.outputs.image is None:
            raise NotImplementedError(f"a critic of {self.name} has no module of its own")
        return self._twin(architecture, ends, parameters, moments)

    def unfit(self, architecture: Architecture, ends: Ends) -> str:
        """Without images, or with sides that cannot be halved so often."""
        image = ends.outputs.image or ends.inputs.image
        if image is None:
            return f"network {self.name} is for images, and samples of this target are none"
        most = halvings(image.height, image.width)
        if not most:
            size = f"{image.height}x{image.width}"
            return (
                f"network {self.name} halves images, and {size} pixels cannot be halved; "
                f"`target.size: {_halved(image.height, architecture.depth)}` can"
            )
        if not 1 <= architecture.depth <= most:
            nearest = min(max(architecture.depth, 1), most)
            return (
                f"network {self.name} halves {image.height}x{image.width} pixels 1 to {most} "
                f"times: `depth: {nearest}`, not {architecture.depth}"
            )
        return ""

    def shapes(self, architecture: Architecture, ends: Ends) -> Shapes:
        """`weight_NAME`, `bias_NAME`, `gain_NAME` and `shift_NAME`, where a layer has them."""
        shapes: Shapes = {}
        for name, layer in self.layers(architecture, ends).items():
            shapes[f"weight_{name}"] = layer.shape
            if layer.bias:
                shapes[f"bias_{name}"] = (layer.bias,)
            if layer.norm:
                shapes[f"gain_{name}"] = shapes[f"shift_{name}"] = (layer.norm,)
        return shapes

    def initialise(
        self, architecture: Architecture, ends: Ends, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        """Weights and biases by the law of the architecture; gains one, shifts zero."""
        law = architecture.initialisation
        values: dict[str, NDArray[np.float32]] = {}
        for name, layer in self.layers(architecture, ends).items():
            values[f"weight_{name}"] = np.float32(layer.gain) * first_weight(law, rng, layer)
            if layer.bias:
                values[f"bias_{name}"] = law.bias(rng, layer.inputs, layer.bias)
            if layer.norm:
                values[f"gain_{name}"] = np.ones(layer.norm, np.float32)
                values[f"shift_{name}"] = np.zeros(layer.norm, np.float32)
        return values

    def apply(
        self, architecture: Architecture, ends: Ends, parameters: Parameters, x: Tensor
    ) -> Tensor:
        """The output of each trial."""
        batch = architecture.norm == "batch"

        def one(own: Parameters, x: Tensor) -> Tensor:
            norm = _by_batch(own) if batch else _by_sample(own)
            return self.forward(architecture, ends, own, x, norm)

        output: Tensor = of_pack(one, parameters, x, whole=batch)
        return output

    def moments(
        self, architecture: Architecture, ends: Ends, parameters: Parameters, x: Tensor
    ) -> dict[str, Tensor]:
        """`mean_NAME` and `deviation_NAME` of the channels of each normalised layer, over the batch
        and the places.
        """
        import torch

        def one(own: Parameters, x: Tensor) -> dict[str, Tensor]:
            found: dict[str, Tensor] = {}
            standardised = _by_batch(own)

            def norm(name: str, sums: Tensor) -> Tensor:
                variance, mean = torch.var_mean(sums, (0, 2, 3), correction=0)
                found[f"mean_{name}"] = mean[None]
                found[f"deviation_{name}"] = (variance + EPSILON).sqrt()[None]
                return standardised(name, sums)

            self.forward(architecture, ends, own, x, norm)
            return found

        moments: dict[str, Tensor] = of_pack(one, parameters, x, whole=True)
        return moments

    def apply_by(
        self,
        architecture: Architecture,
        ends: Ends,
        parameters: Parameters,
        x: Tensor,
        moments: Mapping[str, Tensor],
    ) -> Tensor:
        """The output with sums standardised by these moments."""
        from torch.nn.functional import batch_norm

        def one(own: Parameters, x: Tensor) -> Tensor:
            def norm(name: str, sums: Tensor) -> Tensor:
                mean, deviation = (own[f"{what}_{name}"][0] for what in ("mean", "deviation"))
                variance = deviation * deviation - EPSILON
                gain, shift = own[f"gain_{name}"], own[f"shift_{name}"]
                return batch_norm(sums, mean, variance, gain, shift, eps=EPSILON)

            return self.forward(architecture, ends, own, x, norm)

        output: Tensor = of_pack(one, {**parameters, **moments}, x, whole=False)
        return output

    def matrices(self, architecture: Architecture, ends: Ends) -> dict[str, tuple[int, int]]:
        """Of a convolution, from a patch to its channels; of a transposed one, from the channels of
        a pixel to its patch.
        """
        return {
            f"weight_{name}": (layer.shape[0], math.prod(layer.shape[1:]))
            for name, layer in self.layers(architecture, ends).items()
        }

    def multiply_adds(self, architecture: Architecture, ends: Ends) -> int:
        """One for each entry of a weight at each place."""
        layers = self.layers(architecture, ends).values()
        return sum(math.prod(layer.shape) * layer.places for layer in layers)

    def units(self, architecture: Architecture, ends: Ends) -> int:
        """The sums of all layers, and what becomes of them by norm and activation."""
        return 2 * sum(layer.units for layer in self.layers(architecture, ends).values())

    def activated(self, architecture: Architecture, sums: Tensor) -> Tensor:
        """The activation of channels, `(batch, channels * inputs, *) -> (batch, channels, *)`."""
        activation = architecture.activation
        if activation.inputs > 1:
            return activation.apply(sums.movedim(1, -1)).movedim(-1, 1)
        if type(activation).module is Activation.module:
            return activation.apply(sums)
        result: Tensor = activation.module()(sums)  # in one kernel, where `apply` takes several
        return result


def halvings(height: int, width: int) -> int:
    """How often both sides can be halved."""
    times = 0
    while not (height >> times) % 2 and not (width >> times) % 2:
        times += 1
    return times


def _halved(side: int, times: int) -> int:
    """The nearest number of pixels up to 512 that can be halved so often."""
    unit = 1 << min(max(times, 1), 9)
    return unit * min(max(round(side / unit), 1), 512 // unit)


def judged(ends: Ends, x: Tensor) -> tuple[Tensor, Tensor]:
    """The images of rows, and their labels.

    Shapes  `(batch, row) -> (batch, pac * channels, height, width), (batch, pac * labels)`.
    """
    side = ends.inputs
    assert side.image is not None
    samples = x.reshape(len(x), side.pac, side.numbers + side.labels)
    images = samples[..., : side.numbers].reshape(len(x), -1, *side.image[1:])
    return pixel_by_pixel(images), samples[..., side.numbers :].flatten(1)


def pixel_by_pixel(images: Tensor) -> Tensor:
    """The same images with the channels of a pixel side by side in memory, as the library's
    convolutions have them inside: up to half of a step is spent on bringing them there and back.

    Of several trials at once there is no such layout.
    """
    import torch

    if torch._C._functorch.is_batchedtensor(images):
        return images
    return images.contiguous(memory_format=torch.channels_last)


def with_planes(images: Tensor, labels: Tensor) -> Tensor:
    """Images with a plane behind their channels for each number of a label."""
    planes = labels[..., None, None].expand(*labels.shape, *images.shape[2:])
    from torch import cat

    return cat([images, planes], dim=1)


def _by_batch(own: Parameters) -> Norm:
    from torch.nn.functional import batch_norm

    def norm(name: str, sums: Tensor) -> Tensor:
        gain, shift = own[f"gain_{name}"], own[f"shift_{name}"]
        return batch_norm(sums, None, None, gain, shift, training=True, eps=EPSILON)

    return norm


def _by_sample(own: Parameters) -> Norm:
    from torch.nn.functional import group_norm

    def norm(name: str, sums: Tensor) -> Tensor:
        return group_norm(sums, 1, own[f"gain_{name}"], own[f"shift_{name}"], EPSILON)

    return norm
