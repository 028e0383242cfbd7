r"""What a divergence is: two losses on critic logits, and the exact functional they stand for.

The loss of the critic is minimised by the D-step, that of the generator by the M-step. Formulas use
tensor methods only, so that listing and validating divergences never imports torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ganstudy.family import Member

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


class Divergence(Member, ABC):
    """What separates p from q, and what the generator descends.

    Shapes  logits `(*pack, batch) -> losses (*pack,)`; a float parameter of the member may be a
            tensor of shape `(*pack, 1)`.
    """

    defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings of the published algorithm, by key path; a study file overrides each of them."""

    @abstractmethod
    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss of the critic on the logits of a batch from p and of a batch from q."""

    @abstractmethod
    def generator_loss(self, fake: Tensor) -> Tensor:
        """Loss of the generator on the logits of a batch from q."""

    @abstractmethod
    def exact(self, laws: DiscreteLaws) -> float:
        """The divergence that the generator descends at the optimal critic; zero at p = q."""

    @abstractmethod
    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """Logits `(points,)` that minimise the critic's loss."""

    @abstractmethod
    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """Least critic loss over all critics that the theory admits."""


@dataclass(frozen=True, eq=False)
class DiscreteLaws:
    """Two laws on the same finite set of points, where every divergence can be computed exactly.

    Shapes  p, q `(points,)` with sum 1; positions `(points, dimension)`.
    """

    p: Array
    q: Array
    positions: Array


def softplus(logits: Tensor) -> Tensor:
    """log(1 + e^a) for any a, with derivative sigmoid(a); exact where a naive form overflows."""
    return logits.logaddexp(logits.new_zeros(()))
