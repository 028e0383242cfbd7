"""Updates: how the gradients of the two players become a round of training."""

from ganstudy.family import Family
from ganstudy.kinds.adversarial.updates._base import CoupledUpdates, Updates

__all__ = ["CoupledUpdates", "Updates", "family"]

family = Family(__name__, Updates)
