"""`bayes`: points are proposed by results, for every arm by a sampler of its own."""

from ganstudy.search.bayes.search import Bayes

__all__ = ["Bayes"]
