"""`bayes`: each arm has its own sampler, which proposes points by their results."""

from ganstudy.search.bayes.search import Bayes

__all__ = ["Bayes"]
