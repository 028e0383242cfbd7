r"""The f-GAN family: divergences $D_f(p \| q) = E_q f(p/q)$ through their variational bound.

For every function T, $E_p T - E_q f^*(T) \le D_f(p \| q)$, with equality at $T^* = f'(p/q)$
(Nguyen, Wainwright & Jordan 2010; Thickstun, eqs. 3-6). The critic's logit v becomes a T inside the
domain of $f^*$ by an output activation, $T = g_f(v)$ (Nowozin et al. 2016, section 2.4).

What the generator descends. A loss $E_q \ell(v)$ at the optimal critic held fixed has, at a point
with ratio u = p/q, the derivative $\ell(u)$ in q. It is the derivative of $D_\varphi(p \| q)$ up to
a constant, which a change of q along the simplex does not see, if
$\varphi(u) - u \varphi'(u) = \ell(u) + c$, that is, if $\varphi''(u) = -\ell'(u) / u$.

-   `bound`, $\ell = -f^*(T^*(u))$: since $f^*(f'(u)) = u f'(u) - f(u)$, it is $\varphi = f$.
-   `trick`, $\ell = -T^*(u) = -f'(u)$: it is $\varphi'' = f''(u) / u$, convex again, and so an
    f-divergence of its own: the *companion* of f, fixed by $\varphi(1) = \varphi'(1) = 0$, or
    $\varphi(u) = u \int_1^u (f'(s) - f'(1)) s^{-2} ds$. For the GAN's f it is the divergence of the
    non-saturating GAN (Shannon et al. 2020 study this case and hybrids of two f-divergences).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws


class VariationalDivergence(Divergence, ABC):
    """A divergence defined by a convex f; functions of u = p/q and t = T are elementwise.

    Laws must give positive mass to the same points.
    """

    generator: Literal["bound", "trick"] = Field(
        "bound", description="what the generator minimises: `bound`, -E f*(T), or `trick`, -E T"
    )

    @abstractmethod
    def f(self, u: Array) -> Array:
        """The convex function of D_f(p || q) = E_q f(p/q)."""

    @abstractmethod
    def optimal(self, u: Array) -> Array:
        """f'(u): the optimal T where p/q = u."""

    @abstractmethod
    def conjugate(self, t: Array) -> Array:
        """f*(t) = sup_u t u - f(u)."""

    @abstractmethod
    def companion(self, u: Array) -> Array:
        """The convex function whose divergence the generator descends with the trick."""

    @abstractmethod
    def inverse(self, u: Array) -> Array:
        """The optimal logit: v with g_f(v) = f'(u)."""

    @abstractmethod
    def activation(self, logits: Tensor) -> Tensor:
        """T = g_f(v): increasing, so that a large logit means "from p"."""

    @abstractmethod
    def penalty(self, logits: Tensor) -> Tensor:
        """f*(g_f(v)), in a form that keeps its digits for large |v|."""

    @property
    def threshold(self) -> float:
        """f'(1): the critic takes a sample for one of p if T exceeds it."""
        return float(self.optimal(np.ones(())))

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The negative of the bound: E_q f*(T) - E_p T."""
        return self.penalty(fake).mean(-1) - self.activation(real).mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q f*(T) for the bound, -E_q T for the trick."""
        raised = self.penalty(fake) if self.generator == "bound" else self.activation(fake)
        return -raised.mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """D_f(p || q) - f(1) for the bound; the divergence of the companion for the trick."""
        u = laws.p / laws.q
        phi = self.f(u) + self.uninformed_loss() if self.generator == "bound" else self.companion(u)
        return float(laws.q @ phi)

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """v* with g_f(v*) = f'(p/q)."""
        return self.inverse(laws.p / laws.q)

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """-D_f(p || q)."""
        return -float(laws.q @ self.f(laws.p / laws.q))

    def uninformed_loss(self) -> float:
        """-f(1), which is zero for all but the GAN's f."""
        return -float(self.f(np.ones(())))
