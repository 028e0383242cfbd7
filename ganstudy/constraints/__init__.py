"""Constraints on the critic."""

from ganstudy.constraints._base import Constraint
from ganstudy.family import Family

__all__ = ["Constraint", "family"]

family = Family(__name__, Constraint)
