"""`uotm`: transport maps that may leave mass behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from ganstudy.divergences._maps import TransportMap, ways

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class UOTM(TransportMap):
    r"""Unbalanced optimal transport map: marginals may differ from the laws, at a price.

    Maths   critic $E_z \Psi(a(T(z)) - c) + E_p \Psi(-a)$, generator $E_z [c - a(T(z))]$ with $c = w
            |T(z) - z|^2$. `kl`: $\Psi(x) = e^x - 1$, the conjugate of $u \log u - u + 1$: marginals
            pay KL. `softplus`: $\Psi(x) = 2 \log \frac{1 + e^x}2$, of slope one at zero too.
            At the saddle T is the transport map from the law of z, reweighted by $\Psi'(a(T(z)) -
            c)$, to p, reweighted by $\Psi'(-a)$; it does not reproduce p. `exact` is the least of
            cost and prices.
    Source  Choi, Choi & Kang 2023, "Generative modeling through the semi-dual formulation of
            unbalanced optimal transport", with latent space and data space equal.
    """

    price: Literal["softplus", "kl"] = Field("softplus", description="Psi: what marginals pay")

    @property
    def overflows(self) -> bool:  # type: ignore[override]  # a constant of all other members
        """The exponential of `kl` does."""
        return self.price == "kl"

    def rise(self, x: Tensor) -> Tensor:
        """Psi."""
        if self.price == "kl":
            return x.exp() - 1
        return 2 * (self.softplus(x) - float(np.log(2)))

    def best_logits(self, laws: DiscreteLaws, cost: Array) -> Array:
        """By sequential quadratic programming in both potentials, which no way's cost undercuts."""
        import torch
        from scipy.optimize import LinearConstraint, minimize

        points, weights = len(laws.p), np.concatenate([laws.p, laws.q])

        def paid(potentials: Array) -> tuple[float, Array]:
            x = torch.tensor(potentials, requires_grad=True)
            total = self.rise(-x) @ torch.from_numpy(weights)
            (slope,) = torch.autograd.grad(total, x)
            return float(total.detach()), slope.numpy()

        found: Any = minimize(
            paid,
            np.zeros(2 * points),
            jac=True,
            constraints=LinearConstraint(ways(points), ub=cost.ravel()),
            method="SLSQP",
            options={"ftol": 1e-16, "maxiter": 500},
        )
        return np.asarray(found.x[:points])
