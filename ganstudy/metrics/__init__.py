"""Metrics of a generator's samples."""

from ganstudy.family import Family
from ganstudy.metrics._audits import AUDITED
from ganstudy.metrics._base import Judged, Metric, Reading, measured_by
from ganstudy.metrics._cloud_metric import name_in
from ganstudy.metrics._clouds import each_cloud, reference, shuffled, typical_distance
from ganstudy.metrics._known import (
    are_measured,
    is_new,
    know_variable,
    known_variable,
    measured_already,
)
from ganstudy.metrics._misreading import trueness
from ganstudy.metrics._perfect import perfect_sampler

__all__ = [
    "AUDITED",
    "Judged",
    "Metric",
    "Reading",
    "are_measured",
    "each_cloud",
    "family",
    "is_new",
    "know_variable",
    "known_variable",
    "measured_already",
    "measured_by",
    "name_in",
    "perfect_sampler",
    "reference",
    "shuffled",
    "trueness",
    "typical_distance",
]

family = Family(__name__, Metric)
