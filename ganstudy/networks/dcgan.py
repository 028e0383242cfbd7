"""`dcgan`: convolutions that halve or double the sides of an image."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ganstudy.networks._convolutional import (
    EPSILON,
    Convolutional,
    judged,
    pixel_by_pixel,
    with_planes,
)
from ganstudy.networks._layers import Layer, convolution, product, projection, transposed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from ganstudy.networks._base import Architecture, Ends
    from ganstudy.networks._convolutional import Norm, Parameters

_KERNEL = 4
"""Edge of every kernel; with stride 2 and a pixel of padding each side is halved or doubled."""


class DCGAN(Convolutional):
    r"""`depth` convolutions of 4x4 with stride 2; `width` channels nearest to the image.

    Maths   The generator multiplies its latent by a matrix, to $2^{depth - 1} width$ channels of
            sides $2^{-depth}$ times those of the image; each transposed convolution doubles the
            sides and halves the channels, and the last makes the image, by a tanh. The critic is
            the way back, with $width, 2 width, ...$ channels and a linear layer at the end.
    Labels  The generator is told by the columns behind its latent. The critic sees them as planes
            behind the channels, or by their inner product with its last features:
            $a(x, y) = w^T \phi(x) + y^T V \phi(x)$.
    Source  Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep
            convolutional GANs": figure 1 is `width: 128, depth: 4` at 64x64, but for its kernels
            of 5x5. As there, `norm` acts on no sums of the critic's first layer and of the
            generator's last, and rectifiers and the normal law of the weights are settings of the
            study. Projection: Miyato & Koyama
            2018, with features that are not pooled. Layer norm is over channels and pixels.
    """

    labels: Literal["concatenation", "projection"] = Field(
        "concatenation", description="how the critic is told the label"
    )

    def layers(self, architecture: Architecture, ends: Ends) -> dict[str, Layer]:
        """`0` to `depth`, and `labels` of a critic's projection."""
        if ends.outputs.image is not None:
            return _generator(architecture, ends)
        return _critic(architecture, ends, planes=self.labels == "concatenation")

    def forward(
        self, architecture: Architecture, ends: Ends, own: Parameters, x: Tensor, norm: Norm
    ) -> Tensor:
        """Layer by layer."""
        if ends.outputs.image is not None:
            return self._generate(architecture, ends, own, x, norm)
        return self._judge(architecture, ends, own, x, norm)

    def _twin(
        self,
        architecture: Architecture,
        ends: Ends,
        own: Parameters,
        moments: Mapping[str, Tensor],
    ) -> nn.Module:
        """`linear_0`, `norm_0`, `activation_0`, `transposed_1`, ... and a tanh."""
        from torch import nn

        from ganstudy.networks import _twin

        depth, image = architecture.depth, ends.outputs.image
        assert image is not None
        smallest = (-1, image.height >> depth, image.width >> depth)
        layers: dict[str, nn.Module] = {"linear_0": _twin.affine(nn.Linear, own, "0")}
        layers["unflatten"] = nn.Unflatten(1, smallest)
        for layer in range(depth):
            if architecture.norm != "none":
                norm = _twin.norm(architecture.norm, own, str(layer), moments, EPSILON)
                layers[f"norm_{layer}"] = norm
            layers[f"activation_{layer}"] = _twin.activation(architecture.activation)
            layers[f"transposed_{layer + 1}"] = _twin.affine(
                nn.ConvTranspose2d, own, str(layer + 1), stride=2, padding=1
            )
        return nn.Sequential(OrderedDict(**layers, tanh=nn.Tanh(), flatten=nn.Flatten()))

    def _generate(
        self, architecture: Architecture, ends: Ends, own: Parameters, x: Tensor, norm: Norm
    ) -> Tensor:
        from torch.nn.functional import conv_transpose2d, linear

        depth, image = architecture.depth, ends.outputs.image
        assert image is not None
        x = linear(x, own["weight_0"].t(), own.get("bias_0"))
        x = x.reshape(len(x), -1, image.height >> depth, image.width >> depth)
        x = pixel_by_pixel(x)
        for layer in range(depth):
            x = norm(str(layer), x) if architecture.norm != "none" else x
            x = self.activated(architecture, x)
            weight, bias = own[f"weight_{layer + 1}"], own.get(f"bias_{layer + 1}")
            x = conv_transpose2d(x, weight, bias, stride=2, padding=1)
        return x.tanh().flatten(1)

    def _judge(
        self, architecture: Architecture, ends: Ends, own: Parameters, x: Tensor, norm: Norm
    ) -> Tensor:
        from torch.nn.functional import conv2d, linear

        x, labels = judged(ends, x)
        if labels.shape[1] and self.labels == "concatenation":
            x = with_planes(x, labels)
        for layer in range(architecture.depth):
            x = conv2d(x, own[f"weight_{layer}"], own.get(f"bias_{layer}"), stride=2, padding=1)
            if layer and architecture.norm != "none":
                x = norm(str(layer), x)
            x = self.activated(architecture, x)
        features = x.flatten(1)
        last = architecture.depth
        logits = linear(features, own[f"weight_{last}"].t(), own.get(f"bias_{last}"))
        if "weight_labels" in own:
            logits = logits + (features * (labels @ own["weight_labels"])).sum(1, keepdim=True)
        return logits


def _generator(architecture: Architecture, ends: Ends) -> dict[str, Layer]:
    image, depth, pieces = ends.outputs.image, architecture.depth, architecture.activation.inputs
    assert image is not None
    channels = [architecture.width << (depth - 1 - layer) for layer in range(depth)]
    places = (image.height >> depth) * (image.width >> depth)
    sums = channels[0] * pieces
    norm = sums if architecture.norm != "none" else 0
    units = sums * places
    layers = {"0": product(ends.inputs.row, units, bias=units * architecture.bias, norm=norm)}
    for layer, inputs in enumerate(channels):
        last = layer == depth - 1
        sums = image.channels if last else channels[layer + 1] * pieces
        layers[str(layer + 1)] = transposed(
            *(inputs, sums, _KERNEL, 2, places),
            bias=sums * architecture.bias,
            norm=sums if architecture.norm != "none" and not last else 0,
        )
        places *= 4
    return layers


def _critic(architecture: Architecture, ends: Ends, planes: bool) -> dict[str, Layer]:
    side, pieces = ends.inputs, architecture.activation.inputs
    image = side.image
    assert image is not None
    inputs = side.pac * (image.channels + side.labels * planes)
    places, layers = image.height * image.width, dict[str, Layer]()
    for layer in range(architecture.depth):
        places //= 4
        channels = architecture.width << layer
        sums = channels * pieces
        norm = sums if architecture.norm != "none" and layer else 0
        layers[str(layer)] = convolution(
            *(inputs, sums, _KERNEL, places), bias=sums * architecture.bias, norm=norm, stride=2
        )
        inputs = channels
    features, outputs = inputs * places, ends.outputs.row
    bias = outputs * architecture.bias
    layers[str(architecture.depth)] = product(features, outputs, bias=bias)
    if side.labels and not planes:
        layers["labels"] = projection(side.pac * side.labels, features)
    return layers
