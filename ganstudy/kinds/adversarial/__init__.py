"""`adversarial`: a generator and a critic trained against each other by gradient steps."""

from ganstudy.kinds.adversarial.kind import Adversarial

__all__ = ["Adversarial"]
