"""What a network is: shapes of its parameters, their first values, and the forward pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from ganstudy import activations, initialisations
from ganstudy.family import Member, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Shapes = dict[str, tuple[int, ...]]


class Architecture(Settings):
    """What a study sets of a network, apart for each player."""

    width: int = Field(128, ge=1, le=65_536, description="units of each hidden layer")
    depth: int = Field(2, ge=0, le=100, description="number of hidden layers")
    activation: Annotated[activations.Activation, activations.family.field("relu")] = Field(
        default="relu", validate_default=True, description="nonlinearity of the hidden layers"
    )
    initialisation: Annotated[
        initialisations.Initialisation, initialisations.family.field("fan_in")
    ] = Field(default="fan_in", validate_default=True, description="law of the first weights")
    norm: Literal["none", "batch", "layer"] = Field(
        "none", description="normalisation of the sums of the hidden layers"
    )
    bias: bool = Field(True, description="whether layers have biases")
    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    scale: float = Field(
        1.0, gt=0, exclude_if=lambda scale: scale == 1, description="factor on the inputs"
    )


class Function(Member, ABC):
    """A function with named parameters."""

    keeps_moments: ClassVar[bool] = False
    """Whether it tells the moments of its batch norm, and computes with others."""

    @abstractmethod
    def shapes(self, architecture: Architecture, inputs: int, outputs: int) -> Shapes:
        """Shape of each parameter of one trial, in the order in which they are laid out."""

    @abstractmethod
    def initialise(
        self, architecture: Architecture, rng: np.random.Generator, shapes: Shapes
    ) -> dict[str, NDArray[np.float32]]:
        """First values of the parameters of one trial."""

    @abstractmethod
    def apply(
        self, architecture: Architecture, parameters: Mapping[str, Tensor], x: Tensor
    ) -> Tensor:
        """The forward pass of a pack.

        Shapes  parameters `(pack, *shape)`; x `(pack, batch, inputs) -> (pack, batch, outputs)`.
        """

    def moments(
        self, architecture: Architecture, parameters: Mapping[str, Tensor], x: Tensor
    ) -> dict[str, Tensor]:
        """Means and deviations by which batch norm divides on a batch, `(pack, 1, *)` each.

        Errors  `NotImplementedError` unless `keeps_moments`: it is not asked for otherwise.
        """
        raise NotImplementedError(f"{self.name} keeps no moments")

    def apply_by(
        self,
        architecture: Architecture,
        parameters: Mapping[str, Tensor],
        x: Tensor,
        moments: Mapping[str, Tensor],
    ) -> Tensor:
        """The forward pass, in the shapes of `apply`, with these moments in place of the batch's.

        Errors  `NotImplementedError` unless `keeps_moments`: it is not asked for otherwise.
        """
        raise NotImplementedError(f"{self.name} keeps no moments")


class Network(Function, ABC):
    """A function that is trained by gradient steps."""
