"""`resnet`: residual blocks without normalisation, of grouped convolutions."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ganstudy import tiles
from ganstudy.networks._convolutional import Convolutional, judged, pixel_by_pixel, with_planes
from ganstudy.networks._layers import Layer, convolution, product, projection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from ganstudy.networks._base import Architecture, Ends
    from ganstudy.networks._convolutional import Norm, Parameters


class ResNet(Convolutional):
    r"""Blocks of three convolutions beside the identity, `width` channels at every size.

    Maths   A block adds to x what a 1x1 convolution to `expansion * width` channels, a 3x3 one in
            groups of `group` channels, and a 1x1 one back make of it, with an activation before
            each but the first; only the sums before activations have biases. The generator begins
            with a learned image of each channel, multiplied by a linear function of its latent, and
            ends with a 1x1 convolution; between sizes, `depth` times, pixels are interpolated
            bilinearly, and the way back, in the critic, averages the four of a square. The critic
            ends with an inner product of each channel with an image, and a linear layer.
    First   the law of `initialisation`, times $L^{-1/4}$ in the first two convolutions of each of L
            blocks; their last begins at zero, and each block as the identity. Images of the
            generator's channels are standard normal.
    Labels  The generator is told by the columns behind its latent; the critic's logit has the inner
            product of the label with its last features added to it (`projection`), or it sees
            labels as planes behind the channels (`concatenation`).
    Source  Huang, Gokaslan, Kuleshov & Tompkin 2024, "The GAN is dead; long live the GAN! A modern
            GAN baseline" (R3GAN), section 3; first values: Zhang, Dauphin & Ma 2019 (Fixup). Theirs
            are normal, with the gain of a leaky rectifier in blocks and 1 outside of them, to which
            `he`, uniform with that of a rectifier in all layers, is nearest; their code averages
            with weights 1, 3, 3, 1 along each side where the critic halves it, takes what lies
            beyond an edge for 0 where the generator doubles it, tells the generator a linear map of
            the label, and has no term but the inner product where the critic is told it. Samples
            are not bounded, as there. Projection: Miyato & Koyama 2018.
    """

    begins_at_zero: ClassVar[bool] = True

    blocks: int = Field(2, ge=1, le=20, description="residual blocks at each size")
    expansion: int = Field(2, ge=1, le=16, description="channels within a block for each outside")
    group: int = Field(16, ge=1, description="channels of each group of a 3x3 convolution")
    labels: Literal["projection", "concatenation"] = Field(
        "projection", description="how the critic is told the label"
    )

    def unfit(self, architecture: Architecture, ends: Ends) -> str:
        """With a norm, or groups that do not come out even, too."""
        if problem := super().unfit(architecture, ends):
            return problem
        if architecture.norm != "none":
            return f"network {self.name} has no sums to normalise: `norm: none`"
        pieces, inner = architecture.activation.inputs, self.expansion * architecture.width
        if inner % self.group:
            fitting = max(n for n in range(1, min(self.group, inner) + 1) if not inner % n)
            return (
                f"network {self.name} has no whole groups of `group: {self.group}` in "
                f"{inner} channels (`width` times `expansion`); `group: {fitting}` divides them"
            )
        if pieces > 1:
            return (
                f"network {self.name} has as many channels before an activation as behind it, "
                f"and {architecture.activation.name} takes {pieces} for one"
            )
        return ""

    def layers(self, architecture: Architecture, ends: Ends) -> dict[str, Layer]:
        """`latent` and `first`, or `image`; `SIZE_BLOCK_1` to `_3`; `image`, or `last` and `logit`,
        and `labels` of a projection. Sizes are counted along the way.
        """
        width, depth = architecture.width, architecture.depth
        image = ends.outputs.image or ends.inputs.image
        assert image is not None
        places = image.height * image.width
        sizes = [places >> (2 * size) for size in range(depth + 1)]
        smallest = (width, 1, image.height >> depth, image.width >> depth)
        if ends.outputs.image is not None:
            layers = {"latent": product(ends.inputs.row, width)}
            layers["first"] = Layer(smallest, sizes[-1], 0, width * sizes[-1], law="normal")
            layers |= self._blocks(architecture, sizes[::-1])
            layers["image"] = convolution(width, image.channels, 1, places)
            return layers
        side = ends.inputs
        planes = side.labels if self.labels == "concatenation" else 0
        layers = {"image": convolution(side.pac * (image.channels + planes), width, 1, places)}
        layers |= self._blocks(architecture, sizes)
        layers["last"] = Layer(smallest, sizes[-1], 1, width)
        layers["logit"] = product(width, ends.outputs.row)
        if side.labels and not planes:
            layers["labels"] = projection(side.pac * side.labels, width)
        return layers

    def _blocks(self, architecture: Architecture, sizes: list[int]) -> dict[str, Layer]:
        width, layers = architecture.width, dict[str, Layer]()
        inner, bias = self.expansion * width, self.expansion * width * architecture.bias
        gain = float((len(sizes) * self.blocks) ** -0.25)
        for size, places in enumerate(sizes):
            for block in range(self.blocks):
                name, groups = f"{size}_{block}", inner // self.group
                layers[f"{name}_1"] = convolution(width, inner, 1, places, bias=bias, gain=gain)
                layers[f"{name}_2"] = convolution(
                    *(inner, inner, 3, places, groups), bias=bias, gain=gain
                )
                layers[f"{name}_3"] = convolution(inner, width, 1, places, gain=0.0)
        return layers

    def forward(
        self, architecture: Architecture, ends: Ends, own: Parameters, x: Tensor, norm: Norm
    ) -> Tensor:
        """Size by size."""
        from torch.nn.functional import avg_pool2d, conv2d, linear

        if ends.outputs.image is not None:
            scales = linear(x, own["weight_latent"].t())[..., None, None]
            x = pixel_by_pixel(scales * own["weight_first"][:, 0])
            for size in range(architecture.depth + 1):
                x = _doubled(x) if size else x
                x = self._residual(architecture, own, x, size)
            return conv2d(x, own["weight_image"]).flatten(1)
        x, labels = judged(ends, x)
        if labels.shape[1] and self.labels == "concatenation":
            x = with_planes(x, labels)
        x = conv2d(x, own["weight_image"])
        for size in range(architecture.depth + 1):
            x = avg_pool2d(x, 2) if size else x
            x = self._residual(architecture, own, x, size)
        features = (x * own["weight_last"][:, 0]).sum((2, 3))
        logits = linear(features, own["weight_logit"].t())
        if "weight_labels" in own:
            logits = logits + (features * (labels @ own["weight_labels"])).sum(1, keepdim=True)
        return logits

    def _twin(
        self,
        architecture: Architecture,
        ends: Ends,
        own: Parameters,
        moments: Mapping[str, Tensor],
    ) -> nn.Module:
        """`latent`, `first`, `block_SIZE_BLOCK` with `double_SIZE` between, and `image`."""
        from torch import nn

        from ganstudy.networks import _twin

        groups = self.expansion * architecture.width // self.group
        layers: dict[str, nn.Module] = {"latent": _twin.affine(nn.Linear, own, "latent")}
        layers["first"] = _twin.Scaled(own["weight_first"][:, 0])
        for size in range(architecture.depth + 1):
            if size:
                layers[f"double_{size}"] = nn.Upsample(scale_factor=2.0, mode="bilinear")
            for block in range(self.blocks):
                name = f"{size}_{block}"
                layers[f"block_{name}"] = _twin.Residual(
                    _twin.affine(nn.Conv2d, own, f"{name}_1"),
                    _twin.activation(architecture.activation),
                    _twin.affine(nn.Conv2d, own, f"{name}_2", padding=1, groups=groups),
                    _twin.activation(architecture.activation),
                    _twin.affine(nn.Conv2d, own, f"{name}_3"),
                )
        layers["image"] = _twin.affine(nn.Conv2d, own, "image")
        return nn.Sequential(OrderedDict(**layers, flatten=nn.Flatten()))

    def _residual(
        self, architecture: Architecture, own: Parameters, x: Tensor, size: int
    ) -> Tensor:
        """The blocks of a size."""
        from torch.nn.functional import conv2d

        groups = self.expansion * architecture.width // self.group
        for block in range(self.blocks):
            name = f"{size}_{block}"
            y = conv2d(x, own[f"weight_{name}_1"], own.get(f"bias_{name}_1"))
            y = self.activated(architecture, y)
            weight, bias = own[f"weight_{name}_2"], own.get(f"bias_{name}_2")
            y = self.activated(architecture, conv2d(y, weight, bias, padding=1, groups=groups))
            x = x + conv2d(y, own[f"weight_{name}_3"])
        return x


def _doubled(x: Tensor) -> Tensor:
    """Images of twice the edge, bilinearly: on a GPU by sums of slices, since the gradient of what
    torch has for it is added up there in any order.
    """
    import torch

    if not tiles.on_gpu(x):
        return torch.nn.functional.interpolate(
            x, scale_factor=2.0, mode="bilinear", align_corners=False
        )
    for axis in (2, 3):
        last = x.shape[axis] - 1
        before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, last)], dim=axis)
        behind = torch.cat([x.narrow(axis, 1, last), x.narrow(axis, last, 1)], dim=axis)
        pair = [0.75 * x + 0.25 * before, 0.75 * x + 0.25 * behind]
        x = torch.stack(pair, dim=axis + 1).flatten(axis, axis + 1)
    return x
