"""`none`: any critic."""

from __future__ import annotations

from ganstudy.constraints._base import Constraint


class Unconstrained(Constraint):
    """No restriction beyond the architecture."""

    def clash(self, other: Constraint) -> str:
        """With any."""
        return f"none means no restriction, and {other.name} is one"
