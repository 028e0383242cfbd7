"""Divergences: the objectives, each with its two losses and the functional it descends."""

from ganstudy.divergences._base import DiscreteLaws, Divergence
from ganstudy.family import Family

__all__ = ["DiscreteLaws", "Divergence", "family"]

family = Family(__name__, Divergence)
