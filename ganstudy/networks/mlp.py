"""`mlp`: the multi-layer perceptron."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.networks._base import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.networks._base import Architecture, Ends, Shapes

_EPSILON = 1e-5
"""Added to variances before their root, as in `torch.nn.BatchNorm1d` and `torch.nn.LayerNorm`."""


class MLP(Network):
    r"""Fully connected layers; `depth` counts the hidden ones.

    Maths   $h_{l+1} = \phi(\nu(h_l W_l + b_l))$ with the activation $\phi$ and the norm $\nu$; the
            last layer is affine. $\nu(s) = g (s - \bar s) / \sqrt{var(s) + \epsilon} + c$ with
            moments over the batch or over the units of a layer; g starts at one, c at zero.
    Source  Ioffe & Szegedy 2015 (batch norm); Ba, Kiros & Hinton 2016 (layer norm). Batch norm
            takes the moments of the batch at hand, in evaluation too, unless the generator's
            `norm_average` keeps running ones.
    """

    keeps_moments: ClassVar[bool] = True

    def shapes(self, architecture: Architecture, ends: Ends) -> Shapes:
        """`weight_0`, `bias_0` if any, `gain_0`, `shift_0` with a norm, ... up to layer `depth`."""
        hidden_sizes = [architecture.width] * architecture.depth
        sizes = [ends.inputs.row, *hidden_sizes, ends.outputs.row]
        shapes: Shapes = {}
        for layer in range(architecture.depth + 1):
            hidden = layer < architecture.depth
            sums = sizes[layer + 1] * (architecture.activation.inputs if hidden else 1)
            shapes[f"weight_{layer}"] = (sizes[layer], sums)
            if architecture.bias:
                shapes[f"bias_{layer}"] = (1, sums)
            if hidden and architecture.norm != "none":
                shapes[f"gain_{layer}"] = shapes[f"shift_{layer}"] = (1, sums)
        return shapes

    def initialise(
        self, architecture: Architecture, ends: Ends, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        """Weights and biases by the law of the architecture; gains one, shifts zero."""
        shapes, values = self.shapes(architecture, ends), {}
        for name, shape in shapes.items():
            what, _, layer = name.partition("_")
            inputs = shapes[f"weight_{layer}"][0]
            if what == "weight":
                values[name] = architecture.initialisation.weight(rng, *shape)
            elif what == "bias":
                values[name] = architecture.initialisation.bias(rng, inputs, shape[1])[None]
            else:
                values[name] = np.full(shape, float(what == "gain"), np.float32)
        return values

    def apply(
        self, architecture: Architecture, ends: Ends, parameters: Mapping[str, Tensor], x: Tensor
    ) -> Tensor:
        """The perceptron's output."""
        axis = 1 if architecture.norm == "batch" else 2

        def standardised(layer: int, sums: Tensor) -> Tensor:
            centred, deviation = _centred(sums, axis)
            return centred / deviation

        return self._layers(architecture, parameters, x, standardised)

    def moments(
        self, architecture: Architecture, ends: Ends, parameters: Mapping[str, Tensor], x: Tensor
    ) -> dict[str, Tensor]:
        """`mean_0`, `deviation_0`, ... of the sums of each hidden layer, over the batch."""
        found: dict[str, Tensor] = {}

        def standardised(layer: int, sums: Tensor) -> Tensor:
            centred, deviation = _centred(sums, 1)
            found[f"mean_{layer}"] = sums.mean(1, keepdim=True)
            found[f"deviation_{layer}"] = deviation
            return centred / deviation

        self._layers(architecture, parameters, x, standardised)
        return found

    def apply_by(
        self,
        architecture: Architecture,
        ends: Ends,
        parameters: Mapping[str, Tensor],
        x: Tensor,
        moments: Mapping[str, Tensor],
    ) -> Tensor:
        """The output with sums standardised by these moments."""
        return self._layers(
            architecture,
            parameters,
            x,
            lambda layer, sums: (sums - moments[f"mean_{layer}"]) / moments[f"deviation_{layer}"],
        )

    def module(
        self,
        architecture: Architecture,
        ends: Ends,
        parameters: Mapping[str, Tensor],
        moments: Mapping[str, Tensor],
    ) -> torch.nn.Module:
        """Layers of `torch.nn`: `linear_0`, `norm_0`, `activation_0`, ... one after the other.

        Their weights are the transposed `weight_0`, ...; running variances are squared deviations.
        """
        from torch import nn

        from ganstudy.networks import _twin

        layers: dict[str, nn.Module] = {}
        for layer in range(architecture.depth + 1):
            layers[f"linear_{layer}"] = _twin.affine(nn.Linear, parameters, str(layer))
            if layer == architecture.depth:
                break
            if architecture.norm != "none":
                gain = parameters[f"gain_{layer}"]
                layers[f"norm_{layer}"] = norm = _norm(architecture.norm, gain.shape[1])
                norm.weight.data = gain[0].clone()
                norm.bias.data = parameters[f"shift_{layer}"][0].clone()
                if isinstance(norm, nn.BatchNorm1d) and moments:
                    norm.track_running_stats = True
                    norm.running_mean = moments[f"mean_{layer}"][0].clone()
                    variance = moments[f"deviation_{layer}"][0] ** 2 - _EPSILON
                    norm.running_var = variance.clamp(min=0)
            layers[f"activation_{layer}"] = architecture.activation.module()
        return nn.Sequential(OrderedDict(layers))

    def is_affine(self, architecture: Architecture) -> bool:
        """Without hidden layers."""
        return architecture.depth == 0

    def matrices(self, architecture: Architecture, ends: Ends) -> dict[str, tuple[int, int]]:
        """The weights, `(inputs, sums)` each."""
        return {
            name: (shape[0], shape[1])
            for name, shape in self.shapes(architecture, ends).items()
            if name.startswith("weight")
        }

    def multiply_adds(self, architecture: Architecture, ends: Ends) -> int:
        """One for each entry of a weight."""
        return sum(math.prod(shape) for shape in self.matrices(architecture, ends).values())

    def units(self, architecture: Architecture, ends: Ends) -> int:
        """The sums of the hidden layers."""
        return architecture.width * architecture.depth * architecture.activation.inputs

    def _layers(
        self,
        architecture: Architecture,
        parameters: Mapping[str, Tensor],
        x: Tensor,
        standardised: Callable[[int, Tensor], Tensor],
    ) -> Tensor:
        for layer in range(architecture.depth + 1):
            weight = parameters[f"weight_{layer}"]
            bias = parameters.get(f"bias_{layer}")
            x = x.bmm(weight)
            if bias is not None:
                # Not baddbmm, which first copies the bias into every row: a compiler adds it in the
                # loop of the activation, and a compiled step gains a fifth.
                x = x + bias
            if layer == architecture.depth:
                break
            if architecture.norm != "none":
                x = standardised(layer, x)
                x = x * parameters[f"gain_{layer}"] + parameters[f"shift_{layer}"]
            x = architecture.activation.apply(x)
        return x


def _norm(name: str, sums: int) -> torch.nn.BatchNorm1d | torch.nn.LayerNorm:
    from torch import nn

    if name == "layer":
        return nn.LayerNorm(sums, eps=_EPSILON)
    return nn.BatchNorm1d(sums, eps=_EPSILON, track_running_stats=False)


def _centred(sums: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Sums without their mean, and the deviation that they are divided by."""
    centred = sums - sums.mean(axis, keepdim=True)
    variance = (centred * centred).mean(axis, keepdim=True)
    return centred, (variance + _EPSILON).sqrt()
