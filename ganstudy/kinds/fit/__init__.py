"""`fit`: too simple a model fitted to a law with several modes, by exact gradient descent."""

from ganstudy.kinds.fit.kind import Fit

__all__ = ["Fit"]
