"""A trained generator in modules of `torch.nn`, which need nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils import skip_init

from ganstudy.activations import Activation

__all__ = ["Residual", "Scaled", "activation", "affine", "norm"]


def affine(kind: type[nn.Module], own: Mapping[str, Tensor], name: str, **more: int) -> nn.Module:
    """`nn.Linear`, `nn.Conv2d` or `nn.ConvTranspose2d` with the weight and bias of a layer."""
    weight, bias = own[f"weight_{name}"], own.get(f"bias_{name}")
    if kind is nn.Linear:
        sizes = tuple(weight.shape)
        weight = weight.T.contiguous()
    else:
        outputs, inputs = weight.shape[:2]
        inputs *= more.get("groups", 1)
        sizes = (inputs, outputs) if kind is nn.Conv2d else (outputs, inputs)
        more = {"kernel_size": weight.shape[-1], **more}
    # First values would be drawn from the global generator.
    layer: nn.Module = skip_init(kind, *sizes, bias=bias is not None, **more)  # type: ignore[no-untyped-call]  # torch has not typed it
    layer.weight.data = weight.clone()
    if bias is not None:
        layer.bias.data = bias.flatten().clone()
    return layer


def norm(
    kind: str, own: Mapping[str, Tensor], name: str, moments: Mapping[str, Tensor], epsilon: float
) -> nn.Module:
    """The norm of a layer's sums, with running moments if there are any."""
    gain, shift = own[f"gain_{name}"], own[f"shift_{name}"]
    if kind == "layer":
        layer: nn.Module = nn.GroupNorm(1, len(gain), epsilon)
    else:
        layer = nn.BatchNorm2d(len(gain), epsilon, track_running_stats=bool(moments))
        if moments:
            layer.running_mean = moments[f"mean_{name}"][0].clone()
            variance = moments[f"deviation_{name}"][0] ** 2 - epsilon
            layer.running_var = variance.clamp(min=0)
    layer.weight.data, layer.bias.data = gain.clone(), shift.clone()
    return layer


def activation(of: Activation) -> nn.Module:
    """The activation of channels."""
    return of.module() if of.inputs == 1 else _OfChannels(of.module())


class _OfChannels(nn.Module):
    """An activation of rows, for channels `(batch, channels, height, width)`."""

    def __init__(self, of_rows: nn.Module) -> None:
        super().__init__()
        self.of_rows = of_rows

    def forward(self, sums: Tensor) -> Tensor:
        """Pixel by pixel."""
        apart = sums.movedim(1, -1)
        done: Tensor = self.of_rows(apart.flatten(0, 2))
        batch, height, width = apart.shape[0], apart.shape[1], apart.shape[2]  # a tracer's, too
        return done.reshape(batch, height, width, -1).movedim(-1, 1)


class Residual(nn.Module):
    """What layers change, added to what they are given."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.change = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """x and the change."""
        change: Tensor = self.change(x)
        return x + change


class Scaled(nn.Module):
    """An image for each channel, times a number of each row: `(batch, channels)` to images."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.images = nn.Parameter(images.clone())

    def forward(self, scales: Tensor) -> Tensor:
        """The images, scaled."""
        return scales[..., None, None] * self.images
