"""`ratio`: density ratios estimated from samples of two laws whose ratio is known."""

from ganstudy.kinds.ratio.kind import Ratio

__all__ = ["Ratio"]
