"""`relativistic_average`: is a sample more real than the average of the other law?"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.divergences._base import Divergence, softplus

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class RelativisticAverage(Divergence):
    r"""Relativistic average GAN: each law is judged against the mean logit of the other.

    Maths   with $\bar a = a - E_q a$ on p and $\tilde a = a - E_p a$ on q, the critic's loss is
            $-E_p \log \sigma(\bar a) - E_q \log(1 - \sigma(\tilde a))$, convex in a, and
            $D(p, q) = 2 \log 2 - \inf_a$ of it is a divergence. `bound`: the generator descends D,
            by the negative of the critic's loss. `swapped`, as published: the generator minimises
            the critic's loss with p and q exchanged. No divergence is known that it descends.
    Source  Jolicoeur-Martineau 2019, "The relativistic discriminator", eqs. 7-8 and algorithm 2;
            that D is a divergence: Jolicoeur-Martineau 2020, "On relativistic f-divergences",
            theorem 3.1.
    """

    paired: ClassVar[bool] = True

    generator: Literal["swapped", "bound"] = Field(
        "swapped", description="what the generator minimises: the swapped loss, or the bound on D"
    )

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Samples of p should exceed the mean of q, those of q fall short of the mean of p."""
        above = softplus(fake.mean(-1, keepdim=True) - real).mean(-1)
        return above + softplus(fake - real.mean(-1, keepdim=True)).mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """There is none in the logits of q alone; `paired_generator_loss` takes its place.

        Errors  `NotImplementedError`: with `paired` it is not asked for.
        """
        raise NotImplementedError("relativistic_average looks at logits on p too")

    def paired_generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's loss with p and q exchanged, or its negative."""
        if self.generator == "bound":
            return -self.critic_loss(real, fake)
        return self.critic_loss(fake, real)

    @property
    def descends_exact(self) -> bool:
        """With `generator: bound` alone."""
        return self.generator == "bound"

    def exact(self, laws: DiscreteLaws) -> float:
        """D(p, q)."""
        return float(np.log(4)) - self.critic_minimum(laws)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """The minimiser with mean zero, by BFGS: the loss is smooth and convex."""
        return _minimise(laws)[0]

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """The least loss over all critics."""
        return _minimise(laws)[1]

    def uninformed_loss(self) -> float:
        """2 log 2, the loss of a constant critic."""
        return float(np.log(4))


def _minimise(laws: DiscreteLaws) -> tuple[Array, float]:
    from scipy.optimize import minimize
    from scipy.special import expit

    p, q = laws.p, laws.q

    def loss(a: Array) -> tuple[float, Array]:
        above, below = q @ a - a, a - p @ a
        value = p @ np.logaddexp(0, above) + q @ np.logaddexp(0, below)
        pull, push = p * expit(above), q * expit(below)
        return float(value), pull.sum() * q - pull + push - push.sum() * p

    start = np.log(p) - np.log(q)
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-12})
    logits = np.asarray(found.x)
    return logits - logits.mean(), float(found.fun)
