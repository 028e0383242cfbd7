"""`relativistic_average`: is a sample more real than the average of the other law?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences._relativistic import RelativisticDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class RelativisticAverage(RelativisticDivergence):
    r"""Relativistic average GAN: each law is judged against the mean logit of the other.

    Maths   with $\bar a = a - E_q a$ on p and $\tilde a = a - E_p a$ on q, the critic's loss is
            $-E_p \log \sigma(\bar a) - E_q \log(1 - \sigma(\tilde a))$, convex in a, and
            $D(p, q) = 2 \log 2 - \inf_a$ of it is a divergence. `bound`: the generator descends D,
            by the negative of the critic's loss. `swapped`, as published: the generator minimises
            the critic's loss with p and q exchanged. No divergence is known that it descends.
    Source  Jolicoeur-Martineau 2019, "The relativistic discriminator" (RaSGAN);
            that D is a divergence: Jolicoeur-Martineau 2020, "On relativistic f-divergences",
            theorem 3.1.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Samples of p should exceed the mean of q, those of q fall short of the mean of p."""
        above = self.softplus(fake.mean(-1, keepdim=True) - real).mean(-1)
        return above + self.softplus(fake - real.mean(-1, keepdim=True)).mean(-1)

    def expected_loss(self, p: Array, q: Array, logits: Array) -> tuple[float, Array]:
        """Means over batches are those over laws: the loss of batches without end."""
        from scipy.special import expit

        above, below = q @ logits - logits, logits - p @ logits
        value = p @ np.logaddexp(0, above) + q @ np.logaddexp(0, below)
        pull, push = p * expit(above), q * expit(below)
        return float(value), pull.sum() * q - pull + push - push.sum() * p

    def uninformed_loss(self) -> float:
        """2 log 2, the loss of a constant critic."""
        return float(np.log(4))
