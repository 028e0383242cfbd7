"""`minimax`: the zero-sum GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.divergences._classifier import ClassifierDivergence, jensen_shannon

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import DiscreteLaws


class Minimax(ClassifierDivergence):
    r"""Zero-sum GAN; descends 2 JS(p, q), with vanishing gradients where D rejects all samples.

    Maths   generator loss $E_q \log(1 - D) = -E_q \log(1 + e^a)$; with $E_p \log D$, in which it
            has no part, it is $2 JS(p, q) - \log 4$ at $D^*$.
    Source  Goodfellow et al. 2014, eq. 1 and theorem 1; Huszar 2016, M-step; Thickstun, eq. 13.
    """

    def generator_loss(self, fake: Tensor) -> Tensor:
        r"""$-E_q \log(1 + e^a)$."""
        return -self.softplus(fake).mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """2 JS(p, q)."""
        return 2 * jensen_shannon(laws.p, laws.q)
