"""Kinds of trials: what a trial does."""

from ganstudy.family import Family
from ganstudy.kinds._base import Kind, Pack

__all__ = ["Kind", "Pack", "family"]

family = Family(__name__, Kind)
