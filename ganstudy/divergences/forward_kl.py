"""`forward_kl`: the maximum-likelihood GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ganstudy.divergences._classifier import ClassifierDivergence, kullback_leibler

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import DiscreteLaws


class ForwardKL(ClassifierDivergence):
    r"""Maximum-likelihood GAN; descends KL(p || q), which covers modes.

    Maths   generator loss $-E_q e^a$; at the optimal critic held fixed, $e^{a^*} = p/q$ and its
            gradient is that of $KL(p \| q)$, though its value is $-1$ whatever q is.
    Errors  infinite in float32 for logits beyond 88; the trial is then marked `diverged`.
    Source  Goodfellow 2014, "On distinguishability criteria for estimating generative models";
            Goodfellow 2016, NIPS tutorial, section 3.2.4; the note "Everything about GANs", end of
            "GAN problem".
    """

    overflows: ClassVar[bool] = True

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q e^a."""
        return -fake.exp().mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """KL(p || q)."""
        return kullback_leibler(laws.p, laws.q)
