"""Networks of the two players."""

from ganstudy.family import Family
from ganstudy.networks._base import Architecture, Network

__all__ = ["Architecture", "Network", "family"]

family = Family(__name__, Network)
