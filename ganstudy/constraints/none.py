"""`none`: any critic."""

from __future__ import annotations

from typing import ClassVar

from ganstudy.constraints._base import Constraint


class Unconstrained(Constraint):
    """No restriction beyond the architecture."""

    projects: ClassVar[bool] = True
