"""What an estimator is: a critic that one D-step finds from one batch, without gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.networks import Function

if TYPE_CHECKING:
    from torch import Tensor


class Estimator(Function, ABC):
    """A function that is fitted to samples; its output is an estimate of log p/q.

    Its first values are those of a critic that cannot tell p from q.
    """

    centres: int = Field(64, ge=1, description="samples of p in the batch that a kernel stands at")

    @abstractmethod
    def fit(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Parameters `(pack, *shape)` from samples of p and of q, `(pack, batch, inputs)`."""

    @abstractmethod
    def products(self, batch: int, inputs: int) -> int:
        """Rough number of multiply-adds of one fit."""
