"""`kliep`: the ratio of largest likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.estimators._kernels import KernelRatio, at_least_some, means

if TYPE_CHECKING:
    from torch import Tensor


class KLIEP(KernelRatio):
    r"""KLIEP: of all sums of kernels with E_q r = 1, that with the largest E_p log r.

    Maths   the least $KL(p \| r q)$. With $m_k$ the mean of kernel k over q and $w_k = c_k m_k$, it
            is the likelihood of a mixture in its weights w, which EM never lowers:
            $w_k' = w_k E_p \frac{k_k / m_k}{\sum_j w_j k_j / m_j}$ from equal weights.
    Source  Sugiyama et al. 2008, "Direct importance estimation for covariate shift adaptation",
            who ascend the gradient with projections and choose the width by cross-validation; we
            make a set number of steps of EM, and do not.
    """

    def coefficients(self, on_p: Tensor, on_q: Tensor) -> Tensor:
        """w_k/m_k after the last step."""
        norms = at_least_some(means(on_q))
        parts = on_p / norms.mT
        weights = parts.new_full(norms.shape, 1 / self.centres)
        for _ in range(self.iterations):
            mixture = at_least_some(parts @ weights)
            weights = weights * means(parts / mixture)
        return weights / norms

    def products(self, batch: int, inputs: int) -> int:
        """Two products of matrices and a quotient in each step of EM."""
        return super().products(batch, inputs) + 3 * self.iterations * batch * self.centres
