"""What a constraint is: what keeps the critic within the class that its theory assumes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ganstudy.family import Member

if TYPE_CHECKING:
    from torch import Tensor


class Constraint(Member, ABC):
    """A restriction of the critic, applied after every D-step."""

    @abstractmethod
    def project(self, parameters: Tensor) -> Tensor:
        """The nearest admissible parameters, shapes `(*pack, size) -> (*pack, size)`."""
