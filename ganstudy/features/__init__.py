"""Feature spaces: what metrics look at in place of the numbers of a sample."""

from ganstudy.family import Family
from ganstudy.features._base import Features
from ganstudy.features._seen import Seen
from ganstudy.features._trust import trust

__all__ = ["Features", "Seen", "family", "trust"]

family = Family(__name__, Features)
