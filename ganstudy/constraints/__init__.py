"""Constraints on the critic."""

from ganstudy.constraints._base import Constraint
from ganstudy.constraints._together import Together, TogetherField
from ganstudy.family import Family

__all__ = ["Constraint", "Together", "TogetherField", "family"]

family = Family(__name__, Constraint)
