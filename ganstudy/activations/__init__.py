"""Activations of the hidden layers."""

from ganstudy.activations._base import Activation
from ganstudy.family import Family

__all__ = ["Activation", "family"]

family = Family(__name__, Activation)
