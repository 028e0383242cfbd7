"""Networks of the two players."""

from ganstudy.family import Family
from ganstudy.networks._base import Architecture, Function, Network

__all__ = ["Architecture", "Function", "Network", "family"]

family = Family(__name__, Network)
