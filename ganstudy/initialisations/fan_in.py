"""`fan_in`: what PyTorch does by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.initialisations._base import Initialisation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FanIn(Initialisation):
    r"""Weights and biases uniform on $\pm 1/\sqrt{inputs}$.

    Source  `torch.nn.Linear` (He et al. 2015 with gain $\sqrt{1/3}$).
    """

    def weight(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """Uniform on +-1/sqrt(inputs)."""
        return _uniform(rng, (inputs, outputs), inputs)

    def bias(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """Uniform on +-1/sqrt(inputs)."""
        return _uniform(rng, (outputs,), inputs)


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], inputs: int) -> NDArray[np.float32]:
    return (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(inputs**-0.5)
