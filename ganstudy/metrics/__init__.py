"""Metrics of a generator's samples."""

from ganstudy.family import Family
from ganstudy.metrics._base import Metric, Reading

__all__ = ["Metric", "Reading", "family"]

family = Family(__name__, Metric)
