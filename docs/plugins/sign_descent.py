"""An optimizer of the user's own."""

from ganstudy.elementary import match
from ganstudy.optimizers import Optimizer


class SignDescent(Optimizer):
    """Every parameter moves by the learning rate.

    Source  Bernstein et al. 2018, signSGD.
    """

    def update(self, gradient, slots, lr, parameters):
        """The change, and the new state, of which there is none."""
        return -match(lr, gradient) * gradient.sign(), {}
