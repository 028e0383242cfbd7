"""`none`: any critic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.constraints._base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


class Unconstrained(Constraint):
    """No restriction beyond the architecture."""

    def project(self, parameters: Tensor) -> Tensor:
        """The parameters as they are."""
        return parameters
