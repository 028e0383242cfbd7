"""What an update scheme is: the order in which the players see and answer each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from ganstudy.family import Member

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.kinds.adversarial.coupled import Coupled
    from ganstudy.kinds.adversarial.state import Batches, Diagnostics, State, Steps

RulesT = TypeVar("RulesT")


class Updates(Member, ABC):
    """One round: the critic's D-steps and the generator's M-steps, put together from pure steps."""

    passes: ClassVar[int] = 1
    """Gradients that each player takes for one step, each on latent points of its own."""

    single: ClassVar[bool] = False
    """Whether each player makes exactly one step in a round."""

    remembers: ClassVar[tuple[str, ...]] = ()
    """Slots of both players that hold earlier parameters: `slow` ones, or the `previous`."""

    optimizers: ClassVar[tuple[str, ...]] = ()
    """Those that the scheme is defined for; empty if any shapes its directions."""

    weighs_gradients: ClassVar[bool] = False
    """Whether the gradients of both players, and thus a critic, are part of the losses."""

    @property
    def products(self) -> int:
        """Gradients of gradients that a round takes of each player's loss: what it costs more."""
        return 0

    @property
    def unrolled(self) -> int:
        """D-steps that each M-step looks ahead."""
        return 0

    @abstractmethod
    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """The state after one round, and the diagnostics of its last D-step and M-step."""


class CoupledUpdates(Updates, ABC):
    """Simultaneous steps along directions in which each player knows how the other moves."""

    single: ClassVar[bool] = True
    weighs_gradients: ClassVar[bool] = True

    @abstractmethod
    def directions(self, game: Coupled) -> tuple[Tensor, Tensor, Diagnostics]:
        """What the optimizers of generator and critic take for the gradients, `(pack, size)` each,
        and the diagnostics of both losses.
        """

    def play(
        self, steps: Steps[RulesT], rules: RulesT, state: State, batches: Batches
    ) -> tuple[State, Diagnostics]:
        """One joint step, which needs second derivatives."""
        return steps.joint_step(rules, state, batches)
