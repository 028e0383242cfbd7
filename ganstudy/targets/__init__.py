"""Targets: the laws p that generators are trained to match."""

from ganstudy.family import Family
from ganstudy.targets._base import Modes, Target

__all__ = ["Modes", "Target", "family", "from_config"]

family = Family(__name__, Target)
from_config = family.from_config
