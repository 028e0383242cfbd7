"""What a constraint is: what keeps the critic within the class that its theory assumes."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar

from ganstudy.family import Member

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Parameters = Mapping[str, Tensor]
    Matrices = Mapping[str, tuple[int, int]]
    InputGradient = Callable[[Tensor], Tensor]


class Constraint(Member, ABC):
    """A restriction of the critic; it acts through the hooks that a member overrides.

    projects   whether it acts through `project` at most. Trials with such constraints share packs;
               the other hooks change the graph of a step, and each of their constraints has packs
               of its own
    penalises  whether it acts through `penalty`, which is then recorded as a curve
    perturbs   whether it acts through `perturb`
    """

    projects: ClassVar[bool]
    penalises: ClassVar[bool]
    perturbs: ClassVar[bool]

    divides: ClassVar[bool] = False
    """Whether it acts on the matrices that a network states, and needs some."""

    fixes: ClassVar[bool] = False
    """Whether its gradient holds something fixed that moves with the parameters: derivatives of
    that gradient are then not those of the field that the players follow."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.penalises = cls.penalty is not Constraint.penalty
        cls.perturbs = cls.perturb is not Constraint.perturb
        constrains = cls.constrain is not Constraint.constrain
        cls.projects = not (cls.penalises or cls.perturbs or constrains)

    @property
    def scheduled(self) -> bool:
        """Whether `draw` goes by the progress that it is told: fewer steps are another training."""
        return False

    def clash(self, other: Constraint) -> str:
        """Why it makes no sense beside another one, in words; empty if it does."""
        return ""

    def project(self, parameters: Tensor) -> Tensor:
        """The nearest admissible parameters, `(*pack, size)`; applied after each D-step."""
        return parameters

    def penalty(self, gradient: InputGradient, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
        """What is added to the critic's loss.

        Shapes  inputs of the critic and noise `(pack, batch, *)`; the penalty `(pack,)`. `gradient`
                gives the gradient of each logit in its own samples, `(pack, batch, *)`: labels are
                told, not judged, and have no slope. Numbers of the member's own are `(pack, 1)`
                here, as trials of a pack may differ in them, and plain numbers in `draw`.
        Errors  `NotImplementedError` where no member overrides it: it is not asked for then.
        """
        raise NotImplementedError(f"{self.name} has no penalty")

    def perturb(self, real: Tensor, fake: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The samples as the critic sees them, in D-steps and M-steps."""
        return real, fake

    def constrain(
        self, parameters: Parameters, slots: Mapping[str, Tensor], update: bool
    ) -> tuple[Parameters, dict[str, Tensor]]:
        """The parameters with which the critic computes, and the constraint's own new state.

        The gradient flows through it to the parameters that are trained. `update` is true in
        D-steps.
        """
        return parameters, {}

    def initial(
        self, rng: np.random.Generator, matrices: Matrices
    ) -> dict[str, NDArray[np.float32]]:
        """The constraint's own state of one trial, by name.

        matrices  rows and columns of the critic's parameters that act as matrices, by name
        """
        return {}

    def draw(
        self,
        rng: np.random.Generator,
        progress: NDArray[np.float64],
        shape: tuple[int, int, int],
        groups: int,
    ) -> NDArray[np.float32] | None:
        """Random numbers of the constraint, or None if it needs none.

        progress `(rounds,)`  share of the training that is done, from 0 to 1
        shape                 `(gradients in a round, batch, dimension)`
        groups                inputs of the critic in a batch: batch / pac
        returns               `(rounds, gradients, *, *)`
        """
        return None
