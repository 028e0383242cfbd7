"""`mlp`: the multi-layer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.networks._base import Network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.networks._base import Shapes


class MLP(Network):
    r"""Fully connected layers with ReLU between them; `depth` counts the hidden layers.

    Maths   $h_{l+1} = \max(0, h_l W_l + b_l)$, the last layer without the maximum. First values
            are uniform on $\pm 1/\sqrt{inputs}$ for weights and biases.
    Source  initial values as `torch.nn.Linear` (He et al. 2015 with gain $\sqrt{1/3}$).
    """

    def shapes(self, inputs: int, width: int, depth: int, outputs: int) -> Shapes:
        """`weight_0 (inputs, width)`, `bias_0 (1, width)`, ... up to layer `depth`."""
        sizes = [inputs, *[width] * depth, outputs]
        shapes: Shapes = {}
        for layer in range(depth + 1):
            shapes[f"weight_{layer}"] = (sizes[layer], sizes[layer + 1])
            shapes[f"bias_{layer}"] = (1, sizes[layer + 1])
        return shapes

    def initialise(
        self, rng: np.random.Generator, shapes: Shapes
    ) -> dict[str, NDArray[np.float32]]:
        """Uniform on +-1/sqrt(inputs of the layer)."""
        values = {}
        for name, shape in shapes.items():
            inputs = shapes[name.replace("bias", "weight")][0]
            uniform = rng.random(shape, dtype=np.float32)
            values[name] = (2 * uniform - 1) * np.float32(inputs**-0.5)
        return values

    def apply(self, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The perceptron's output."""
        layers = len(parameters) // 2
        for layer in range(layers):
            x = parameters[f"bias_{layer}"].baddbmm(x, parameters[f"weight_{layer}"])
            if layer + 1 < layers:
                x = x.relu()
        return x
