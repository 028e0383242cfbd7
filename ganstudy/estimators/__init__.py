"""Estimators of log p/q from samples, each of which can stand in for a trained critic."""

from ganstudy.estimators._base import Estimator
from ganstudy.family import Family

__all__ = ["Estimator", "family"]

family = Family(__name__, Estimator)
