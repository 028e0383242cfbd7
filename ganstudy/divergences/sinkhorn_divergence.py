"""`sinkhorn_divergence`: optimal transport with an entropy, without its bias."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.divergences._base import Divergence
from ganstudy.elementary import distances

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws

STANDING = 1e-14
"""Change of potentials, as a share of the largest cost, below which an exact computation ends,
after `STEPS` at the latest."""
STEPS = 20_000


class SinkhornDivergence(Divergence):
    r"""Sinkhorn divergence: between a Wasserstein distance and the energy distance.

    Maths   $S_\epsilon(p, q) = OT_\epsilon(p, q) - \frac12 OT_\epsilon(p, p) - \frac12
            OT_\epsilon(q, q)$ with $OT_\epsilon = \min_\pi E_\pi c + \epsilon KL(\pi \| p \otimes
            q)$ and $c = |x - y|$. Small $\epsilon$ give $W_1$, large ones half the energy
            distance. The potentials of both laws come from Sinkhorn's iterations on the batch; no
            critic is trained. The generator's loss $-E_q a$, with a minus the derivative of S in
            q, has the gradient of S at a held fixed.
    Source  Genevay, Peyré & Cuturi 2018, "Learning generative models with Sinkhorn divergences";
            Feydy et al. 2019, for positivity and the derivative; steps of
            equal laws are averaged, as there.
    """

    closed_form: ClassVar[bool] = True

    epsilon: float = Field(0.5, gt=0, description="weight of the entropy, in units of the cost")
    iterations: int = Field(50, ge=1, le=10_000, description="Sinkhorn steps on a batch")

    @property
    def comparisons(self) -> int:
        """Three steps for each iteration, each two thirds of a pass with a gradient."""
        return 2 * self.iterations

    def witness(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the derivative of S in q, at x."""
        of_p, _ = self._potentials(real, fake)
        own = self._self_potential(fake)
        return self._reach(distances(x, fake), own) - self._reach(distances(x, real), of_p)

    def witness_on_p(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """The derivative of S in p, at x."""
        _, of_q = self._potentials(real, fake)
        own = self._self_potential(real)
        return self._reach(distances(x, fake), of_q) - self._reach(distances(x, real), own)

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-S: minus the sum of both means of potentials."""
        return fake.mean(-1) - real.mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q a."""
        return -fake.mean(-1)

    def _potentials(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        forth, back = distances(real, fake), distances(fake, real)
        of_q = fake.new_zeros(fake.shape[:-1])
        for _ in range(self.iterations):
            of_p = self._reach(forth, of_q)
            of_q = self._reach(back, of_p)
        return of_p, of_q

    def _self_potential(self, law: Tensor) -> Tensor:
        cost = distances(law, law)
        potential = law.new_zeros(law.shape[:-1])
        for _ in range(self.iterations):
            potential = 0.5 * (potential + self._reach(cost, potential))
        return potential

    def _reach(self, cost: Tensor, potential: Tensor) -> Tensor:
        """The potential that answers one, by the costs of ways to it: a soft minimum of them."""
        epsilon = cost.new_zeros(()) + self.epsilon
        reached = (potential[..., None, :] - cost) / epsilon[..., None]
        answer: Tensor = -epsilon * (reached.logsumexp(-1) - np.log(cost.shape[-1]))
        return answer

    # --- on discrete laws -----------------------------------------------------------------------

    def expected_losses(self, laws: DiscreteLaws, logits: Array) -> tuple[float, float]:
        """No critic falls short of -S; the generator's is minus the mean logit."""
        return self.critic_minimum(laws), -float(laws.q @ logits)

    def exact(self, laws: DiscreteLaws) -> float:
        """S(p, q)."""
        cost = laws.distances
        within = sum(_transport(law, law, cost, self.epsilon)[0] for law in (laws.p, laws.q))
        return _transport(laws.p, laws.q, cost, self.epsilon)[0] - within / 2

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """Minus the derivative of S in q at the points."""
        cost = laws.distances
        _, _, of_q = _transport(laws.p, laws.q, cost, self.epsilon)
        _, one, other = _transport(laws.q, laws.q, cost, self.epsilon)
        return (one + other) / 2 - of_q

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """-S(p, q)."""
        return -self.exact(laws)


def _transport(p: Array, q: Array, cost: Array, epsilon: float) -> tuple[float, Array, Array]:
    """OT_epsilon and both potentials, by Sinkhorn's iterations until they stand."""

    def answer(potential: Array, law: Array, cost: Array) -> Array:
        present = law > 0
        reached = potential[present] - cost[:, present]
        highest = reached.max(axis=1)
        total = np.exp((reached - highest[:, None]) / epsilon) @ law[present]
        return np.asarray(-highest - epsilon * np.log(total))

    of_q, equal = np.zeros(len(q)), bool(np.array_equal(p, q))
    for _ in range(STEPS):
        of_p = answer(of_q, q, cost)
        new = (of_q + of_p) / 2 if equal else answer(of_p, p, cost.T)
        change, of_q = float(np.abs(new - of_q).max()), new
        if change <= STANDING * float(cost.max()):
            break
    of_p = answer(of_q, q, cost)
    return float(p @ of_p + q @ of_q), of_p, of_q
