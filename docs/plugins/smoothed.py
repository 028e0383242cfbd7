"""A divergence of the user's own, with a critic of its own."""

from typing import ClassVar

import numpy as np

from ganstudy.divergences import Divergence


class Smoothed(Divergence):
    r"""The critic is told that samples of p are real with probability 0.9.

    Maths   $D^* = 0.9 p / (p + q)$, so that $a^* = \log 0.9 p - \log(0.1 p + q)$.
    Source  Salimans et al. 2016, one-sided label smoothing.
    """

    descends_exact: ClassVar = False  # what the generator descends has no name

    def critic_loss(self, real, fake):
        """-0.9 E_p log D - 0.1 E_p log(1 - D) - E_q log(1 - D)."""
        on_real = 0.9 * self.softplus(-real) + 0.1 * self.softplus(real)
        return on_real.mean(-1) + self.softplus(fake).mean(-1)

    def generator_loss(self, fake):
        """-E_q log D."""
        return self.softplus(-fake).mean(-1)

    def optimal_logits(self, laws):
        return np.log(0.9 * laws.p) - np.log(0.1 * laws.p + laws.q)

    def critic_minimum(self, laws):
        real = 0.9 * laws.p / (laws.p + laws.q)
        return -float(0.9 * laws.p @ np.log(real) + (0.1 * laws.p + laws.q) @ np.log(1 - real))

    def uninformed_loss(self):
        """`critic_minimum` at p = q, whatever p is: there D = 0.45."""
        return -float(0.9 * np.log(0.45) + 1.1 * np.log(0.55))

    def exact(self, laws):
        """The critic's own divergence, zero at p = q."""
        return self.uninformed_loss() - self.critic_minimum(laws)
