"""What an initialisation is: a law of the first weights and biases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.family import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Initialisation(Member, ABC):
    """First values of one layer."""

    @abstractmethod
    def weight(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """First weights, `(inputs, outputs)`."""

    def bias(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """First biases, `(outputs,)`; zero unless an initialisation says otherwise."""
        return np.zeros(outputs, np.float32)
