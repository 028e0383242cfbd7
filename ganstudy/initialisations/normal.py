"""`normal`: Gaussian weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.initialisations._base import Initialisation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Normal(Initialisation):
    """Weights normal with mean zero, biases zero.

    Source  Radford et al. 2016, DCGAN, section 4 (std 0.02).
    """

    std: float = Field(0.02, gt=0, description="standard deviation of the weights")

    def weight(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """Normal with mean zero."""
        return rng.standard_normal((inputs, outputs), dtype=np.float32) * np.float32(self.std)
