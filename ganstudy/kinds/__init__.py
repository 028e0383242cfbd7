"""Kinds of trials: what a trial does."""

from ganstudy.family import Family
from ganstudy.kinds._base import Kind, Pack
from ganstudy.kinds._theory import TOLERANCE_SUFFIX, Check, Claim, Outcome, TheoryKind

__all__ = [
    "TOLERANCE_SUFFIX",
    "Check",
    "Claim",
    "Kind",
    "Outcome",
    "Pack",
    "TheoryKind",
    "family",
]

family = Family(__name__, Kind)
