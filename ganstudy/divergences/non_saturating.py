"""`non_saturating`: the -log D trick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.divergences._classifier import ClassifierDivergence, kullback_leibler

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import DiscreteLaws


class NonSaturating(ClassifierDivergence):
    r"""Generator maximises log D; descends KL(q || p) - 2 JS(p, q) = 2 KL((p + q)/2 || p).

    Maths   generator loss $-E_q \log D = E_q \log(1 + e^{-a})$; equals $\log 2$ at p = q. Its
            gradient at $D^*$ held fixed is that of $2 KL(\frac{p + q}2 \| p)$.
    Source  Goodfellow et al. 2014, section 3; Arjovsky & Bottou 2017, theorem 2.5;
            Bouman, "GLGD convergence for non-saturating GAN". The factor 2 is missing in the
            statement of Bouman's identity and present in its proof; the proof is right.
    """

    def generator_loss(self, fake: Tensor) -> Tensor:
        r"""$E_q \log(1 + e^{-a})$."""
        return self.softplus(-fake).mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """2 KL((p + q)/2 || p)."""
        return 2 * kullback_leibler((laws.p + laws.q) / 2, laws.p)
