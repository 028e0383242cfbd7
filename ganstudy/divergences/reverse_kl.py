"""`reverse_kl`: the log D/(1 - D) update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.divergences._classifier import ClassifierDivergence, kullback_leibler

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import DiscreteLaws


class ReverseKL(ClassifierDivergence):
    r"""Generator maximises the logit itself; descends KL(q || p), which seeks modes.

    Maths   generator loss $-E_q a$; at the optimal critic $a^* = \log p/q$ it is $KL(q \| p)$.
    Source  Huszar 2016, alternative M-step #2; Sonderby et al. 2017.
    """

    def generator_loss(self, fake: Tensor) -> Tensor:
        """-E_q a."""
        return -fake.mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        """KL(q || p)."""
        return kullback_leibler(laws.q, laws.p)
