"""Penalties on the squared norm of the critic's gradient at samples of one law."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.constraints._base import Constraint

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.constraints._base import InputGradient


class ZeroCentredPenalty(Constraint, ABC):
    """gamma / 2 times the mean squared norm of the gradient."""

    weight: float = Field(10.0, gt=0, description="gamma; half of it multiplies the penalty")

    def at(self, gradient: InputGradient, samples: Tensor) -> Tensor:
        """The penalty at the given samples."""
        slopes = gradient(samples)
        return (0.5 * self.weight * (slopes * slopes).sum(-1)).mean(-1)
