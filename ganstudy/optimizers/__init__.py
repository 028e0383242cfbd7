"""Optimizers, stacked over the trials of a pack and equal to `torch.optim`'s to rounding."""

from ganstudy.family import Family
from ganstudy.optimizers._base import Optimizer

__all__ = ["Optimizer", "family"]

family = Family(__name__, Optimizer)
