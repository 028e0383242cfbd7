"""What a step starts from: parameters, slots and random numbers, the trial axis first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    Diagnostics = dict[str, Tensor]
    Noise = tuple[Tensor, ...]
    Batch = tuple[Tensor, Tensor, Noise]

__all__ = [
    *("AVERAGE", "MOMENTS", "PREVIOUS"),
    *("Batches", "Patience", "PlayerState", "State", "Step", "Steps", "ballast"),
    "copies_behind",
]

AVERAGE = "average"
"""Slot of the generator's averaged parameters."""

MOMENTS = "moments."
"""What the names of slots begin with that hold running moments of the generator's batch norm."""

PREVIOUS = "previous"
"""Slot of the parameters before a player's last step."""


_VECTOR = 32
"""Floats that one step of a vectorised loop handles, on the widest CPUs of today."""


def ballast(rows: int) -> int:
    """Copies of a trial with so many rows that keep the ends of loops from the trials before them.

    The last elements of a vectorised loop, fewer than `_VECTOR`, go through scalar code, whose
    softplus or power differs in the last bit.
    """
    return math.ceil(_VECTOR / rows) if rows % _VECTOR else 0


def copies_behind(trials: int, rows: int) -> int:
    """Copies of the last of some trials with so many rows that a pack of them has behind it.

    A product of one matrix takes another kernel than that of a batch of two or more.
    """
    return ballast(rows) or int(trials == 1)


class PlayerState(NamedTuple):
    """Parameters `(pack, size)`, and the tensors of optimizer, constraint and average."""

    parameters: Tensor
    slots: dict[str, Tensor]

    @property
    def moments(self) -> dict[str, Tensor]:
        """Running moments of batch norm, if there are any, `(pack, 1, *)` each."""
        return {
            name.removeprefix(MOMENTS): value
            for name, value in self.slots.items()
            if name.startswith(MOMENTS)
        }


class State(NamedTuple):
    """All that the next step needs.

    alive `(pack,)` bool: no loss, gradient norm or parameter was ever NaN or infinite.
    survived `(pack,)` int64: M-steps completed alive.
    """

    generator: PlayerState
    critic: PlayerState
    alive: Tensor
    survived: Tensor

    def with_critic(self, other: State) -> State:
        """This state, after an M-step, with the critic of another, after a D-step from the same.

        Where the critic has died, the M-step beside it does not count.
        """
        lost = (self.alive & ~other.alive).to(self.survived.dtype)
        alive = self.alive & other.alive
        return State(self.generator, other.critic, alive, self.survived - lost)

    def looking_ahead_from(self, start: State) -> State:
        """This state as no step of its own: neither the count nor the average has seen it."""
        slots = dict(self.generator.slots)
        if AVERAGE in slots:
            slots[AVERAGE] = start.generator.slots[AVERAGE]
        generator = PlayerState(self.generator.parameters, slots)
        return State(generator, self.critic, self.alive, start.survived)


class Batches(NamedTuple):
    """The random numbers of one round, a row for each gradient that is taken.

    Samples of p are for D-gradients: M-gradients have none of their own.

    Shapes  real `(D-gradients, pack, batch, dimension + labels)`,
            latent `(D-gradients + M-gradients, pack, batch, latent + labels)`,
            noise `(D-gradients + M-gradients, pack, *, *)` each: what each of the constraints that
            act inside the losses draws; empty where it draws nothing.
    """

    real: Tensor
    latent: Tensor
    noise: Noise

    def d_step(self, number: int) -> Batch:
        """Real batch, latent batch and noise of a D-gradient."""
        return self.real[number], self.latent[number], tuple(own[number] for own in self.noise)

    def m_step(self, number: int) -> Batch:
        """Latent batch and noise of an M-gradient; its real batch is the last of the round."""
        place = len(self.real) + number
        return self.real[-1], self.latent[place], tuple(own[place] for own in self.noise)

    def double(self) -> Batches:
        """The same numbers in double precision."""
        noise = tuple(own.double() for own in self.noise)
        return Batches(self.real.double(), self.latent.double(), noise)


class Patience(NamedTuple):
    """D-steps of a round end after `steps` of them without a fall of the critic's loss.

    until `(pack,)`: the least fall that counts.
    """

    until: Tensor
    steps: int


RulesT_contra = TypeVar("RulesT_contra", contravariant=True)

Step = Callable[..., tuple[State, "Diagnostics"]]
"""A pure step of some rules from a state on a batch; what it measured comes with the new state."""


class Steps(Protocol[RulesT_contra]):
    """The pure steps of a round, from which update schemes put it together."""

    @property
    def d_step(self) -> Step:
        """One critic update."""

    @property
    def m_step(self) -> Step:
        """One generator update."""

    def d_steps(
        self, rules: RulesT_contra, state: State, batches: Batches, /
    ) -> tuple[State, Diagnostics]:
        """D-steps, each on a batch of its own; diagnostics of the last."""

    def m_steps(
        self, rules: RulesT_contra, state: State, batches: Batches, /
    ) -> tuple[State, Diagnostics]:
        """M-steps, each on latent points of its own; diagnostics of the last."""

    def joint_step(
        self, rules: RulesT_contra, state: State, batches: Batches, /
    ) -> tuple[State, Diagnostics]:
        """A D-step and an M-step along the directions of the rules' own scheme."""
