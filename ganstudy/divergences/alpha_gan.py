"""`alpha_gan`: losses between the 0-1 loss and ever steeper ones, for each player its own."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from ganstudy.divergences._base import Divergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array, DiscreteLaws

# Below it, the square of the gradient of a logit of 1 is infinite in single precision.
LOWEST = 0.03
# Stands for the beta of the log loss, which is zero: the same to float64.
NEAR = 1e-12
NODES = 96
# By so many powers of e an integrand may fall within a part, and the rule is exact to rounding.
SMOOTH = 64


class AlphaGAN(Divergence):
    r"""(alpha_D, alpha_G)-GAN: a classifier and a generator, each under an alpha-loss.

    Maths   $\ell_\alpha(c) = \frac{1 - c^\beta}{\beta}$ of the probability c of the right class,
            with $\beta = 1 - 1/\alpha$; $\ell_1 = -\log c$. Critic: $E_p \ell_{\alpha_D}(D) + E_q
            \ell_{\alpha_D}(1 - D)$, whose optimum is $D^* = \frac{p^{\alpha_D}}{p^{\alpha_D} +
            q^{\alpha_D}}$, that is $a^* = \alpha_D \log p/q$. Generator: `saturating`
            $-E_q \ell_{\alpha_G}(1 - D)$, or `non_saturating` $E_q \ell_{\alpha_G}(D)$. They
            descend $D_\varphi$ with, for $\alpha = \alpha_D$ and $\beta$ of $\alpha_G$,
            $\varphi'' = \alpha u^{\alpha - 2} (1 + u^\alpha)^{-1 - \beta}$ and
            $\varphi'' = \alpha u^{\alpha \beta - 2} (1 + u^\alpha)^{-1 - \beta}$, both convex.
            With both alpha 1 it is minimax or the non-saturating GAN; `saturating` with
            $\alpha_G = \frac12$ is alpha_D times the alpha-divergence of order alpha_D.
    Errors  for alpha < 1 infinite in float32 for logits beyond $88 \alpha / (1 - \alpha)$. Below
            0.03, which is refused, that holds of the gradient of a new critic, whose logits reach
            1. For alpha > 1 a sample costs the critic $\alpha / (\alpha - 1)$ at most, and pulls
            no more.
    Source  Welfert, Otstot, Kurri & Sankar 2023, "(alpha_D, alpha_G)-GANs: addressing GAN training
            instabilities via dual objectives". Their divergence is the value at the optimal critic
            as a function of q; M-steps hold the critic fixed, and what they descend is stated here.
    """

    overflows: ClassVar[bool] = True
    classifies: ClassVar[bool] = True

    critic_alpha: float = Field(0.5, ge=LOWEST, description="alpha_D, of the critic's loss")
    generator_alpha: float = Field(1.0, ge=LOWEST, description="alpha_G, of the generator's loss")
    generator: Literal["saturating", "non_saturating"] = Field(
        "saturating", description="what the generator minimises: -loss on 1 - D, or loss on D"
    )

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Means of the alpha-loss of D on p and of 1 - D on q."""
        on_p, on_q = self.softplus(-real), self.softplus(fake)
        alpha = self.critic_alpha
        return _loss(on_p, alpha).mean(-1) + _loss(on_q, alpha).mean(-1)

    def generator_loss(self, fake: Tensor) -> Tensor:
        """Mean of the alpha-loss of D, or minus that of 1 - D."""
        alpha = self.generator_alpha
        if self.generator == "saturating":
            return -_loss(self.softplus(fake), alpha).mean(-1)
        return _loss(self.softplus(-fake), alpha).mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        r"""$E_q \varphi(p/q)$, for laws with positive mass on the same points.

        $\varphi(u) = \int_1^u (u - s) \varphi''(s) ds$ by Gauss's rule in $\log s$, where the
        integrand is smooth. A steep one is near 0 but at an end of the integral, and the rule is
        applied to parts that are halved towards both ends until it is smooth in each.
        """
        nodes, weights = _rule()
        u = (laws.p / laws.q)[:, None]
        end = np.log(u)
        total = np.zeros(len(u))
        for low, high in pairwise(self._parts(float(np.abs(end).max()))):
            at = end * (low + (high - low) * (nodes + 1) / 2)
            bent = -u * np.expm1(at - end) * self._bend(at) * end
            total += (high - low) * (bent @ weights) / 2
        return float(laws.q @ total)

    def _parts(self, farthest: float) -> list[float]:
        """Where the parts of an integral from 0 to 1 begin and end."""
        beta = 1 - 1 / self.generator_alpha
        steepness = self.critic_alpha * max(1.0, abs(beta)) * farthest
        halvings = max(0, math.ceil(math.log2(max(steepness, 1.0) / SMOOTH)))
        near = [0.5**i for i in range(1, halvings + 1)]
        return sorted({0.0, *near, *(1 - part for part in near), 1.0})

    def _bend(self, log_u: Array) -> Array:
        """The second derivative of phi, times u."""
        alpha, beta = self.critic_alpha, 1 - 1 / self.generator_alpha
        power = alpha - 2 if self.generator == "saturating" else alpha * beta - 2
        steep = np.logaddexp(0, alpha * log_u)
        return np.asarray(alpha * np.exp((power + 1) * log_u - (1 + beta) * steep))

    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        r"""$a^* = \alpha_D \log p/q$."""
        return self.critic_alpha * (np.log(laws.p) - np.log(laws.q))

    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """The loss of the optimal critic, a sum over points."""
        import torch

        logits = torch.from_numpy(self.optimal_logits(laws))
        alpha = self.critic_alpha
        on_p, on_q = (_loss(self.softplus(x), alpha).numpy() for x in (-logits, logits))
        return float(laws.p @ on_p + laws.q @ on_q)

    def uninformed_loss(self) -> float:
        r"""$2 \ell_{\alpha_D}(\frac12)$; 2 log 2 for the log loss."""
        beta = 1 - 1 / self.critic_alpha
        if abs(beta) < NEAR:
            beta = NEAR
        return float(-2 * np.expm1(-beta * np.log(2)) / beta)


@cache
def _rule() -> tuple[Array, Array]:
    """Nodes and weights of Gauss's rule: the eigenvalues of a matrix."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights


def _loss(surprise: Tensor, alpha: float | Tensor) -> Tensor:
    r"""$\ell_\alpha$ as a function of $-\log c$; alpha may be a column of a pack."""
    beta = 1 - 1 / (surprise.new_zeros(()) + alpha)
    beta = beta.where(beta.abs() >= NEAR, NEAR)
    return -(-beta * surprise).expm1() / beta
