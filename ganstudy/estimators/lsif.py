"""`lsif`: least squares between the ratio and p/q."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.estimators._kernels import KernelRatio, at_least_some, means

if TYPE_CHECKING:
    from torch import Tensor


class LSIF(KernelRatio):
    r"""LSIF: the sum of kernels that is nearest to p/q in the mean square over q.

    Maths   $E_q (r - p/q)^2 / 2 = c^T H c / 2 - c^T h + const$ with $H = E_q k k^T$, $h = E_p k$,
            and $\frac\lambda2 |c|^2$ added, over $c \ge 0$. Steps $c_k' = c_k h_k / (H c + \lambda
            c)_k$ never raise it, since nothing in them is negative; at the end E_q r is set to 1.
    Source  Kanamori, Hido & Sugiyama 2009, "A least-squares approach to direct importance
            estimation", section 2, whose penalty is $\lambda 1^T c$; the ridge is that of section
            3; the steps: Lee & Seung 2001. As an objective of generators: Uehara et al. 2016,
            "Generative adversarial nets from a density ratio estimation perspective". Its better
            known variant uLSIF (section 3 there) solves a linear system and raises negative
            coefficients to zero afterwards. That bends log r towards the middle of p wherever
            kernels overlap, and generators that follow it collapse there.
    """

    ridge: float = Field(0.01, gt=0, description="lambda, the factor on the squared coefficients")

    def coefficients(self, on_p: Tensor, on_q: Tensor) -> Tensor:
        """c after the last step, scaled."""
        second, first = on_q.mT @ on_q / on_q.shape[1], means(on_p)
        c = first.new_full(first.shape, 1.0)
        for _ in range(self.iterations):
            c = c * first / at_least_some(second @ c + self.ridge * c)
        return c / at_least_some(means(on_q).mT @ c)

    def products(self, batch: int, inputs: int) -> int:
        """The matrix, and a product with it in each step."""
        return super().products(batch, inputs) + self.centres**2 * (batch + self.iterations)
