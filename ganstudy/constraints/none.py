"""`none`: any critic."""

from __future__ import annotations

from typing import ClassVar

from ganstudy.constraints._base import Constraint


class Unconstrained(Constraint):
    """No restriction beyond the architecture."""

    projects: ClassVar[bool] = True

    def clash(self, other: Constraint) -> str:
        """With any."""
        return f"none means no restriction, and {other.name} is one"
