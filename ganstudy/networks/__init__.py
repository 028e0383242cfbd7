"""Networks of the two players."""

from ganstudy.family import Family
from ganstudy.networks._base import Architecture, Ends, Function, Network, Side

__all__ = ["Architecture", "Ends", "Function", "Network", "Side", "family"]

family = Family(__name__, Network)
