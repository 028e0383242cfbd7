"""Metrics of a generator's samples."""

from ganstudy.family import Family
from ganstudy.metrics._base import Metric, Reading, measured_by
from ganstudy.metrics._perfect import perfect_sampler

__all__ = ["Metric", "Reading", "family", "measured_by", "perfect_sampler"]

family = Family(__name__, Metric)
