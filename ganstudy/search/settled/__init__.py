"""`settled`: seeds are added until the question is settled, for the arms it is still open for."""

from ganstudy.search.settled.search import Settled

__all__ = ["Settled"]
