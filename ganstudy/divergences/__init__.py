"""Divergences: the objectives, each with its two losses and the functional it descends."""

from ganstudy.divergences._base import DiscreteLaws, Divergence
from ganstudy.divergences._classifier import (
    ClassifierDivergence,
    jensen_shannon,
    kullback_leibler,
)
from ganstudy.divergences._variational import VariationalDivergence
from ganstudy.family import Family

__all__ = [
    "ClassifierDivergence",
    "DiscreteLaws",
    "Divergence",
    "VariationalDivergence",
    "family",
    "jensen_shannon",
    "kullback_leibler",
]

family = Family(__name__, Divergence)
