"""What a network is: shapes of its parameters, their first values, and the forward pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ganstudy.family import Member

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Shapes = dict[str, tuple[int, ...]]


class Network(Member, ABC):
    """A function with named parameters; width and depth are settings of the player that uses it."""

    @abstractmethod
    def shapes(self, inputs: int, width: int, depth: int, outputs: int) -> Shapes:
        """Shape of each parameter of one trial, in the order in which they are laid out."""

    @abstractmethod
    def initialise(
        self, rng: np.random.Generator, shapes: Shapes
    ) -> dict[str, NDArray[np.float32]]:
        """First values of the parameters of one trial."""

    @abstractmethod
    def apply(self, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The forward pass of a pack.

        Shapes  parameters `(pack, *shape)`; x `(pack, batch, inputs) -> (pack, batch, outputs)`.
        """
