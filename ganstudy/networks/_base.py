"""What a network is: shapes of its parameters, their first values, and the forward pass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from ganstudy import activations, initialisations
from ganstudy.family import Member
from ganstudy.settings import Settings
from ganstudy.targets import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
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


class Side(NamedTuple):
    """What the rows at one end of a player's function are.

    numbers  of one sample, or of one latent
    image    the shape of a sample where it is an image, else None
    labels   columns behind each sample that hold its label, one-hot
    pac      samples that stand in a row one behind the other, each with its label
    """

    numbers: int
    image: Image | None = None
    labels: int = 0
    pac: int = 1

    @property
    def row(self) -> int:
        """Numbers of a whole row."""
        return self.pac * (self.numbers + self.labels)


class Ends(NamedTuple):
    """What goes into a player's function, and what comes out of it."""

    inputs: Side
    outputs: Side


class Function(Member, ABC):
    """A function with named parameters, between rows that its `Ends` describe."""

    keeps_moments: ClassVar[bool] = False
    """Whether it tells the moments of its batch norm, and computes with others."""

    @abstractmethod
    def shapes(self, architecture: Architecture, ends: Ends) -> Shapes:
        """Shape of each parameter of one trial, in the order in which they are laid out."""

    @abstractmethod
    def initialise(
        self, architecture: Architecture, ends: Ends, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        """First values of the parameters of one trial, in the order of `shapes`."""

    @abstractmethod
    def apply(
        self, architecture: Architecture, ends: Ends, parameters: Mapping[str, Tensor], x: Tensor
    ) -> Tensor:
        """The forward pass of a pack.

        Shapes  parameters `(pack, *shape)`; x `(pack, batch, inputs) -> (pack, batch, outputs)`
                with rows as `ends` describes them.
        """

    def moments(
        self, architecture: Architecture, ends: Ends, parameters: Mapping[str, Tensor], x: Tensor
    ) -> dict[str, Tensor]:
        """Means and deviations by which batch norm divides on a batch, `(pack, 1, *)` each.

        Errors  `NotImplementedError` unless `keeps_moments`: it is not asked for otherwise.
        """
        raise NotImplementedError(f"{self.name} keeps no moments")

    def apply_by(
        self,
        architecture: Architecture,
        ends: Ends,
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

    images: ClassVar[bool] = False
    """Whether it asks how samples are images."""

    stacks: ClassVar[bool] = True
    """Whether a CPU computes its packs as one; else trial after trial, each copy at its price."""

    begins_at_zero: ClassVar[bool] = False
    """Whether some of its matrices are zero at first, and cannot be divided by their norm."""

    def unfit(self, architecture: Architecture, ends: Ends) -> str:
        """Why there is no such network between these ends, in words; empty if there is."""
        return ""

    def module(
        self,
        architecture: Architecture,
        ends: Ends,
        parameters: Mapping[str, Tensor],
        moments: Mapping[str, Tensor],
    ) -> torch.nn.Module:
        """The function of one trial as a module of its own, rows `(batch, inputs)` to rows
        `(batch, outputs)`: by default `apply`, as torch traces it.

        parameters  `(*shape)` each
        moments     running moments `(1, *)`, by which batch norm is to divide; empty for those of
                    the batch at hand

        A member states the same in modules of `torch.nn`, whose classes and parameters others know;
        equal to rounding. Whoever hands it on traces classes of our own away.

        Errors  whatever torch raises for what it cannot trace.
        """
        import torch

        network = self

        class Whole(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                for name, value in parameters.items():
                    self.register_parameter(name, torch.nn.Parameter(value.clone()))
                for name, value in moments.items():
                    self.register_buffer(name, value.clone())

            def forward(self, x: Tensor) -> Tensor:
                own = {name: getattr(self, name)[None] for name in parameters}
                if not moments:
                    return network.apply(architecture, ends, own, x[None])[0]
                by = {name: getattr(self, name)[None] for name in moments}
                return network.apply_by(architecture, ends, own, x[None], by)[0]

        return torch.fx.symbolic_trace(Whole())

    def is_affine(self, architecture: Architecture) -> bool:
        """Whether it is the map $x \\mapsto x W + b$ of parameters `weight_0` and `bias_0`."""
        return False

    def matrices(self, architecture: Architecture, ends: Ends) -> dict[str, tuple[int, int]]:
        """Parameters that act as matrices, each with the rows and columns that it is seen with.

        A constraint on the norms of layers acts on these; with none it is refused.
        """
        return {}

    def multiply_adds(self, architecture: Architecture, ends: Ends) -> int:
        """Those of one row's forward pass: by default what torch counts in one, on zeros."""
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            _on_zeros(self, architecture, ends, 1)
        return int(counter.get_total_flops()) // 2

    def units(self, architecture: Architecture, ends: Ends) -> int:
        """Numbers of one row that a forward pass leaves for the backward pass: by default what
        torch keeps of a second row, of zeros.
        """
        from torch.autograd.graph import saved_tensors_hooks

        sizes = []
        for rows in (1, 2):
            kept: dict[int, int] = {}

            def keep(value: Tensor, kept: dict[int, int] = kept) -> Tensor:
                kept[value.untyped_storage().data_ptr()] = value.numel()
                return value

            with saved_tensors_hooks(keep, lambda value: value):
                output = _on_zeros(self, architecture, ends, rows)
            sizes.append(sum(kept.values()))
            del output
        return max(sizes[1] - sizes[0], 0)


def _on_zeros(network: Network, architecture: Architecture, ends: Ends, rows: int) -> Tensor:
    """Output of rows of zeros, by parameters that are zero."""
    import torch

    shapes = network.shapes(architecture, ends)
    parameters = {name: torch.zeros(1, *s, requires_grad=True) for name, s in shapes.items()}
    return network.apply(architecture, ends, parameters, torch.zeros(1, rows, ends.inputs.row))
