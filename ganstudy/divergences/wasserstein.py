"""`wasserstein`: the dual of the earth mover's distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class Wasserstein(Divergence):
    r"""Wasserstein GAN; descends W1(p, q) if a constraint keeps the critic 1-Lipschitz.

    Maths   $W_1(p, q) = \sup_{Lip(a) \le 1} E_p a - E_q a$; critic loss $E_q a - E_p a$, generator
            loss $-E_q a$. A K-Lipschitz critic gives K W1.
    Source  Arjovsky, Chintala & Bottou 2017, eq. 2 and algorithm 1, whose settings but for
            its batch of 64 are the defaults; Bouman, "Wasserstein practical algorithm".
    """

    defaults: ClassVar[Mapping[str, Any]] = {
        "constraint": {"name": "clip", "bound": 0.01},
        "critic.optimizer": {"name": "rmsprop"},
        "critic.lr": 5e-5,
        "critic.steps": 5,
        "generator.optimizer": {"name": "rmsprop"},
        "generator.lr": 5e-5,
    }

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E_q a - E_p a."""
        return fake.mean(-1) - real.mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q a."""
        return -fake.mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """W1(p, q) under the Euclidean distance of the positions."""
        return -self.critic_minimum(laws)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """A Kantorovich potential: the maximiser of the dual linear programme."""
        return _kantorovich(laws)[0]

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """-W1(p, q), over all 1-Lipschitz critics."""
        return -_kantorovich(laws)[1]


def _kantorovich(laws: DiscreteLaws) -> tuple[Array, float]:
    r"""Solve $\max_a \sum_i (p_i - q_i) a_i$ subject to $a_i - a_j \le d_{ij}$."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    points = len(laws.p)
    rows, columns = np.nonzero(~np.eye(points, dtype=bool))
    pairs, one = np.arange(len(rows)), np.ones(len(rows))
    difference: Any = csr_array(  # SciPy takes it, whatever its annotations say
        (np.r_[one, -one], (np.r_[pairs, pairs], np.r_[rows, columns])), (len(rows), points)
    )
    # The potential is free up to a constant; pinning its first value to zero makes it unique there.
    bounds = [(0.0, 0.0)] + [(None, None)] * (points - 1)
    solution = linprog(
        -(laws.p - laws.q), A_ub=difference, b_ub=laws.distances[rows, columns], bounds=bounds
    )
    if not solution.success or solution.fun is None:
        raise RuntimeError(f"the linear programme of W1 failed: {solution.message}")
    return np.asarray(solution.x), -float(solution.fun)
