"""Networks of the two players."""

from ganstudy.family import Family
from ganstudy.networks._base import Network

__all__ = ["Network", "family"]

family = Family(__name__, Network)
