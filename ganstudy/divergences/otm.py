"""`otm`: a generator that is the map of optimal transport from the latent law to p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences._maps import TransportMap, ways

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class OTM(TransportMap):
    r"""Optimal transport map: the generator moves each latent point as little as p allows.

    Maths   critic $E_z [a(T(z)) - c] - E_p a$, generator $E_z [c - a(T(z))]$ with $c = w |T(z) -
            z|^2$; no constraint. At the saddle T is the transport map and a the potential: from
            N(m, S) to N(n, R), $T(z) = n + A (z - m)$ with $A = S^{-1/2} (S^{1/2} R
            S^{1/2})^{1/2} S^{-1/2}$ and $\nabla a(x) = 2 w (x - T^{-1}(x))$. `exact` is $w W_2^2$
            between the latent law and p.
    Source  Rout, Korotin & Burnaev 2022, "Generative modeling with optimal transport maps"
            (ten M-steps a round: `generator.steps`), with latent space and data space
            equal; Fan, Liu, Ma, Chen & Zhou 2021, "Scalable computation of Monge maps with general
            costs". Gaussian maps: Peyré & Cuturi 2019, section 2.
    """

    def rise(self, x: Tensor) -> Tensor:
        """The identity."""
        return x

    def best_logits(self, laws: DiscreteLaws, cost: Array) -> Array:
        """By the dual linear programme; the logit of the first point is zero."""
        from scipy.optimize import linprog

        points = len(laws.p)
        found = linprog(
            -np.concatenate([laws.p, laws.q]),
            A_ub=ways(points),
            b_ub=cost.ravel(),
            bounds=[(0.0, 0.0)] + [(None, None)] * (2 * points - 1),
        )
        if not found.success or found.x is None:
            raise RuntimeError(f"the linear programme of the transport failed: {found.message}")
        return np.asarray(found.x[:points])
