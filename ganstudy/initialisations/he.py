"""`he`: weights that keep the variance of rectified sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.initialisations._base import Initialisation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class He(Initialisation):
    r"""Weights uniform with standard deviation $\sqrt{2 / inputs}$, biases zero.

    Maths   uniform on $\pm \sqrt{6 / inputs}$
    Source  He et al. 2015 (normal there); `torch.nn.init.kaiming_uniform_` for ReLU.
    """

    def weight(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """Uniform on +-sqrt(6/inputs)."""
        uniform = 2 * rng.random((inputs, outputs), dtype=np.float32) - 1
        return uniform * np.float32((6 / inputs) ** 0.5)
