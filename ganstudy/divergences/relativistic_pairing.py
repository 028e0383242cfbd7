"""`relativistic_pairing`: is a sample of p more real than a sample of q?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ganstudy.divergences._relativistic import RelativisticDivergence

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.divergences._base import Array


class RelativisticPairing(RelativisticDivergence):
    r"""Relativistic pairing GAN: each sample of p is judged against samples of q, one by one.

    Maths   the critic's loss is $E \log(1 + e^{a(y) - a(x)})$ with x from p and y from q, convex in
            a, and $D(p, q) = \log 2 - \inf_a$ of it is a divergence. `swapped`, as published: the
            generator minimises $E \log(1 + e^{a(x) - a(y)})$; no divergence is known that it
            descends. `bound`: it descends D, by the negative of the critic's loss. The pairs of a
            batch are independent with `pairing: random`; `all` has all of them, the same in
            expectation with less noise.
    Source  Jolicoeur-Martineau 2019, "The relativistic discriminator" (RSGAN); Sun,
            Fang & Schwing 2020, "Towards a better global loss landscape of GANs"; with R1
            and R2: Huang et al. 2024, "The GAN is dead; long live the GAN!", R3GAN. Training pairs
            each sample with another one in every batch; what Sun et al. prove of the landscape is
            of pairs that are fixed. With labels those of a pair are independent; in the code of
            R3GAN they are the same.
    """

    pairing: Literal["random", "all"] = Field(
        "random", description="the n pairs of two batches as they come, or all n² of them"
    )

    @property
    def comparisons(self) -> int:
        """With `pairing: all`, of logits."""
        return 2 if self.pairing == "all" else 0

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Samples of p should exceed those of q that they stand beside."""
        if self.pairing == "all":
            return self.softplus(fake[..., None, :] - real[..., :, None]).flatten(-2).mean(-1)
        return self.softplus(fake - real).mean(-1)

    def expected_loss(self, p: Array, q: Array, logits: Array) -> tuple[float, Array]:
        """The sum over all pairs of points, whatever the pairing of batches."""
        from scipy.special import expit

        excess = logits - logits[:, None]  # of the column's point over the row's
        weight = p[:, None] * q
        slope = weight * expit(excess)
        value = float((weight * np.logaddexp(0, excess)).sum())
        return value, slope.sum(0) - slope.sum(1)

    def uninformed_loss(self) -> float:
        """log 2, the loss of a constant critic."""
        return float(np.log(2))
