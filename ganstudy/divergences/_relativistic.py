r"""Divergences that judge a sample of one law against samples of the other.

Only differences of logits between the laws matter, and so a critic has no opinion on a single
point: $D(p, q) = \inf_a L(0) - \inf_a L(a)$ for a loss L that is convex in the logits a, and that
adding a constant to a does not change (Jolicoeur-Martineau 2020, "On relativistic f-divergences").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class RelativisticDivergence(Divergence, ABC):
    """A divergence defined by a critic's loss of logits on both laws at once.

    With `bound` the generator descends it, by the negative of the critic's loss; with `swapped`, as
    published, it minimises the critic's loss with p and q exchanged. No divergence is known that
    the latter descends.
    """

    paired: ClassVar[bool] = True

    generator: Literal["swapped", "bound"] = Field(
        "swapped", description="what the generator minimises: the swapped loss, or the bound on D"
    )

    def generator_loss(self, fake: Tensor) -> Tensor:
        """There is none in the logits of q alone; `paired_generator_loss` takes its place.

        Errors  `NotImplementedError`: with `paired` it is not asked for.
        """
        raise NotImplementedError(f"{type(self).__name__} looks at logits on p too")

    def paired_generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's loss with p and q exchanged, or its negative."""
        if self.generator == "bound":
            return -self.critic_loss(real, fake)
        return self.critic_loss(fake, real)

    @property
    def descends_exact(self) -> bool:
        """With `generator: bound` alone."""
        return self.generator == "bound"

    @abstractmethod
    def expected_loss(self, p: Array, q: Array, logits: Array) -> tuple[float, Array]:
        """Expected loss of the critic, and its gradient in the logits; `(points,)` each."""

    def expected_losses(self, laws: DiscreteLaws, logits: Array) -> tuple[float, float]:
        """Of the critic, and of the generator as the field says."""
        critic = self.expected_loss(laws.p, laws.q, logits)[0]
        if self.generator == "bound":
            return critic, -critic
        return critic, self.expected_loss(laws.q, laws.p, logits)[0]

    @abstractmethod
    def uninformed_loss(self) -> float:
        """The loss of a constant critic."""

    def exact(self, laws: DiscreteLaws) -> float:
        """D(p, q)."""
        return self.uninformed_loss() - self.critic_minimum(laws)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """The minimiser with mean zero, by BFGS: the loss is smooth and convex."""
        return self._minimise(laws)[0]

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """The least loss over all critics."""
        return self._minimise(laws)[1]

    def _minimise(self, laws: DiscreteLaws) -> tuple[Array, float]:
        from scipy.optimize import minimize

        def loss(a: Array) -> tuple[float, Array]:
            return self.expected_loss(laws.p, laws.q, a)

        start = np.log(laws.p) - np.log(laws.q)
        found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-12})
        logits = np.asarray(found.x)
        return logits - logits.mean(), float(found.fun)
