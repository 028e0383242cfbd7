"""`reverse_kl`: how surprising the samples are to p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._log_densities import DensityMetric

if TYPE_CHECKING:
    from ganstudy.metrics._log_densities import LogRatios
    from ganstudy.targets import Target


class ReverseKL(DensityMetric):
    r"""Reverse Kullback-Leibler divergence KL(q || p), estimated; large where samples stray.

    Maths   $E_q[\log \hat q - \log p]$ over the samples. The density of q is estimated by k-th
            neighbours; that of p is exact where the target states one, and else estimated in the
            same way. Minus infinity or a far tail of $\log p$ counts in full.
    Bias    upwards by a few hundredths of a nat at p = q with 2,000 samples in the plane, since
            neighbours make thin tails of q too dense; where p has no density either, the two biases
            cancel. An estimate below zero is cut off at zero. A generator that fills only a
            curve in the plane has no density there: the estimate grows with the sample size, and is
            infinite where samples coincide.
    Cost    one nearest-neighbour tree, two without a density; at the end.
    Source  Kozachenko and Leonenko 1987; Wang, Kulkarni and Verdú 2009, section II.
    """

    neighbours: int = Field(5, ge=1, description="k: density from the k-th neighbour")

    def estimate(self, ratios: LogRatios) -> float:
        """Mean of log q/p at samples of q, no less than 0."""
        return max(float(np.mean(ratios.at_fake)), 0.0)

    def reading(self, target: Target) -> Reading:
        """From 0 up, in nats."""
        density = self.stated(target)
        return Reading("reverse KL", "nat", "lower", (0.0, np.inf), 0.0, density)
