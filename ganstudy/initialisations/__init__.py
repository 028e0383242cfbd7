"""Initialisations: the first values of a network's parameters."""

from ganstudy.family import Family
from ganstudy.initialisations._base import Initialisation

__all__ = ["Initialisation", "family"]

family = Family(__name__, Initialisation)
