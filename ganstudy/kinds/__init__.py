"""Kinds of trials: what a trial does."""

from ganstudy.family import Family
from ganstudy.kinds._base import Kind

__all__ = ["Kind", "family"]

family = Family(__name__, Kind)
